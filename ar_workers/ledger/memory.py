"""The ledger in a dict: the same promises as Redis within one process, for tests and for trying things out."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any

from ..domain.events import ActionStopped, DeliveryFailed
from ..domain.notifications import load_delivery
from ..domain.rows import Acceptance, Claim, Refusal, Row, Seat, ThreatRecord, TimelineEntry
from ..domain.scores import Queue, Ring
from ..domain.states import FREES_DEPENDENTS, TERMINAL, State
from .kept import Dossier, Incoming, KeptRow, Lane, Window
from .remotes import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from ..domain.events import Event
    from ..domain.limits import Limits
    from ..domain.notifications import Delivery, Digest
    from ..domain.rows import Finding, NewRow

HOUR = timedelta(hours=1)
URGENT = frozenset({"isolate", "release"})
MOST_PLANNING_ATTEMPTS = 20
#: A queue may have room again after this, and what a lost worker held may find its endpoint free.
SOON = timedelta(seconds=2)


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
        self._now, self._grace, self._least_remaining, self._most_visits = now, grace, least_remaining, most_visits
        self._lock = RLock()
        self._events: dict[str, Incoming] = {}
        self._threats: dict[tuple[str, str], Dossier] = {}
        self._rows: dict[str, KeptRow] = {}
        self._due: dict[str, datetime] = {}
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._lane_queues: dict[tuple[str, str], list[str]] = {}
        self._releases: dict[tuple[str, str], int] = {}
        self._isolations: dict[str, dict[str, datetime]] = {}
        self._paused: dict[str, dict[str, str]] = {}
        self._once: dict[str, set[str]] = {}
        self._ticks: dict[str, datetime] = {}
        self._windows: dict[tuple[str, str], Window] = {}
        self._cursors: dict[tuple[str, str], str] = {}

    def accept(self, events: Sequence[Event], *, unrung: Container[str] = ()) -> list[Acceptance]:
        with self._lock:
            return [self._accept(event, timedelta() if event.customer in unrung else self._grace) for event in events]

    def outstanding(self, customer: str) -> int:
        with self._lock:
            return sum(name.startswith(f"{customer}:") for name in self._due)

    def _accept(self, event: Event, grace: timedelta) -> Acceptance:
        ref = f"{event.customer}:event/{event.id}"
        known = self._events.get(ref)
        if known:
            return Acceptance.DUPLICATE if known.event.digest == event.digest else Acceptance.CONFLICT
        self._events[ref] = Incoming(event)
        self._due[ref] = self._now() + grace
        dossier = self._threats.setdefault((event.customer, event.threat_id), Dossier(self._now()))
        dossier.threat = getattr(event, "threat", None) or dossier.threat
        self._note(event.customer, event.threat_id, f"event/{event.id}", "accepted" + (f": {event.remark}" if event.remark else ""))
        return Acceptance.NEW

    def events(self, refs: Sequence[str]) -> list[Event | None]:
        with self._lock:
            found = (self._events.get(ref) for ref in refs)
            return [each.event if each and each.state == "accepted" else None for each in found]

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

    def record(self, event: Event, rows: Sequence[NewRow], *, closes: str | None, unrung: Container[str] = ()) -> list[Ring] | None:
        with self._lock:
            ref = f"{event.customer}:event/{event.id}"
            found = self._events.get(ref)
            if not found or found.state != "accepted":
                return None
            if closes:
                self._close(event, closes)
            self._threats[event.customer, event.threat_id].is_packed = False
            recorded: dict[str, str] = {}
            for row in rows:
                self._place(event, row, recorded, timedelta() if row.queue in unrung else self._grace)
            found.state = "planned"
            self._due.pop(ref, None)
            self._note(event.customer, event.threat_id, f"event/{event.id}", "planned")
            return self.unsettled(event.customer, event.threat_id)

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

    def _cancel(self, row: KeptRow, reason: str) -> None:
        if row.state in {State.WAITING, State.PENDING, State.HELD}:
            self._enter(row, State.CANCELLED, reason)
            self._free_dependents(row, [])
        elif row.state not in TERMINAL:
            row.cancel = reason

    def _place(self, event: Event, wish: NewRow, recorded: dict[str, str], grace: timedelta) -> None:
        epoch = self._epoch_of(event.customer, wish)
        name, is_new = self._name_of(event, wish)
        recorded[wish.id] = name
        if not is_new:
            return
        row = KeptRow(
            name,
            wish,
            event.customer,
            event.threat_id,
            self._now(),
            self._now() + wish.life,
            epoch,
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
            row.next_at = self._now() + wish.wait
            self._due[name] = self._now() + max(grace, wish.wait)

    def _name_of(self, event: Event, wish: NewRow) -> tuple[str, bool]:
        first = self._rows.get(wish.id)
        if not first:
            return wish.id, True
        latest = self._rows[first.latest or wish.id]
        dossier = self._threats[event.customer, event.threat_id]
        is_over = latest.state in TERMINAL
        if latest.id in dossier.rows and not (is_over and wish.verb == "release"):
            return latest.id, False
        if not is_over:
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

    def _first_state(self, event: Event, wish: NewRow, dossier: Dossier) -> tuple[State, str]:
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

    def _await(self, row: KeptRow, recorded: dict[str, str]) -> int:
        before = [self._rows[recorded[name]] for name in row.wish.after if name in recorded]
        for each in before:
            if each.state not in FREES_DEPENDENTS:
                each.frees.append(row.id)
                row.waits += 1
        return row.waits

    def claim(self, row_ids: Sequence[str], *, owner: str, lease: timedelta, most_isolations: int | None) -> list[Claim | Refusal]:
        with self._lock:
            return [self._claim(row_id, owner, lease, most_isolations) for row_id in row_ids]

    def _claim(self, row_id: str, owner: str, lease: timedelta, most: int | None) -> Claim | Refusal:
        row = self._rows.get(row_id)
        if not row:
            return Refusal(reason="no such row")
        if row.state is State.LEASED and row.owner == owner:
            return self._granted(row)
        reason = self._unclaimable(row) or self._lane_busy(row, owner) or self._remote_closed(row, owner) or self._hindered(row, most)
        if reason:
            return Refusal(reason=reason)
        row.was = self._state_left_behind(row)
        self._take(row, owner, lease)
        return self._granted(row)

    def _take(self, row: KeptRow, owner: str, lease: timedelta) -> None:
        until = self._now() + lease
        if row.wish.lane:
            lane = self._lanes.setdefault((row.customer, row.wish.lane), Lane(owner, 0, until))
            lane.held, lane.until = lane.held + 1, until
        if row.wish.remote:
            self._remote(row).admit(owner, self._now(), lease, urgent=row.wish.verb in URGENT)
        if row.was is State.PENDING:
            row.begun, row.begun_at = True, self._now()
        row.fence += 1
        row.state, row.owner, row.lease_until = State.LEASED, owner, until
        self._due[row.id] = until

    def _remote(self, row: KeptRow) -> Remote:
        return self._remotes.setdefault((row.customer, row.wish.remote), Remote(row.wish.remote))

    def _remote_closed(self, row: KeptRow, owner: str) -> str | None:
        if not row.wish.remote:
            return None
        remote, urgent = self._remote(row), row.wish.verb in URGENT
        wait, why = remote.wait(self._now(), urgent=urgent)
        if wait:
            if row.state is not State.LEASED:
                self._put_off(row, wait, why)
            return why
        if remote.is_full(owner, self._now(), self._most_visits, urgent=urgent):
            remote.queue[urgent].setdefault(row.id)
            if row.state is State.LEASED:
                remote.queue[urgent].move_to_end(row.id, last=False)
            return f"{row.wish.remote} busy"
        return None

    def _put_off(self, row: KeptRow, wait: timedelta, why: str) -> None:
        row.reason = why
        row.next_at = self._remote(row).turn(self._now(), wait, urgent=row.wish.verb in URGENT)
        self._due[row.id] = row.next_at

    def _hindered(self, row: KeptRow, most: int | None) -> str | None:
        """What was never begun is cleared for its write by the claim, or moved where it belongs."""
        if self._state_left_behind(row, peek=True) is not State.PENDING:
            return None
        found = self._hindrance(row, most)
        if found:
            to, reason, row.held_by = found
            self._enter(row, to, reason)
            self._free_dependents(row, [])
            return str(to)
        return None

    def _hindrance(self, row: KeptRow, most: int | None) -> tuple[State, str, str] | None:
        if row.cancel or self._is_superseded(row):
            return State.CANCELLED, row.cancel or "superseded by a later release", ""
        held = self._paused_by(row) or self._blast_radius(row, most)
        return (State.HELD, held[1], held[0]) if held else None

    def _unclaimable(self, row: KeptRow) -> str | None:
        if row.state is State.LEASED:
            return "leased" if row.lease_until and row.lease_until > self._now() else None
        if row.state not in {State.PENDING, State.PERFORMED, State.UNKNOWN}:
            return str(row.state)
        return "not due" if row.next_at and row.next_at > self._now() else None

    def _is_superseded(self, row: KeptRow) -> bool:
        return row.wish.verb == "isolate" and row.epoch < self._releases.get((row.customer, row.wish.lane or ""), 0)

    def _lane_busy(self, row: KeptRow, owner: str) -> str | None:
        key = (row.customer, row.wish.lane or "")
        lane = self._lanes.get(key)
        if lane and lane.until <= self._now():
            del self._lanes[key]
        elif lane and lane.owner != owner:
            queue = self._lane_queues.setdefault(key, [])
            if row.id not in queue:
                queue.insert(0 if row.state is State.LEASED else len(queue), row.id)
            return "endpoint busy"
        return None

    def _state_left_behind(self, row: KeptRow, *, peek: bool = False) -> State:
        if row.state is not State.LEASED:
            return row.state
        if not peek:
            row.crashes += 1
            self._note(row.customer, row.threat, row.id, "lease expired: its worker was lost")
        return State.UNKNOWN if row.was is State.PENDING and row.begun else row.was

    def _granted(self, row: KeptRow) -> Claim:
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
            is_cleared=row.was is State.PENDING,
            thread=self._threats[row.customer, row.threat].threads.get(row.wish.remote, "") if row.wish.kind == "delivery" else "",
            unseen_for=self._now() - (row.looked_at or row.begun_at or self._now()),
        )

    def begin(self, claim: Claim, *, most_isolations: int | None) -> Refusal | None:
        with self._lock:
            row = self._rows[claim.row_id]
            if not self._is_ours(claim, row) or row.lease_until < self._now() + self._least_remaining:  # type: ignore[operator]
                return Refusal(reason="stale")
            found = self._hindrance(row, most_isolations)
            if found:
                to, reason, row.held_by = found
                self._leave(row, to, reason, [])
                return Refusal(reason=str(to))
            row.begun, row.begun_at = True, self._now()
            return None

    def _paused_by(self, row: KeptRow) -> tuple[str, str] | None:
        if not row.wish.edr:  # a delivery: people go on being told
            return None
        paused = self._paused.get(row.customer, {})
        scopes = ("*", f"edr:{row.wish.edr}", f"verb:{row.wish.verb}")
        scope = next((each for each in scopes if each in paused), None)
        return (scope, f"paused ({scope}): {paused[scope]}") if scope else None

    def _blast_radius(self, row: KeptRow, most: int | None) -> tuple[str, str] | None:
        if row.wish.verb != "isolate" or most is None:
            return None
        counted = self._isolations.setdefault(row.customer, {})
        for name in [name for name, at in counted.items() if at <= self._now() - HOUR]:
            del counted[name]
        if row.id not in counted and not row.is_approved and len(counted) >= most:
            return "guard", f"blast radius: {most} isolations in the last hour; a TRE decides"
        counted[row.id] = self._now()
        return None

    def conclude(self, visits: Sequence[tuple[Claim, Finding]]) -> list[list[Ring] | None]:
        with self._lock:
            return [self._conclude(claim, finding) for claim, finding in visits]

    def _conclude(self, claim: Claim, finding: Finding) -> list[Ring] | None:
        row = self._rows[claim.row_id]
        if not self._is_ours(claim, row):
            return None
        if row.wish.remote:
            self._remote(row).judge(self._now(), finding.health)
            self._remote(row).stay_away(self._now(), finding.stay_away)
        to, reason = finding.state, finding.reason
        if to is State.PENDING and row.cancel:
            to, reason = State.CANCELLED, row.cancel
        self._keep(row, finding, to)
        rings: list[Ring] = []
        if to is row.was and reason == row.reason:
            row.state, row.lease_until = to, None
            self._let_go(row, rings)
        else:
            self._leave(row, to, reason, rings)
        if to not in TERMINAL and to is not State.HELD:
            self._due[row.id] = row.next_at = self._now() + finding.after
        return rings

    def renew(self, claims: Sequence[Claim], lease: timedelta) -> None:
        with self._lock:
            for claim in claims:
                row = self._rows[claim.row_id]
                if self._is_ours(claim, row) and row.lease_until > self._now():  # type: ignore[operator]
                    self._renew(row, self._now() + lease)

    def _renew(self, row: KeptRow, until: datetime) -> None:
        row.lease_until = self._due[row.id] = until
        lane = self._lanes.get((row.customer, row.wish.lane or ""))
        if lane and lane.owner == row.owner:
            lane.until = until
        if row.wish.remote:
            busy = self._remote(row).busy[row.wish.verb in URGENT]
            if row.owner in busy:
                busy[row.owner].until = until

    def limit(self, customer: str, remote: str, limits: Limits) -> None:
        with self._lock:
            self._remotes.setdefault((customer, remote), Remote(remote)).limit(limits, self._now())

    def spend(self, customer: str, remote: str, *, urgent: bool) -> timedelta | None:
        with self._lock:
            found = self._remotes.get((customer, remote))
            return found.spend(self._now(), urgent=urgent) if found else None

    def stay_away(self, customer: str, remote: str, wish: timedelta) -> None:
        with self._lock:
            self._remotes.setdefault((customer, remote), Remote(remote)).stay_away(self._now(), wish)

    def compact(self, before: datetime, limit: int) -> int:
        """Nothing is saved in a dict; what has been packed is only marked."""
        with self._lock:
            ripe = [dossier for dossier in self._threats.values() if not dossier.is_packed and self._is_ripe(dossier, before)]
            for dossier in ripe[:limit]:
                dossier.is_packed = True
            return len(ripe[:limit])

    def _is_ripe(self, dossier: Dossier, before: datetime) -> bool:
        rows = [self._rows[name] for name in dossier.rows]
        return bool(rows) and all(
            row.state in TERMINAL - {State.FAILED} and row.settled_at is not None and row.settled_at <= before for row in rows
        )

    def _keep(self, row: KeptRow, finding: Finding, to: State) -> None:
        row.receipt = row.receipt if finding.receipt is None else finding.receipt
        row.reference = finding.reference or row.reference
        row.evidence = finding.evidence or row.evidence
        row.attempts += finding.counts
        if to is State.PERFORMED:
            row.performed_at = row.performed_at or self._now()
            row.looks += 1
        if to is State.PENDING:
            row.begun, row.looked_at = False, None
        if to is State.UNKNOWN:
            row.looked_at = self._now()
        if to is State.HELD:
            row.held_by = "guard"
        if to is State.DONE and row.wish.kind == "delivery" and finding.reference and not (row.seat and row.seat[0]):
            self._threats[row.customer, row.threat].threads.setdefault(row.wish.remote, finding.reference)
        if row.wish.verb == "isolate" and to in {State.ALREADY, State.SKIPPED}:
            self._isolations.get(row.customer, {}).pop(row.id, None)

    def _is_ours(self, claim: Claim, row: KeptRow) -> bool:
        return row.state is State.LEASED and row.fence == claim.fence

    def _enter(self, row: KeptRow, to: State, reason: str, was: str | None = None) -> None:
        left = was or (row.was if row.state is State.LEASED else row.state)
        row.state, row.reason = to, reason
        if to in TERMINAL:
            row.settled_at = self._now()
        if to in TERMINAL or to is State.HELD:
            self._due.pop(row.id, None)
        self._note(row.customer, row.threat, row.id, f"{left} -> {to}" + (f": {reason}" if reason else ""))
        if to in {State.FAILED, State.HELD}:
            self._raise(row, to, reason)

    def _raise(self, row: KeptRow, to: State, reason: str) -> None:
        """What matters comes in again as an event, once per generation of the row: see `raise` in `scripts/00_common.lua`."""
        wish, name = row.wish, re.sub(r"[^\w.-]", "-", row.id.partition(":")[2])
        about: dict[str, Any] = {
            "id": f".{to}-{name}-{row.generation}",
            "customer": row.customer,
            "occurred_at": self._now(),
            "threat_ref": row.threat,
            "threat": self._threats[row.customer, row.threat].threat,
            "reason": reason,
        }
        if wish.kind == "action" and (to is State.FAILED or row.held_by == "guard"):
            self._bring(ActionStopped(verb=wish.verb, subject=wish.subject, state=to.value, **about))
        elif wish.has_fallback and to is State.FAILED:
            self._bring(DeliveryFailed(delivery=load_delivery(wish.order), **about))

    def _bring(self, event: ActionStopped | DeliveryFailed) -> None:
        if f"{event.customer}:event/{event.id}" not in self._events:
            self._accept(event, timedelta())

    def _leave(self, row: KeptRow, to: State, reason: str, rings: list[Ring]) -> None:
        self._enter(row, to, reason)
        row.lease_until = None
        self._let_go(row, rings)
        if to in FREES_DEPENDENTS:
            self._free_dependents(row, rings)

    def _let_go(self, row: KeptRow, rings: list[Ring]) -> None:
        key = (row.customer, row.wish.lane or "")
        lane = self._lanes.get(key)
        if lane and lane.owner == row.owner:
            lane.held -= 1
            if lane.held <= 0:
                del self._lanes[key]
                self._ring_next(self._lane_queues.get(key, []), rings)
        if row.wish.remote:
            remote, urgent = self._remote(row), row.wish.verb in URGENT
            if remote.dismiss(row.owner, urgent=urgent):
                waiting = list(remote.queue[urgent])
                self._ring_next(waiting, rings)
                remote.queue[urgent] = OrderedDict.fromkeys(waiting)

    def _ring_next(self, queue: list[str], rings: list[Ring]) -> None:
        while queue:
            name = queue.pop(0)
            row = self._rows[name]
            is_held = row.state is State.LEASED and row.lease_until is not None and row.lease_until > self._now()
            if row.state not in TERMINAL and not is_held:
                rings.append(replace(self._ring(name), is_first=True))
                return

    def _free_dependents(self, row: KeptRow, rings: list[Ring]) -> None:
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
                row.settled_at = row.performed_at = row.begun_at = row.looked_at = None
                row.cancel = ""
                row.epoch = self._releases.get((row.customer, row.wish.lane or ""), 0)
            else:
                row.is_approved = True
            row.attempts = row.crashes = row.looks = 0
            row.begun, row.receipt, row.deadline = False, "", self._now() + life
            self._enter(row, State.PENDING, f"requeued by {by}")
            self._due[row_id] = row.next_at = self._now()
            return self._ring(row_id)

    def resolve(self, row_id: str, *, by: str, was_sent: bool) -> list[Ring] | Refusal:
        with self._lock:
            row = self._rows.get(row_id)
            if not row:
                return Refusal(reason="no such row")
            if row.wish.kind == "action":
                return Refusal(reason="is an action: its EDR is looked at instead")
            if row.state is not State.UNKNOWN:
                return Refusal(reason=f"is {row.state}: only unknown deliveries can be resolved")
            if was_sent:
                self._enter(row, State.DONE, f"said to have been sent by {by}")
                return []
            row.begun_at = row.looked_at = None
            row.begun, row.attempts, row.crashes = False, 0, 0
            row.deadline = self._now() + row.wish.life
            self._enter(row, State.PENDING, f"to be sent again, says {by}")
            self._due[row_id] = row.next_at = self._now()
            return [self._ring(row_id)]

    def seat(self, row_id: str, counted: str, digest: Digest) -> Seat | None:
        with self._lock:
            row, now = self._rows[row_id], self._now()
            if row.seat is None:
                row.seat = self._seated(row, counted, digest)
            carrier, ends = row.seat
            return Seat(carrier=carrier, wait=max(timedelta(), ends - now)) if carrier else None

    def _seated(self, row: KeptRow, counted: str, digest: Digest) -> tuple[str, datetime]:
        key, now = (row.customer, counted), self._now()
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._windows[key] = Window(now + digest.within)
        window.count += 1
        if window.count <= digest.more_than:
            return "", now
        window.carrier = window.carrier or row.id
        self._rows[window.carrier].gathered.append(row.id)
        return window.carrier, window.ends

    def gathered(self, row_id: str) -> list[Delivery]:
        with self._lock:
            return [load_delivery(self._rows[name].wish.order) for name in self._rows[row_id].gathered]

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        with self._lock:
            dossier = self._threats.get((customer, threat_id))
            names = dossier.rows if dossier else []
            settled = TERMINAL | {State.HELD}
            return [self._ring(name) for name in names if self._rows[name].state not in settled]

    def due(self, limit: int, again: timedelta, *, room: Mapping[str, int] | None = None) -> list[Ring]:
        with self._lock:
            ripe: dict[str, list[str]] = {}
            for _, name in sorted((at, name) for name, at in self._due.items() if at <= self._now()):
                ripe.setdefault(name.partition(":")[0], []).append(name)
            shares = {queue: max(min(1, number), number // max(1, len(ripe))) for queue, number in (room or {}).items()}
            share = max(1, limit // max(1, len(ripe)))
            rings = [ring for mine in ripe.values() for ring in self._rung(_longest_and_latest(mine, share), again, dict(shares))]
            return sorted(rings, key=lambda ring: not ring.is_first)

    def _rung(self, names: Sequence[str], again: timedelta, room: dict[str, int]) -> Iterator[Ring]:
        for name in names:
            ring = self._ring(name)
            if self._is_rung(name, again, has_room=room.get(ring.queue, 1) > 0):
                yield replace(ring, is_first=name in self._rows and self._rows[name].state is State.LEASED)
                if ring.queue in room:
                    room[ring.queue] -= 1

    def _is_rung(self, name: str, again: timedelta, *, has_room: bool) -> bool:
        row = self._rows.get(name)
        is_held_by_nobody = row is None or row.state is not State.LEASED
        if row and row.wish.remote and is_held_by_nobody:
            remote, urgent = self._remote(row), row.wish.verb in URGENT
            wait, why = remote.wait(self._now(), urgent=urgent)
            if wait:
                self._put_off(row, wait, why)
                return False
            if remote.is_beset(self._now(), self._most_visits, urgent=urgent):
                self._due[name] = self._now() + 4 * again
                return False
        is_soon = not (has_room and is_held_by_nobody)
        self._due[name] = self._now() + (min(again, SOON) if is_soon else again)
        return has_room or not is_held_by_nobody

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

    def cursor(self, customer: str, feed: str) -> str:
        with self._lock:
            return self._cursors.get((customer, feed), "")

    def move_cursor(self, customer: str, feed: str, expected: str, new: str) -> bool:
        with self._lock:
            is_ours = self._cursors.get((customer, feed), "") in {expected, new}
            if is_ours:
                self._cursors[customer, feed] = new
            return is_ours

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

    def _row(self, row: KeptRow) -> Row:
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


def _longest_and_latest(ripe: list[str], share: int) -> list[str]:
    """Half of the share from either end."""
    longest, latest = ripe[: (share + 1) // 2], ripe[(share + 1) // 2 :]
    return longest + latest[::-1][: share // 2]
