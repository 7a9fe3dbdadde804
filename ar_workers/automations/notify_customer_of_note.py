"""Notify customer of new note: remediation is complete, here is what was done and what is left to you."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.threats import Author

if TYPE_CHECKING:
    from ..domain.events import NoteAdded
    from .context import Context


def plan(event: NoteAdded, context: Context) -> Plan:
    """Send the remediation summary to the customer's addresses, if a TRE's note says that remediation is complete.

    The summary is the TRE's text, then what the ledger shows: completed actions, and what is outstanding.
    """
    if event.note.author is not Author.TRE or not event.note.remediation_complete:
        return Plan()
    facts = context.summary.facts() if context.summary else ()
    return Plan(
        notifications=(
            Notification(
                audience=Audience.CUSTOMER,
                kind=Kind.REMEDIATION_SUMMARY,
                customer=event.customer,
                threat=event.threat,
                headline=f"Remediation complete: {event.threat.id}",
                facts=(("Summary by", event.note.name), *facts),
                body=event.note.text,
            ),
        )
    )
