"""Notify TRE of new note: the customer's comment reaches the people who act (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.threats import Author

if TYPE_CHECKING:
    from ..domain.events import NoteAdded
    from .context import Context


def plan(event: NoteAdded, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs by Slack and PagerDuty, if the note was written by the customer.

    It often says that an activity is expected (an administrator's or developer's work), so the text goes along
    where the channel may carry it.
    """
    if event.note.author is not Author.CUSTOMER:
        return Plan()
    return Plan(
        notifications=(
            Notification(
                audience=Audience.TRE,
                kind=Kind.NOTE_FROM_CUSTOMER,
                customer=event.customer,
                threat=event.threat,
                headline=f"New note from the customer: {event.threat.id}",
                facts=(("Author", event.note.name),),
                body=event.note.text,
            ),
        )
    )
