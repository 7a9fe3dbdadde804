"""A row moves to another state: what is noted, what is due, what it frees, and what comes in again as an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...domain.events import ActionStopped, DeliveryFailed
from ...domain.notifications import load_delivery
from ...domain.states import TERMINAL, State

if TYPE_CHECKING:
    from ...domain.scores import Ring
    from .intake import Intake
    from .kept import KeptRow
    from .store import Store


class Moves:
    """The moves that every part makes alike."""

    def __init__(self, store: Store, intake: Intake) -> None:
        self._store, self._intake = store, intake

    def enter(self, row: KeptRow, to: State, reason: str, was: str | None = None) -> None:
        """The move itself; a lease is noted as the state that it was taken from."""
        store, left = self._store, was or (row.was if row.state is State.LEASED else row.state)
        row.state, row.reason = to, reason
        if to in TERMINAL:
            row.settled_at = store.now()
        if to in TERMINAL or to is State.HELD:
            store.due.pop(row.id, None)
        store.note(row.customer, row.threat, row.id, f"{left} -> {to}" + (f": {reason}" if reason else ""))
        if to in {State.FAILED, State.HELD}:
            self._raise(row, to, reason)

    def make_pending(self, row: KeptRow, reason: str) -> None:
        """To be done at once."""
        self.enter(row, State.PENDING, reason)
        self._store.due[row.id] = row.next_at = self._store.now()

    def free_dependents(self, row: KeptRow) -> list[Ring]:
        """Rows that waited for it, and for nothing else, can be rung."""
        freed = []
        for other in [self._store.rows[name] for name in row.frees]:
            other.waits -= 1
            if other.waits <= 0 and other.state is State.WAITING:
                self.make_pending(other, "")
                freed.append(self._store.ring(other.id))
        row.frees.clear()
        return freed

    def _raise(self, row: KeptRow, to: State, reason: str) -> None:
        """What matters comes in again as an event, once per generation of the row: see `raise` in `../scripts/00_common.lua`."""
        wish, name = row.wish, re.sub(r"[^\w.-]", "-", row.id.partition(":")[2])
        about: dict[str, Any] = {
            "id": f".{to}-{name}-{row.generation}" + (f"-{row.held_by}" if to is State.HELD else ""),
            "customer": row.customer,
            "occurred_at": self._store.now(),
            "threat_ref": row.threat,
            "threat": self._store.threats[row.customer, row.threat].threat,
            "reason": reason,
        }
        if wish.kind == "action" and (to is State.FAILED or row.is_held_by_guard):
            self._intake.bring(ActionStopped(verb=wish.verb, subject=wish.subject, state=to.value, **about))
        elif wish.has_fallback and to is State.FAILED:
            self._intake.bring(DeliveryFailed(delivery=load_delivery(wish.order), **about))
