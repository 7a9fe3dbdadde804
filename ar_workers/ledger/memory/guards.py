"""What keeps a row from its write: it was called off or superseded, the kill switch is closed, or too many are isolated already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ...domain.states import State

if TYPE_CHECKING:
    from .kept import KeptRow
    from .store import Store

HOUR = timedelta(hours=1)


class Hindrance(NamedTuple):
    """Where the row belongs instead, and why; if it is held, by which switch or guard."""

    to: State
    reason: str
    held_by: str = ""


class Guards:
    """Asked immediately before a write."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hindrance(self, row: KeptRow, most_isolations: int | None) -> Hindrance | None:
        """None clears the write: an isolation counts from then on."""
        if row.cancel or self._is_superseded(row):
            return Hindrance(State.CANCELLED, row.cancel or "superseded by a later release")
        return self._paused_by(row) or self._blast_radius(row, most_isolations)

    def _is_superseded(self, row: KeptRow) -> bool:
        return row.wish.verb == "isolate" and row.epoch < self._store.epoch(row.customer, row.wish.lane)

    def _paused_by(self, row: KeptRow) -> Hindrance | None:
        if not row.wish.edr:  # a delivery: people go on being told
            return None
        paused = self._store.paused.get(row.customer, {})
        scopes = ("*", f"edr:{row.wish.edr}", f"verb:{row.wish.verb}")
        scope = next((each for each in scopes if each in paused), None)
        return Hindrance(State.HELD, f"paused ({scope}): {paused[scope]}", scope) if scope else None

    def _blast_radius(self, row: KeptRow, most: int | None) -> Hindrance | None:
        if row.wish.verb != "isolate" or most is None:
            return None
        counted = self._store.isolations.setdefault(row.customer, {})
        for name in [name for name, at in counted.items() if at <= self._store.now() - HOUR]:
            del counted[name]
        if row.id not in counted and not row.is_approved and len(counted) >= most:
            return Hindrance(State.HELD, f"blast radius: {most} isolations in the last hour; a TRE decides", "guard")
        counted[row.id] = self._store.now()
        return None
