"""A worker's visits to rows: claimed, renewed, begun, and concluded with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.rows import Claim, Containment, Refusal
from ...domain.states import FREES_DEPENDENTS, TERMINAL, State

if TYPE_CHECKING:
    from datetime import timedelta

    from ...domain.rows import Finding
    from ...domain.scores import Ring
    from .guards import Guards
    from .kept import KeptRow
    from .moves import Moves
    from .store import Store
    from .turns import Turns


#: What a later release of the endpoint makes of an isolation: it is called off, and nobody is needed for it.
_CALLED_OFF = {State.PENDING, State.PERFORMED, State.UNKNOWN, State.HELD, State.FAILED}


class Visits:
    """`least_remaining` of the lease must be left when a write begins."""

    def __init__(self, store: Store, moves: Moves, turns: Turns, guards: Guards, least_remaining: timedelta) -> None:
        self._store, self._moves, self._turns, self._guards = store, moves, turns, guards
        self._least_remaining = least_remaining

    def claim(self, row_id: str, owner: str, lease: timedelta, most_isolations: int | None) -> Claim | Refusal:
        """Granted only if nothing is against it; what is against it may have moved the row, or put it off."""
        row = self._store.rows.get(row_id)
        if not row:
            return Refusal(reason="no such row")
        if row.state is State.LEASED and row.owner == owner:
            return self._granted(row)
        reason = (
            row.unclaimable(self._store.now())
            or self._turns.lane_busy(row, owner)
            or self._turns.remote_closed(row, owner)
            or self._hindered(row, most_isolations)
        )
        if reason:
            return Refusal(reason=reason)
        is_lost = row.state is State.LEASED
        if is_lost:
            row.crashes += 1
            self._store.note(row.customer, row.threat, row.id, "lease expired: its worker was lost")
        row.was = _left_behind(row)
        self._take(row, owner, lease)
        return self._granted(row, is_lost=is_lost)

    def _hindered(self, row: KeptRow, most_isolations: int | None) -> str | None:
        """What was never begun is cleared for its write by the claim, or moved where it belongs."""
        if _left_behind(row) is not State.PENDING and not self._guards.released_since(row):
            return None
        found = self._guards.hindrance(row, most_isolations)
        if found:
            row.held_by = found.held_by
            self._moves.enter(row, found.to, found.reason)
            self._moves.free_dependents(row)
            return str(found.to)
        return None

    def _take(self, row: KeptRow, owner: str, lease: timedelta) -> None:
        until = self._turns.admit(row, owner, lease)
        if row.was is State.PENDING:
            row.begun, row.begun_at = True, self._store.now()
        row.fence += 1
        row.state, row.owner, row.lease_until = State.LEASED, owner, until
        self._store.due[row.id] = until

    def _granted(self, row: KeptRow, *, is_lost: bool = False) -> Claim:
        now, threads = self._store.now(), self._store.threats[row.customer, row.threat].threads
        return Claim(
            row_id=row.id,
            customer=row.customer,
            threat_id=row.threat,
            kind=row.wish.kind,
            order=row.wish.order,
            verb=row.wish.verb,
            edr=row.wish.edr,
            lane=row.wish.lane or "",
            remote=row.wish.remote,
            was=row.was,
            fence=row.fence,
            attempts=row.attempts,
            looks=row.looks,
            crashes=row.crashes,
            generation=row.generation,
            receipt=row.receipt,
            is_late=row.deadline < now,
            approved=row.approved,
            is_cleared=row.was is State.PENDING,
            is_lost=is_lost,
            thread=threads.get(row.wish.remote, "") if row.wish.kind == "delivery" else "",
            unseen_for=now - (row.looked_at or row.begun_at or now),
        )

    def renew(self, claim: Claim, lease: timedelta) -> None:
        """See `ports.Ledger`."""
        row = self._store.rows[claim.row_id]
        if self._is_ours(claim, row) and row.lease_until > self._store.now():  # type: ignore[operator]
            until = self._store.now() + lease
            row.lease_until = self._store.due[row.id] = until
            self._turns.prolong(row, until)

    def begin(self, claim: Claim, most_isolations: int | None) -> Refusal | None:
        """See `ports.Ledger`."""
        row, now = self._store.rows[claim.row_id], self._store.now()
        if not self._is_ours(claim, row) or row.lease_until < now + self._least_remaining:  # type: ignore[operator]
            return Refusal(reason="stale")
        found = self._guards.hindrance(row, most_isolations)
        if found:
            row.held_by = found.held_by
            for ring in self._leave(row, found.to, found.reason):  # nobody takes these rings: the sweep's next look brings them
                if ring.id in self._store.due:  # what is held is not due
                    self._store.due[ring.id] = now
            return Refusal(reason=str(found.to))
        row.begun, row.begun_at = True, self._store.now()
        return None

    def conclude(self, claim: Claim, finding: Finding) -> list[Ring] | None:
        """See `ports.Ledger`."""
        store, row = self._store, self._store.rows[claim.row_id]
        if not self._is_ours(claim, row):
            return None
        if row.wish.remote:
            remote = store.remote(row.customer, row.wish.remote)
            remote.judge(store.now(), finding.health)
            remote.stay_away(store.now(), finding.stay_away)
        to, reason = finding.state, finding.reason
        called_off = (row.cancel if to is State.PENDING else "") or (self._guards.released_since(row) if to in _CALLED_OFF else "")
        if called_off:
            to, reason = State.CANCELLED, called_off
        self._keep(row, finding, to)
        if to not in TERMINAL and to is not State.HELD:
            store.due[row.id] = row.next_at = store.now() + finding.after
        if to is row.was and reason == row.reason:
            row.state, row.lease_until = to, None
            return self._turns.let_go(row)
        return self._leave(row, to, reason)

    def _keep(self, row: KeptRow, finding: Finding, to: State) -> None:
        """What was found."""
        store = self._store
        row.receipt = row.receipt if finding.receipt is None else finding.receipt
        row.reference = finding.reference or row.reference
        row.evidence = finding.evidence or row.evidence
        row.attempts += finding.counts
        if to is State.PERFORMED:
            row.performed_at = row.performed_at or store.now()
            row.looks += 1
        if to is State.PENDING:
            row.begun, row.looked_at = False, None
        if to is State.UNKNOWN:
            row.looked_at = store.now()
        if to is State.HELD:
            row.held_by = finding.guard or ""
        if to is State.DONE and row.wish.kind == "delivery" and finding.reference and not (row.seat and row.seat[0]):
            store.threats[row.customer, row.threat].threads.setdefault(row.wish.remote, finding.reference)
        if row.wish.verb in {"isolate", "release"} and to in {State.DONE, State.ALREADY}:
            seen = Containment(is_isolated=row.wish.verb == "isolate", at=store.now())
            store.shown[row.customer, row.wish.lane or ""] = seen
        if row.wish.verb == "isolate" and to in {State.ALREADY, State.SKIPPED}:
            store.isolations.get(row.customer, {}).pop(row.id, None)

    def _leave(self, row: KeptRow, to: State, reason: str) -> list[Ring]:
        """What can be rung now."""
        self._moves.enter(row, to, reason)
        row.lease_until = None
        rings = self._turns.let_go(row)
        return rings + self._moves.free_dependents(row) if to in FREES_DEPENDENTS else rings

    def _is_ours(self, claim: Claim, row: KeptRow) -> bool:
        return row.state is State.LEASED and row.fence == claim.fence


def _left_behind(row: KeptRow) -> State:
    """Its state, or that in which a lost worker has left it."""
    if row.state is not State.LEASED:
        return row.state
    return State.UNKNOWN if row.was is State.PENDING and row.begun else row.was
