"""`ports.Ledger` over a store in memory: each method is one step under one lock, done by the part that it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING

from .decisions import Decisions
from .digests import Digests
from .guards import Guards
from .intake import Intake
from .moves import Moves
from .planning import Planning
from .reading import Reading
from .store import Store
from .sweeping import Sweeping
from .turns import Turns
from .visits import Visits

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from ...domain.events import Event
    from ...domain.limits import Limits
    from ...domain.notifications import Delivery, Digest
    from ...domain.rows import Acceptance, Claim, Containment, EventPlan, Finding, Refusal, Row, Seat, ThreatRecord
    from ...domain.scores import Ring


class MemoryLedger:
    """See `ports.Ledger`. `now` is the ledger's clock."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        grace: timedelta = timedelta(seconds=5),
        least_remaining: timedelta = timedelta(seconds=10),
        most_visits: int = 16,
    ) -> None:
        self._lock = RLock()
        self._store = store = Store(now)
        turns = Turns(store, most_visits)
        self._intake = Intake(store, grace)
        moves = Moves(store, self._intake)
        self._planning = Planning(store, moves, grace)
        guards = Guards(store)
        self._visits = Visits(store, moves, turns, guards, least_remaining)
        self._sweeping = Sweeping(store, turns)
        self._digests = Digests(store)
        self._decisions = Decisions(store, moves, guards)
        self._reading = Reading(store)

    def accept(self, events: Sequence[Event], *, unrung: Container[str] = ()) -> list[Acceptance]:
        with self._lock:
            return self._intake.accept(events, unrung)

    def outstanding(self, customer: str) -> int:
        with self._lock:
            return self._reading.outstanding(customer)

    def events(self, refs: Sequence[str]) -> list[Event | None]:
        with self._lock:
            return self._intake.unplanned(refs)

    def event_failed(self, ref: str, reason: str, after: timedelta) -> None:
        with self._lock:
            self._intake.failed(ref, reason, after)

    def record(self, plans: Sequence[EventPlan], *, unrung: Container[str] = ()) -> list[list[Ring] | None]:
        with self._lock:
            return [self._planning.record(plan, unrung) for plan in plans]

    def claim(self, row_ids: Sequence[str], *, owner: str, lease: timedelta, most_isolations: int | None) -> list[Claim | Refusal]:
        with self._lock:
            return [self._visits.claim(row_id, owner, lease, most_isolations) for row_id in row_ids]

    def renew(self, claims: Sequence[Claim], lease: timedelta) -> None:
        with self._lock:
            for claim in claims:
                self._visits.renew(claim, lease)

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        with self._lock:
            return self._store.unsettled(customer, threat_id)

    def begin(self, claim: Claim, *, most_isolations: int | None) -> Refusal | None:
        with self._lock:
            return self._visits.begin(claim, most_isolations)

    def conclude(self, visits: Sequence[tuple[Claim, Finding]]) -> list[list[Ring] | None]:
        with self._lock:
            return [self._visits.conclude(claim, finding) for claim, finding in visits]

    def limit(self, customer: str, remote: str, limits: Limits) -> None:
        with self._lock:
            self._store.remote(customer, remote).limit(limits, self._store.now())

    def spend(self, customer: str, remote: str, *, urgent: bool) -> timedelta | None:
        with self._lock:
            found = self._store.remotes.get((customer, remote))
            return found.spend(self._store.now(), urgent=urgent) if found else None

    def stay_away(self, customer: str, remote: str, wish: timedelta) -> None:
        with self._lock:
            self._store.remote(customer, remote).stay_away(self._store.now(), wish)

    def compact(self, before: datetime, limit: int) -> int:
        with self._lock:
            return self._sweeping.compact(before, limit)

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        with self._lock:
            return self._decisions.requeue(row_id, by, life)

    def resolve(self, row_id: str, *, by: str, was_sent: bool) -> list[Ring] | Refusal:
        with self._lock:
            return self._decisions.resolve(row_id, by, was_sent=was_sent)

    def seat(self, row_id: str, counted: str, digest: Digest) -> Seat | None:
        with self._lock:
            return self._digests.seat(row_id, counted, digest)

    def gathered(self, row_id: str) -> list[Delivery]:
        with self._lock:
            return self._digests.gathered(row_id)

    def due(self, limit: int, again: timedelta, *, room: Mapping[str, int] | None = None) -> list[Ring]:
        with self._lock:
            return self._sweeping.due(limit, again, room or {})

    def tick(self, name: str, window: timedelta) -> bool:
        with self._lock:
            now, ticks = self._store.now(), self._store.ticks
            is_first = ticks.get(name, now) <= now
            if is_first:
                ticks[name] = now + window
            return is_first

    def cursor(self, customer: str, feed: str) -> str:
        with self._lock:
            return self._store.cursors.get((customer, feed), "")

    def move_cursor(self, customer: str, feed: str, expected: str, new: str) -> bool:
        with self._lock:
            is_ours = self._store.cursors.get((customer, feed), "") in {expected, new}
            if is_ours:
                self._store.cursors[customer, feed] = new
            return is_ours

    def pause(self, customer: str | None, scope: str, reason: str) -> None:
        with self._lock:
            self._decisions.pause(customer, scope, reason)

    def resume(self, customer: str | None, scope: str) -> list[Ring]:
        with self._lock:
            return self._decisions.resume(customer, scope)

    def pauses(self, customer: str | None) -> dict[str, str]:
        with self._lock:
            return dict(self._store.paused.get(customer, {}))

    def containments(self, customer: str, lanes: Sequence[str]) -> dict[str, Containment]:
        with self._lock:
            return {lane: found for lane in lanes if (found := self._store.shown.get((customer, lane)))}

    def knows(self, customer: str, once_prefix: str) -> set[str]:
        with self._lock:
            return {key for key in self._store.once.get(customer, set()) if key.startswith(once_prefix)}

    def forget(self, customer: str, once_keys: Iterable[str]) -> None:
        with self._lock:
            self._store.once.setdefault(customer, set()).difference_update(once_keys)

    def customers(self) -> list[str]:
        with self._lock:
            return self._reading.customers()

    def threats(self, customer: str, *, since: datetime, limit: int) -> list[ThreatRecord]:
        with self._lock:
            return self._reading.threats(customer, since, limit)

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        with self._lock:
            return self._reading.threat(customer, threat_id)

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        with self._lock:
            return self._reading.rows(customer, threat_id)

    def row(self, row_id: str) -> Row | None:
        with self._lock:
            return self._reading.row(row_id)
