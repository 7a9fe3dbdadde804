"""What people decide: to try again, to say what became of a delivery, and to close and open the kill switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.rows import Refusal
from ...domain.states import State

if TYPE_CHECKING:
    from datetime import timedelta

    from ...domain.scores import Ring
    from .guards import Guards
    from .kept import KeptRow
    from .moves import Moves
    from .store import Store


class Decisions:
    """Rows that nobody works on are moved at once."""

    def __init__(self, store: Store, moves: Moves, guards: Guards) -> None:
        self._store, self._moves, self._guards = store, moves, guards

    def requeue(self, row_id: str, by: str, life: timedelta) -> Ring | Refusal:
        """See `ports.Ledger`."""
        row = self._store.rows.get(row_id)
        if not row:
            return Refusal(reason="no such row")
        refusal = self._refusal(row)
        if refusal:
            return Refusal(reason=refusal)
        if row.state is State.FAILED:
            row.generation += 1
            row.settled_at = row.performed_at = row.begun_at = row.looked_at = None
            row.cancel, row.approved = "", frozenset()
        elif row.is_held_by_guard:
            row.approved |= {row.held_by}
        row.attempts = row.crashes = row.looks = 0
        row.begun, row.receipt, row.deadline = False, "", self._store.now() + life
        self._moves.make_pending(row, f"requeued by {by}")
        return self._store.ring(row_id)

    def _refusal(self, row: KeptRow) -> str:
        released = self._guards.released_since(row)
        if released:
            if row.state is State.HELD:
                self._moves.enter(row, State.CANCELLED, released)
            return f"is older than the release: the endpoint was {released}"
        if row.state not in {State.FAILED, State.HELD}:
            return f"is {row.state}: only failed or held rows can be requeued"
        paused = row.state is State.HELD and not row.is_held_by_guard and self._guards.paused_by(row)
        return f"is held by the kill switch ({paused.held_by}): `arctl resume` brings it back" if paused else ""

    def resolve(self, row_id: str, by: str, *, was_sent: bool) -> list[Ring] | Refusal:
        """See `ports.Ledger`."""
        row = self._store.rows.get(row_id)
        if not row:
            return Refusal(reason="no such row")
        if row.wish.kind == "action":
            return Refusal(reason="is an action: its EDR is looked at instead")
        if row.state is not State.UNKNOWN:
            return Refusal(reason=f"is {row.state}: only unknown deliveries can be resolved")
        if was_sent:
            self._moves.enter(row, State.DONE, f"said to have been sent by {by}")
            return []
        row.begun_at = row.looked_at = None
        row.begun, row.attempts, row.crashes = False, 0, 0
        row.deadline = self._store.now() + row.wish.life
        self._moves.make_pending(row, f"to be sent again, says {by}")
        return [self._store.ring(row_id)]

    def pause(self, customer: str | None, scope: str, reason: str) -> None:
        """See `ports.Ledger`."""
        self._store.paused.setdefault(customer, {})[scope] = reason

    def resume(self, customer: str | None, scope: str) -> list[Ring]:
        """See `ports.Ledger`."""
        self._store.paused.get(customer, {}).pop(scope, None)
        held_by = scope if customer else f"everyone {scope}"
        rows = self._store.rows.values()
        held = [row for row in rows if customer in {None, row.customer} and row.state is State.HELD and row.held_by == held_by]
        for row in held:
            self._moves.make_pending(row, "resumed")
        return [self._store.ring(row.id) for row in held]
