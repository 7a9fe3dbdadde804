"""What keeps a row from its write: it was called off or superseded, the kill switch is closed, or too many are isolated already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ...domain.guards import Guard
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
        called_off = row.cancel or self.released_since(row)
        if called_off:
            return Hindrance(State.CANCELLED, called_off)
        return self.paused_by(row) or self._blast_radius(row, most_isolations)

    def released_since(self, row: KeptRow) -> str:
        """By whom its endpoint was released after the isolation was wished for, in words."""
        release = self._store.releases.get((row.customer, row.wish.lane or ""))
        if row.wish.verb != "isolate" or release is None or row.epoch >= release.generation:
            return ""
        return f"released by {release.asked_by or 'a person'}"

    def paused_by(self, row: KeptRow) -> Hindrance | None:
        """Not a release, which gives access back, and not a delivery, which has no EDR: people go on being told."""
        if not row.wish.edr or row.wish.verb == "release":
            return None
        scopes = ("*", f"edr:{row.wish.edr}", f"verb:{row.wish.verb}")
        for customer, whom, prefix in ((None, " for everyone", "everyone "), (row.customer, "", "")):
            paused = self._store.paused.get(customer, {})
            scope = next((each for each in scopes if each in paused), None)
            if scope:
                return Hindrance(State.HELD, f"paused{whom} ({scope}): {paused[scope]}", f"{prefix}{scope}")
        return None

    def _blast_radius(self, row: KeptRow, most: int | None) -> Hindrance | None:
        if row.wish.verb != "isolate" or most is None:
            return None
        counted = self._store.isolations.setdefault(row.customer, {})
        for name in [name for name, at in counted.items() if at <= self._store.now() - HOUR]:
            del counted[name]
        if row.id not in counted and Guard.BLAST_RADIUS not in row.approved and len(counted) >= most:
            return Hindrance(State.HELD, f"blast radius: {most} isolations in the last hour; a TRE decides", Guard.BLAST_RADIUS)
        counted[row.id] = self._store.now()
        return None
