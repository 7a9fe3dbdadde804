"""Whose turn it is: one visit at a time to an endpoint (its lane), and to a remote as many as it can take."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ...domain.states import State
from .kept import Lane

if TYPE_CHECKING:
    from datetime import datetime

    from ...domain.scores import Ring
    from .kept import KeptRow
    from .remotes import Remote
    from .store import Store

URGENT = frozenset({"isolate", "release"})
#: In a queue before the next one is called. If all are, the sweep calls.
MOST_PASSED_OVER = 20
#: The ages of rows are told apart the better the younger they are.
MIDDLE_AGE = timedelta(minutes=1)


class Turns:
    """`most_visits` may be with a remote at once, urgent ones and others counted apart."""

    def __init__(self, store: Store, most_visits: int) -> None:
        self._store, self._most_visits = store, most_visits

    def lane_busy(self, row: KeptRow, owner: str) -> str | None:
        """Why its endpoint cannot be worked on now; the row queues for it then."""
        key = _lane_of(row)
        lane = self._store.lanes.get(key)
        if lane and lane.until <= self._store.now():
            del self._store.lanes[key]
        elif lane and lane.owner != owner:
            queue = self._store.lane_queues.setdefault(key, [])
            if row.id not in queue:
                queue.insert(0 if row.state is State.LEASED else len(queue), row.id)
            return "endpoint busy"
        return None

    def remote_closed(self, row: KeptRow, owner: str) -> str | None:
        """Why its remote cannot be asked now; the row is put off, or queues for it then."""
        if not row.wish.remote:
            return None
        now, remote, urgent = self._store.now(), self._remote(row), _is_urgent(row)
        wait, why = remote.wait(now, urgent=urgent)
        if wait:
            if row.state is not State.LEASED:
                self._put_off(row, wait, why)
            return why
        if remote.is_full(owner, now, self._most_visits, urgent=urgent):
            remote.queue[urgent].setdefault(row.id)
            if row.state is State.LEASED:
                remote.queue[urgent].move_to_end(row.id, last=False)
            return f"{row.wish.remote} busy"
        return None

    def is_put_off(self, row: KeptRow, again: timedelta, rung: Counter[tuple[str, bool]]) -> bool:
        """Whether there is no use in ringing for it now, because of its remote and what is `rung` for that; then it is due later."""
        if not row.wish.remote:
            return False
        now, remote, urgent = self._store.now(), self._remote(row), _is_urgent(row)
        wait, why = remote.wait(now, urgent=urgent)
        if wait:
            self._put_off(row, wait, why)
            return True
        if not remote.has_place(now, self._most_visits, rung[self.place_of(row)], urgent=urgent):
            self._store.due[row.id] = now + 4 * again
            return True
        return False

    def place_of(self, row: KeptRow) -> tuple[str, bool]:
        """The remote that it is rung for, and whether with those that go first there."""
        return row.wish.remote, _is_urgent(row)

    def _put_off(self, row: KeptRow, wait: timedelta, why: str) -> None:
        now, urgent = self._store.now(), _is_urgent(row)
        row.reason = why
        row.next_at = self._remote(row).turn(now, wait, urgent=urgent)
        self._store.due[row.id] = row.next_at + timedelta(milliseconds=_standing(row, now) if urgent else 0)

    def admit(self, row: KeptRow, owner: str, lease: timedelta) -> datetime:
        """A visit to the row begins. Until when it may last."""
        now = self._store.now()
        until = now + lease
        if row.wish.lane:
            lane = self._store.lanes.setdefault(_lane_of(row), Lane(owner, 0, until))
            lane.held, lane.until = lane.held + 1, until
        if row.wish.remote:
            self._remote(row).admit(owner, now, lease, urgent=_is_urgent(row))
        return until

    def prolong(self, row: KeptRow, until: datetime) -> None:
        """The visit to the row may last longer."""
        lane = self._store.lanes.get(_lane_of(row))
        if lane and lane.owner == row.owner and lane.until > self._store.now():  # what was let go is not taken again
            lane.until = until
        if row.wish.remote:
            busy = self._remote(row).busy[_is_urgent(row)]
            if row.owner in busy:
                busy[row.owner].until = until

    def let_go(self, row: KeptRow) -> list[Ring]:
        """The visit to the row has ended. Who is next."""
        rings: list[Ring] = []
        key = _lane_of(row)
        lane = self._store.lanes.get(key)
        if lane and lane.owner == row.owner:
            lane.held -= 1
            if lane.held <= 0:
                del self._store.lanes[key]
                rings += self._next_of(self._store.lane_queues.get(key, []))
        if row.wish.remote:
            remote, urgent = self._remote(row), _is_urgent(row)
            if remote.dismiss(row.owner, urgent=urgent):
                waiting = list(remote.queue[urgent])
                rings += self._next_of(waiting)
                remote.queue[urgent] = OrderedDict.fromkeys(waiting)
        return rings

    def _next_of(self, queue: list[str]) -> list[Ring]:
        """Taken out of the queue: the first that can be claimed, and who before it was served or put off meanwhile."""
        for _ in range(min(len(queue), MOST_PASSED_OVER)):
            name = queue.pop(0)
            if not self._store.rows[name].unclaimable(self._store.now()):
                return [replace(self._store.ring(name), is_first=True)]
        return []

    def _remote(self, row: KeptRow) -> Remote:
        return self._store.remote(row.customer, row.wish.remote)


def _standing(row: KeptRow, now: datetime) -> float:
    """Where an urgent row stands among those that come back at the same time: what was asked of the EDR first, the rest by age."""
    return 0.0 if row.begun else MIDDLE_AGE / (MIDDLE_AGE + timedelta(seconds=1) + max(timedelta(0), now - row.created_at))


def _lane_of(row: KeptRow) -> tuple[str, str]:
    return row.customer, row.wish.lane or ""


def _is_urgent(row: KeptRow) -> bool:
    return row.wish.verb in URGENT
