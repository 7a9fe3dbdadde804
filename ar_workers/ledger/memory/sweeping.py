"""What the sweep asks for: which rings are due, and which threats are over and can be packed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ...domain.scores import share
from ...domain.states import TERMINAL, State
from .turns import URGENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ...domain.scores import Ring
    from .kept import Dossier
    from .store import Store
    from .turns import Turns

#: A queue may have room again after the first, and what a lost worker held may find its endpoint free after the second.
AT_ONCE, SOON = timedelta(milliseconds=200), timedelta(seconds=2)
#: Of what is looked at: what comes first leaves the others something.
SHARE_OF_THE_FIRST = 0.75


class Sweeping:
    """All customers alike."""

    def __init__(self, store: Store, turns: Turns) -> None:
        self._store, self._turns = store, turns

    def due(self, limit: int, again: timedelta, room: Mapping[str, int]) -> list[Ring]:
        """See `ports.Ledger`."""
        ripe: dict[str, list[str]] = {}
        for _, name in sorted((at, name) for name, at in self._store.due.items() if at <= self._store.now()):
            ripe.setdefault(name.partition(":")[0], []).append(name)
        shares = {queue: share(number, len(ripe)) for queue, number in room.items()}
        most = share(limit, len(ripe))
        rings = [ring for mine in ripe.values() for ring in self._rung(self._in_turn(mine, most), again, dict(shares))]
        return sorted(rings, key=lambda ring: not ring.is_first)

    def _in_turn(self, ripe: Sequence[str], most: int) -> list[str]:
        first = _longest_and_latest([name for name in ripe if self._goes_first(name)], math.ceil(most * SHARE_OF_THE_FIRST))
        return first + _longest_and_latest([name for name in ripe if not self._goes_first(name)], most - len(first))

    def _goes_first(self, name: str) -> bool:
        return name in self._store.events or self._store.rows[name].wish.verb in URGENT

    def _rung(self, names: Sequence[str], again: timedelta, room: dict[str, int]) -> Iterator[Ring]:
        """Of one customer, as long as the ring's queue has room."""
        rung: Counter[tuple[str, bool]] = Counter()
        for name in names:
            ring = self._store.ring(name)
            if self._is_rung(name, again, rung, has_room=room.get(ring.queue, 1) > 0):
                yield replace(ring, is_first=name in self._store.rows and self._store.rows[name].state is State.LEASED)
                if ring.queue in room:
                    room[ring.queue] -= 1
                if name in self._store.rows and self._store.rows[name].state is not State.LEASED:
                    rung[self._turns.place_of(self._store.rows[name])] += 1

    def _is_rung(self, name: str, again: timedelta, rung: Counter[tuple[str, bool]], *, has_room: bool) -> bool:
        row = self._store.rows.get(name)
        is_held_by_nobody = row is None or row.state is not State.LEASED
        if row and is_held_by_nobody and self._turns.is_put_off(row, again, rung):
            return False
        wait = SOON if not is_held_by_nobody else again if has_room else AT_ONCE
        self._store.due[name] = self._store.now() + min(again, wait)
        return has_room or not is_held_by_nobody

    def compact(self, before: datetime, limit: int) -> int:
        """Nothing is saved in a dict; what has been packed is only marked."""
        ripe = [dossier for dossier in self._store.threats.values() if not dossier.is_packed and self._is_ripe(dossier, before)]
        for dossier in ripe[:limit]:
            dossier.is_packed = True
        return len(ripe[:limit])

    def _is_ripe(self, dossier: Dossier, before: datetime) -> bool:
        rows = [self._store.rows[name] for name in dossier.rows]
        return bool(rows) and all(
            row.state in TERMINAL - {State.FAILED} and row.settled_at is not None and row.settled_at <= before for row in rows
        )


def _longest_and_latest(ripe: list[str], most: int) -> list[str]:
    """Half of them from either end."""
    longest, latest = ripe[: (most + 1) // 2], ripe[(most + 1) // 2 :]
    return longest + latest[::-1][: most // 2]
