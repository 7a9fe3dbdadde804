"""How the plan of an undo is shown: for each action its undo, or why it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.errors import KeyUnusable
from ..domain.undo import judged, words
from .output import print_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.rows import ThreatRecord
    from ..domain.undo import Verdict
    from ..ports import Ledger

_COLUMNS = ("Id", "What was done", "Its undo", "Why not")


def show(verdicts: Sequence[Verdict]) -> None:
    """A table, and the whole of it in numbers."""
    print_table("Undo", _COLUMNS, map(_line, verdicts), prose="Why not")
    undone = sum(each.undo is not None for each in verdicts)
    say(f"{undone} can be undone, {len(verdicts) - undone} not")


def _line(each: Verdict) -> tuple[str, ...]:
    row = each.made.row
    return row.id, f"{row.verb} {row.subject}", words(each.undo.verb) if each.undo else "", each.reason


def documents(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """As JSON. `undo` is null where there is none, and `reason` says why."""
    return [
        {
            "id": each.made.row.id,
            "verb": each.made.row.verb,
            "subject": each.made.row.subject,
            "undo": each.undo.verb if each.undo else None,
            "reason": each.reason,
        }
        for each in verdicts
    ]


def of_closed(ledger: Ledger, record: ThreatRecord) -> list[Verdict]:
    """What may be undone of a threat that is closed, with the rest that was done; nothing where none of it can be."""
    from ..bootstrap import capability_cells  # noqa: PLC0415 - all that can be configured, and most threats need none of it
    from ..domain.capabilities import Capabilities  # noqa: PLC0415 - likewise

    try:
        made = ledger.made(record.customer, record.id)
    except KeyUnusable as error:
        say(f"what of it can be undone cannot be told here: {error}", err=True)
        return []
    verdicts = [each for each in judged(made, Capabilities(capability_cells(), {}), by="") if each.matters]
    actions = [each for each in verdicts if each.made.row.kind == "action"]
    return actions if any(each.undo for each in actions) else []
