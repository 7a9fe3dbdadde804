"""Undo requested: a person takes back what was done, through us (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.plans import Plan, Skip
from ..domain.undo import judged, skipped

if TYPE_CHECKING:
    from ..domain.events import UndoRequested
    from .context import Context


def plan(event: UndoRequested, context: Context) -> Plan:
    """Undo each row that was named and that can be undone: `release` what was isolated, `unban_hash` and `unban_domain` what was banned,
    `unquarantine_file` what was quarantined. Each that cannot is a "no" with its reason.

    Conditions: see `domain.undo`. None of the guards that keep actions in bounds: an undo gives back. Nobody is told: who asked, and
    why, stands in the timeline.
    """
    named = {each.row.id: each for each in context.made if each.row.id in event.rows}
    strange = tuple(
        Skip(verb="act_on", subject=row_id, reason=f"is no row of {event.threat_id}: nothing is undone for it")
        for row_id in event.rows
        if row_id not in named
    )
    verdicts = judged(named.values(), context.capabilities, by=event.requested_by, though_wanted=event.though_wanted)
    return Plan(actions=tuple(each.undo for each in verdicts if each.undo), skips=(*skipped(verdicts), *strange))
