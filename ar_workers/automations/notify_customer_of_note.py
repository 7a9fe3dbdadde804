"""Notify customer of new note: remediation is complete, here is what was done and what is left to you."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import remediation_summary
from ..domain.plans import Plan
from ..domain.summaries import summarise
from ..domain.threats import Author

if TYPE_CHECKING:
    from ..domain.events import NoteAdded
    from .context import Context


def plan(event: NoteAdded, context: Context) -> Plan:
    """Send the remediation summary to the customer's addresses, if a TRE's note says that remediation is complete.

    The summary is the TRE's text, then what the ledger shows: what is outstanding, completed and not done.
    """
    if event.note.author is not Author.TRE or not event.note.remediation_complete:
        return Plan()
    summary = context.summary or summarise((), event.threat)
    return Plan(notifications=(remediation_summary(event.customer, event.threat, summary, by=event.note.name, text=event.note.text),))
