"""Rows of a threat as the remediation summary: what was done, what was not, and what is left to the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Value
from .states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rows import Row

_DONE = {State.DONE, State.ALREADY}
_NOT_NEEDED = {State.SKIPPED, State.CANCELLED}


class Summary(Value):
    """Lines for people, each `verb subject (why)`."""

    completed: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()

    def facts(self) -> tuple[tuple[str, str], ...]:
        """As label and value, for a notification."""
        sections = (("Completed", self.completed), ("Not done", self.not_done), ("Outstanding", self.outstanding))
        return tuple((label, line[:500]) for label, lines in sections for line in lines)


def summarise(rows: Iterable[Row]) -> Summary:
    """The actions of a threat, in plan order; deliveries are not the customer's concern."""
    actions = [row for row in rows if row.kind == "action"]
    return Summary(
        completed=tuple(_line(row) for row in actions if row.state in _DONE),
        not_done=tuple(_line(row) for row in actions if row.state in _NOT_NEEDED),
        outstanding=tuple(_line(row) for row in actions if row.state not in _DONE | _NOT_NEEDED),
    )


def _line(row: Row) -> str:
    why = row.reason or row.evidence
    return f"{row.verb.replace('_', ' ')} {row.subject}" + (f" ({why})" if why else "")
