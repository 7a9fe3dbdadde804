"""The ledger in a dict: the same promises as Redis within one process, for tests and for trying things out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING

from ..domain.errors import StaleClaim
from ..domain.rows import Acceptance, Claim, Queue, Refusal, Ring, Row, ThreatRecord, TimelineEntry
from ..domain.states import FREES_DEPENDENTS, TERMINAL, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..domain.events import Event
    from ..domain.rows import Finding, NewRow
    from ..domain.threats import Threat

HOUR = timedelta(hours=1)
MOST_PLANNING_ATTEMPTS = 20


@dataclass
class _Kept:
    """A row as it is kept."""

    id: str
    wish: NewRow
    customer: str
    threat: str
    created_at: datetime
    deadline: datetime
    epoch: int
    state: State = State.PENDING
    reason: str = ""
    waits: int = 0
    frees: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    latest: str = ""
    generations: int = 1
    was: State = State.PENDING
    fence: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    next_at: datetime | None = None
    begun: bool = False
    begun_at: datetime | None = None
    performed_at: datetime | None = None
    settled_at: datetime | None = None
    attempts: int = 0
    looks: int = 0
    crashes: int = 0
    generation: int = 1
    receipt: str = ""
    reference: str = ""
    evidence: str = ""
    cancel: str = ""
    held_by: str = ""
    is_approved: bool = False


@dataclass
class _Dossier:
    """A threat as it is kept."""

    accepted_at: datetime
    threat: Threat | None = None
    closed: str = ""
    closed_at: datetime | None = None
    rows: list[str] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)


@dataclass
class _Incoming:
    """An event as it is kept."""

    event: Event
    state: str = "accepted"
    attempts: int = 0


class MemoryLedger:
    """See `ports.Ledger`. `now` is the ledger's clock."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        grace: timedelta = timedelta(seconds=5),
        least_remaining: timedelta = timedelta(seconds=20),
    ) -> None:
        self._now, self._grace, self._least_remaining = now, grace, least_remaining
        self._lock = RLock()
        self._events: dict[str, _Incoming] = {}
        self._threats: dict[tuple[str, str], _Dossier] = {}
        self._rows: dict[str, _Kept] = {}
        self._due: dict[str, datetime] = {}
        self._lanes: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._lane_queues: dict[tuple[str, str], list[str]] = {}
        self._releases: dict[tuple[str, str], int] = {}
        self._isolations: dict[str, dict[str, datetime]] = {}
        self._paused: dict[str, dict[str, str]] = {}
        self._once: dict[str, set[str]] = {}
        self._ticks: dict[str, datetime] = {}

    def accept(self, events: Sequence[Event]) -> list[Acceptance]:
        with self._lock:
            return [self._accept(event) for event in events]

    def _accept(self, event: Event) -> Acceptance:
        ref = f"{event.customer}:event/{event.id}"
        known = self._events.get(ref)
        if known:
            return Acceptance.DUPLICATE if known.event.digest == event.digest else Acceptance.CONFLICT
        self._events[ref] = _Incoming(event)
        self._due[ref] = self._now() + self._grace
        dossier = self._threats.setdefault((event.customer, event.threat_id), _Dossier(self._now()))
        dossier.threat = getattr(event, "threat", None) or dossier.threat
        self._note(event.customer, event.threat_id, f"event/{event.id}", "accepted")
        return Acceptance.NEW

    def event(self, ref: str) -> Event | None:
        with self._lock:
            found = self._events.get(ref)
            return found.event if found and found.state == "accepted" else None

    def event_failed(self, ref: str, reason: str, after: timedelta) -> None:
        with self._lock:
            found = self._events[ref]
            found.attempts += 1
            self._due[ref] = self._now() + after
            if found.attempts >= MOST_PLANNING_ATTEMPTS:
                found.state = "failed"
                del self._due[ref]
            word = "failed" if found.state == "failed" else "planning failed, will be tried again"
            self._note(found.event.customer, found.event.threat_id, ref.partition(":")[2], f"{word}: {reason}")

    def record(self, event: Event, rows: Sequence[NewRow], *, closes: str | None) -> bool:
        with self._lock:
            ref = f"{event.customer}:event/{event.id}"
            found = self._events.get(ref)
            if not found or found.state != "accepted":
                return False
            if closes:
                self._close(event, closes)
            recorded: dict[str, str] = {}
            for row in rows:
                self._place(event, row, recorded)
            found.state = "planned"
            self._due.pop(ref, None)
            self._note(event.customer, event.threat_id, f"event/{event.id}", "planned")
            return True

    def _close(self, event: Event, reason: str) -> None:
        dossier = self._threats[event.customer, event.threat_id]
        dossier.closed, dossier.closed_at = reason, event.occurred_at
        for row in [self._rows[name] for name in dossier.rows]:
            if row.threat != event.threat_id:
                row.shared = [each for each in row.shared if each != event.threat_id]
            elif row.shared:
                row.threat = row.shared.pop(0)
                self._note(row.customer, row.threat, row.id, f"taken over from threat {event.threat_id}")
            elif row.wish.kind == "action" and row.wish.verb != "release":
                self._cancel(row, reason)

    def _cancel(self, row: _Kept, reason: str) -> None:
        if row.state in {State.WAITING, State.PENDING, State.HELD}:
            self._enter(row, State.CANCELLED, reason)
            self._free_dependents(row, [])
        elif row.state not in TERMINAL:
            row.cancel = reason

    def _place(self, event: Event, wish: NewRow, recorded: dict[str, str]) -> None:
        name, is_new = self._name_of(event, wish)
        recorded[wish.id] = name
        if not is_new:
            return
        row = _Kept(
            name,
            wish,
            event.customer,
            event.threat_id,
            self._now(),
            self._now() + wish.life,
            self._epoch_of(event.customer, wish),
        )
        self._rows[name] = row
        dossier = self._threats[event.customer, event.threat_id]
        dossier.rows.append(name)
        state, reason = self._first_state(event, wish, dossier)
        if state is State.PENDING and self._await(row, recorded):
            row.state = State.WAITING
            self._note(row.customer, row.threat, row.id, "waiting")
            return
        self._enter(row, state, reason, was="new")
        if state is State.PENDING:
            row.next_at = self._now()
            self._due[name] = self._now() + self._grace

    def _name_of(self, event: Event, wish: NewRow) -> tuple[str, bool]:
        first = self._rows.get(wish.id)
        if not first:
            return wish.id, True
        latest = self._rows[first.latest or wish.id]
        dossier = self._threats[event.customer, event.threat_id]
        if latest.id in dossier.rows:
            return latest.id, False
        if latest.state not in TERMINAL:
            dossier.rows.append(latest.id)
            latest.shared.append(event.threat_id)
            self._note(event.customer, event.threat_id, latest.id, f"shared with threat {latest.threat}")
            return latest.id, False
        first.generations += 1
        first.latest = f"{wish.id}.{first.generations}"
        return first.latest, True

    def _epoch_of(self, customer: str, wish: NewRow) -> int:
        if not wish.lane:
            return 0
        key = (customer, wish.lane)
        if wish.verb == "release":
            self._releases[key] = self._releases.get(key, 0) + 1
        return self._releases.get(key, 0)

    def _first_state(self, event: Event, wish: NewRow, dossier: _Dossier) -> tuple[State, str]:
        if wish.state is State.SKIPPED:
            return State.SKIPPED, wish.reason
        is_closed = dossier.closed_at is not None and event.occurred_at <= dossier.closed_at
        if wish.kind == "action" and wish.verb != "release" and is_closed:
            return State.CANCELLED, dossier.closed
        once = self._once.setdefault(event.customer, set())
        if wish.once and wish.once in once:
            return State.SKIPPED, "already told"
        if wish.once:
            once.add(wish.once)
        return State.PENDING, ""

    def _await(self, row: _Kept, recorded: dict[str, str]) -> int:
        before = [self._rows[recorded[name]] for name in row.wish.after if name in recorded]
        for each in before:
            if each.state not in FREES_DEPENDENTS:
                each.frees.append(row.id)
                row.waits += 1
        return row.waits

    def claim(self, row_id: str, *, owner: str, lease: timedelta) -> Claim | Refusal:
        with self._lock:
            row = self._rows.get(row_id)
            if not row:
                return Refusal(reason="no such row")
            if row.state is State.LEASED and row.owner == owner:
                return self._granted(row)
            reason = self._unclaimable(row) or self._superseded(row) or self._lane_busy(row, lease)
            if reason:
                return Refusal(reason=reason)
            row.was = self._state_left_behind(row)
            row.fence += 1
            row.state, row.owner, row.lease_until = State.LEASED, owner, self._now() + lease
            self._due[row_id] = row.lease_until
            return self._granted(row)

    def _unclaimable(self, row: _Kept) -> str | None:
        if row.state is State.LEASED:
            return "leased" if row.lease_until and row.lease_until > self._now() else None
        if row.state not in {State.PENDING, State.PERFORMED, State.UNKNOWN}:
            return str(row.state)
        return "not due" if row.next_at and row.next_at > self._now() else None

    def _superseded(self, row: _Kept) -> str | None:
        if self._state_left_behind(row, peek=True) is State.PENDING and self._is_superseded(row):
            self._enter(row, State.CANCELLED, "superseded by a later release")
            self._free_dependents(row, [])
            return "cancelled"
        return None

    def _is_superseded(self, row: _Kept) -> bool:
        return row.wish.verb == "isolate" and row.epoch < self._releases.get((row.customer, row.wish.lane or ""), 0)

    def _lane_busy(self, row: _Kept, lease: timedelta) -> str | None:
        if not row.wish.lane:
            return None
        key = (row.customer, row.wish.lane)
        holder, until = self._lanes.get(key, ("", self._now()))
        if holder and holder != row.id and until > self._now():
            queue = self._lane_queues.setdefault(key, [])
            if row.id not in queue:
                queue.append(row.id)
            return "endpoint busy"
        self._lanes[key] = (row.id, self._now() + lease)
        return None

    def _state_left_behind(self, row: _Kept, *, peek: bool = False) -> State:
        if row.state is not State.LEASED:
            return row.state
        if not peek:
            row.crashes += 1
            self._note(row.customer, row.threat, row.id, "lease expired: its worker was lost")
        return State.UNKNOWN if row.was is State.PENDING and row.begun else row.was

    def _granted(self, row: _Kept) -> Claim:
        return Claim(
            row_id=row.id,
            customer=row.customer,
            threat_id=row.threat,
            kind=row.wish.kind,
            order=row.wish.order,
            was=row.was,
            fence=row.fence,
            attempts=row.attempts,
            looks=row.looks,
            crashes=row.crashes,
            generation=row.generation,
            receipt=row.receipt,
            is_late=row.deadline < self._now(),
            is_approved=row.is_approved,
        )

    def begin(self, claim: Claim, *, most_isolations: int | None) -> Refusal | None:
        with self._lock:
            row = self._rows[claim.row_id]
            if not self._is_ours(claim, row) or row.lease_until < self._now() + self._least_remaining:  # type: ignore[operator]
                return Refusal(reason="stale")
            if row.cancel or self._is_superseded(row):
                self._leave(row, State.CANCELLED, row.cancel or "superseded by a later release", [])
                return Refusal(reason="cancelled")
            held = self._paused_by(row) or self._blast_radius(row, most_isolations)
            if held:
                row.held_by, reason = held
                self._leave(row, State.HELD, reason, [])
                return Refusal(reason="held")
            row.begun, row.begun_at = True, self._now()
            return None

    def _paused_by(self, row: _Kept) -> tuple[str, str] | None:
        paused = self._paused.get(row.customer, {})
        scopes = ("*", f"edr:{row.wish.edr}", f"verb:{row.wish.verb}")
        scope = next((each for each in scopes if each in paused), None)
        return (scope, f"paused ({scope}): {paused[scope]}") if scope else None

    def _blast_radius(self, row: _Kept, most: int | None) -> tuple[str, str] | None:
        if row.wish.verb != "isolate" or most is None:
            return None
        counted = self._isolations.setdefault(row.customer, {})
        for name in [name for name, at in counted.items() if at <= self._now() - HOUR]:
            del counted[name]
        if row.id not in counted and not row.is_approved and len(counted) >= most:
            return "guard", f"blast radius: {most} isolations in the last hour; a TRE decides"
        counted[row.id] = self._now()
        return None

    def conclude(self, claim: Claim, finding: Finding) -> list[Ring]:
        with self._lock:
            row = self._rows[claim.row_id]
            if not self._is_ours(claim, row):
                raise StaleClaim(claim.row_id)
            to, reason = finding.state, finding.reason
            if to is State.PENDING and row.cancel:
                to, reason = State.CANCELLED, row.cancel
            self._keep(row, finding, to)
            rings: list[Ring] = []
            if to is row.was and reason == row.reason:
                row.state, row.lease_until = to, None
                self._leave_lane(row, rings)
            else:
                self._leave(row, to, reason, rings)
            if to not in TERMINAL and to is not State.HELD:
                self._due[row.id] = row.next_at = self._now() + finding.after
            return rings

    def _keep(self, row: _Kept, finding: Finding, to: State) -> None:
        row.receipt = row.receipt if finding.receipt is None else finding.receipt
        row.reference = finding.reference or row.reference
        row.evidence = finding.evidence or row.evidence
        row.attempts += finding.counts
        if to is State.PERFORMED:
            row.performed_at = row.performed_at or self._now()
            row.looks += 1
        if to is State.PENDING:
            row.begun = False
        if to is State.HELD:
            row.held_by = "guard"

    def _is_ours(self, claim: Claim, row: _Kept) -> bool:
        return row.state is State.LEASED and row.fence == claim.fence

    def _enter(self, row: _Kept, to: State, reason: str, was: str | None = None) -> None:
        left = was or (row.was if row.state is State.LEASED else row.state)
        row.state, row.reason = to, reason
        if to in TERMINAL:
            row.settled_at = self._now()
        if to in TERMINAL or to is State.HELD:
            self._due.pop(row.id, None)
        self._note(row.customer, row.threat, row.id, f"{left} -> {to}" + (f": {reason}" if reason else ""))

    def _leave(self, row: _Kept, to: State, reason: str, rings: list[Ring]) -> None:
        self._enter(row, to, reason)
        row.lease_until = None
        self._leave_lane(row, rings)
        if to in FREES_DEPENDENTS:
            self._free_dependents(row, rings)

    def _leave_lane(self, row: _Kept, rings: list[Ring]) -> None:
        key = (row.customer, row.wish.lane or "")
        if self._lanes.get(key, ("", None))[0] != row.id:
            return
        del self._lanes[key]
        queue = self._lane_queues.get(key)
        if queue:
            rings.append(self._ring(queue.pop(0)))

    def _free_dependents(self, row: _Kept, rings: list[Ring]) -> None:
        for other in [self._rows[name] for name in row.frees]:
            other.waits -= 1
            if other.waits <= 0 and other.state is State.WAITING:
                self._enter(other, State.PENDING, "")
                self._due[other.id] = other.next_at = self._now()
                rings.append(self._ring(other.id))
        row.frees.clear()

    def requeue(self, row_id: str, *, by: str, life: timedelta) -> Ring | Refusal:
        with self._lock:
            row = self._rows.get(row_id)
            if not row:
                return Refusal(reason="no such row")
            if row.state not in {State.FAILED, State.HELD}:
                return Refusal(reason=f"is {row.state}: only failed or held rows can be requeued")
            if row.state is State.FAILED:
                row.generation += 1
                row.settled_at = row.performed_at = row.begun_at = None
                row.cancel = ""
                row.epoch = self._releases.get((row.customer, row.wish.lane or ""), 0)
            else:
                row.is_approved = True
            row.attempts = row.crashes = row.looks = 0
            row.begun, row.receipt, row.deadline = False, "", self._now() + life
            self._enter(row, State.PENDING, f"requeued by {by}")
            self._due[row_id] = row.next_at = self._now()
            return self._ring(row_id)

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        with self._lock:
            dossier = self._threats.get((customer, threat_id))
            names = dossier.rows if dossier else []
            settled = TERMINAL | {State.HELD}
            return [self._ring(name) for name in names if self._rows[name].state not in settled]

    def due(self, limit: int, again: timedelta) -> list[Ring]:
        with self._lock:
            ripe = sorted((at, name) for name, at in self._due.items() if at <= self._now())[:limit]
            for _, name in ripe:
                self._due[name] = self._now() + again
            return [self._ring(name) for _, name in ripe]

    def _ring(self, name: str) -> Ring:
        if name in self._events:
            return Ring(id=name, queue=Queue.RESPOND, label=f"plan {name.partition(':')[2]}")
        wish = self._rows[name].wish
        return Ring(id=name, queue=wish.queue, label=wish.label, lane=wish.lane or "")

    def tick(self, name: str, window: timedelta) -> bool:
        with self._lock:
            if self._ticks.get(name, self._now()) > self._now():
                return False
            self._ticks[name] = self._now() + window
            return True

    def pause(self, customer: str, scope: str, reason: str) -> None:
        with self._lock:
            self._paused.setdefault(customer, {})[scope] = reason

    def resume(self, customer: str, scope: str) -> list[Ring]:
        with self._lock:
            self._paused.get(customer, {}).pop(scope, None)
            held = [r for r in self._rows.values() if r.customer == customer and r.state is State.HELD and r.held_by == scope]
            for row in held:
                self._enter(row, State.PENDING, "resumed")
                self._due[row.id] = row.next_at = self._now()
            return [self._ring(row.id) for row in held]

    def pauses(self, customer: str) -> dict[str, str]:
        with self._lock:
            return dict(self._paused.get(customer, {}))

    def knows(self, customer: str, once_prefix: str) -> set[str]:
        with self._lock:
            return {key for key in self._once.get(customer, set()) if key.startswith(once_prefix)}

    def forget(self, customer: str, once_keys: Iterable[str]) -> None:
        with self._lock:
            self._once.setdefault(customer, set()).difference_update(once_keys)

    def customers(self) -> list[str]:
        with self._lock:
            return sorted({customer for customer, _ in self._threats} | set(self._paused))

    def threats(self, customer: str, *, since: datetime, limit: int) -> list[ThreatRecord]:
        with self._lock:
            mine = [(d.accepted_at, name) for (owner, name), d in self._threats.items() if owner == customer]
            newest = sorted(((at, name) for at, name in mine if at >= since), reverse=True)[:limit]
            return [self._record(customer, name, with_timeline=False) for _, name in newest]

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        with self._lock:
            known = (customer, threat_id) in self._threats
            return self._record(customer, threat_id, with_timeline=True) if known else None

    def _record(self, customer: str, name: str, *, with_timeline: bool) -> ThreatRecord:
        dossier = self._threats[customer, name]
        return ThreatRecord(
            customer=customer,
            id=name,
            threat=dossier.threat,
            accepted_at=dossier.accepted_at,
            closed=dossier.closed,
            timeline=tuple(dossier.timeline) if with_timeline else (),
        )

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        with self._lock:
            dossier = self._threats.get((customer, threat_id))
            return [self._row(self._rows[name]) for name in dossier.rows] if dossier else []

    def row(self, row_id: str) -> Row | None:
        with self._lock:
            found = self._rows.get(row_id)
            return self._row(found) if found else None

    def _row(self, row: _Kept) -> Row:
        wish = row.wish
        return Row(
            id=row.id,
            customer=row.customer,
            threat_id=row.threat,
            kind=wish.kind,
            verb=wish.verb,
            edr=wish.edr,
            subject=wish.subject,
            label=wish.label,
            queue=wish.queue,
            state=row.state,
            reason=row.reason,
            evidence=row.evidence,
            reference=row.reference,
            lane=wish.lane,
            attempts=row.attempts,
            generation=row.generation,
            created_at=row.created_at,
            begun_at=row.begun_at,
            performed_at=row.performed_at,
            settled_at=row.settled_at,
            next_attempt_at=row.next_at,
            deadline=row.deadline,
        )

    def _note(self, customer: str, threat: str, row: str, text: str) -> None:
        dossier = self._threats[customer, threat]
        dossier.timeline.append(TimelineEntry(at=self._now(), row=row, text=text))
