"""The plan of an event, written down: its rows placed, named and made to wait, and what the event calls off cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...domain.states import FREES_DEPENDENTS, TERMINAL, State
from .kept import KeptRow, Release

if TYPE_CHECKING:
    from collections.abc import Container

    from ...domain.events import Event
    from ...domain.rows import EventPlan, NewRow
    from ...domain.scores import Ring
    from .kept import Dossier
    from .moves import Moves
    from .store import Store


class Planning:
    """`grace` is how long a ring may take before the sweep rings again."""

    def __init__(self, store: Store, moves: Moves, grace: timedelta) -> None:
        self._store, self._moves, self._grace = store, moves, grace

    def record(self, plan: EventPlan, unrung: Container[str]) -> list[Ring] | None:
        """See `ports.Ledger`."""
        event = plan.event
        store, ref = self._store, f"{event.customer}:event/{event.id}"
        found = store.events.get(ref)
        if not found or found.state != "accepted":
            return None
        if plan.closes:
            self._close(event, plan.closes)
        store.threats[event.customer, event.threat_id].is_packed = False
        recorded: dict[str, str] = {}
        for row in plan.rows:
            self._place(event, row, recorded, timedelta() if row.queue in unrung else self._grace)
        found.state = "planned"
        store.due.pop(ref, None)
        store.note(event.customer, event.threat_id, f"event/{event.id}", "planned")
        return store.unsettled(event.customer, event.threat_id)

    def _close(self, event: Event, reason: str) -> None:
        """A row that other threats share goes over to the first of them; the rest is called off."""
        dossier = self._store.threats[event.customer, event.threat_id]
        dossier.closed, dossier.closed_at = reason, event.occurred_at
        for row in [self._store.rows[name] for name in dossier.rows]:
            if row.threat != event.threat_id:
                row.shared = [each for each in row.shared if each != event.threat_id]
            elif row.shared:
                row.threat = row.shared.pop(0)
                self._store.note(row.customer, row.threat, row.id, f"taken over from threat {event.threat_id}")
            elif row.wish.kind == "action" and row.wish.verb != "release":
                self._cancel(row, reason)

    def _cancel(self, row: KeptRow, reason: str) -> None:
        """At once, or by whoever works on it."""
        if row.state in {State.WAITING, State.PENDING, State.HELD}:
            self._moves.enter(row, State.CANCELLED, reason)
            self._moves.free_dependents(row)
        elif row.state not in TERMINAL:
            row.cancel = reason

    def _place(self, event: Event, wish: NewRow, recorded: dict[str, str], grace: timedelta) -> None:
        """`recorded` gathers under which name each wish of the plan is kept."""
        store, epoch = self._store, self._epoch_of(event.customer, wish)
        name, is_new = self._name_of(event, wish)
        recorded[wish.id] = name
        if not is_new:
            return
        row = KeptRow(
            name,
            wish,
            event.customer,
            event.threat_id,
            store.now(),
            store.now() + wish.life,
            epoch,
        )
        store.rows[name] = row
        dossier = store.threats[event.customer, event.threat_id]
        dossier.rows.append(name)
        state, reason = self._first_state(event, wish, dossier)
        if state is State.PENDING and self._await(row, recorded):
            row.state = State.WAITING
            store.note(row.customer, row.threat, row.id, "waiting")
            return
        self._moves.enter(row, state, reason, was="new")
        if state is State.PENDING:
            row.next_at = store.now() + wish.wait
            store.due[name] = store.now() + max(grace, wish.wait)

    def _name_of(self, event: Event, wish: NewRow) -> tuple[str, bool]:
        """Under which name the wish is kept, and whether that is new: a row that does the same is shared."""
        rows = self._store.rows
        first = rows.get(wish.id)
        if not first:
            return wish.id, True
        latest = rows[first.latest or wish.id]
        dossier = self._store.threats[event.customer, event.threat_id]
        is_over = latest.state in TERMINAL
        if latest.id in dossier.rows and not (is_over and wish.verb == "release"):
            return latest.id, False
        if not is_over:
            dossier.rows.append(latest.id)
            latest.shared.append(event.threat_id)
            self._store.note(event.customer, event.threat_id, latest.id, f"shared with threat {latest.threat}")
            return latest.id, False
        first.generations += 1
        first.latest = f"{wish.id}.{first.generations}"
        return first.latest, True

    def _epoch_of(self, customer: str, wish: NewRow) -> int:
        """A release begins a new one."""
        if wish.lane and wish.verb == "release":
            known = self._store.releases.setdefault((customer, wish.lane), Release())
            known.generation, known.asked_by = known.generation + 1, wish.asked_by or known.asked_by
        return self._store.epoch(customer, wish.lane)

    def _first_state(self, event: Event, wish: NewRow, dossier: Dossier) -> tuple[State, str]:
        if wish.state is State.SKIPPED:
            return State.SKIPPED, wish.reason
        is_closed = dossier.closed_at is not None and event.occurred_at <= dossier.closed_at
        if wish.kind == "action" and wish.verb != "release" and is_closed:
            return State.CANCELLED, dossier.closed
        once = self._store.once.setdefault(event.customer, set())
        if wish.once and wish.once in once:
            return State.SKIPPED, "already told"
        if wish.once:
            once.add(wish.once)
        return State.PENDING, ""

    def _await(self, row: KeptRow, recorded: dict[str, str]) -> int:
        """For how many rows it waits."""
        before = [self._store.rows[recorded[name]] for name in row.wish.after if name in recorded]
        for each in before:
            if each.state not in FREES_DEPENDENTS:
                each.frees.append(row.id)
                row.waits += 1
        return row.waits
