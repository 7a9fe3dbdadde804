"""Events as they come in: kept once each, and due for planning until they are planned or set aside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...domain.rows import Acceptance
from .kept import Dossier, Incoming

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from ...domain.events import Event
    from .store import Store

MOST_PLANNING_ATTEMPTS = 20


class Intake:
    """`grace` is how long a ring may take before the sweep rings again."""

    def __init__(self, store: Store, grace: timedelta) -> None:
        self._store, self._grace = store, grace

    def accept(self, events: Sequence[Event], unrung: Container[str]) -> list[Acceptance]:
        """From outside."""
        return [self._accept(event, timedelta() if event.customer in unrung else self._grace) for event in events]

    def bring(self, event: Event) -> None:
        """From the ledger itself: nobody rings for it, so that it is due at once."""
        if f"{event.customer}:event/{event.id}" not in self._store.events:
            self._accept(event, timedelta())

    def _accept(self, event: Event, grace: timedelta) -> Acceptance:
        store, ref = self._store, f"{event.customer}:event/{event.id}"
        known = store.events.get(ref)
        if known:
            return Acceptance.DUPLICATE if known.event.digest == event.digest else Acceptance.CONFLICT
        store.events[ref] = Incoming(event)
        store.due[ref] = store.now() + grace
        dossier = store.threats.setdefault((event.customer, event.threat_id), Dossier(store.now()))
        dossier.threat = getattr(event, "threat", None) or dossier.threat
        store.note(event.customer, event.threat_id, f"event/{event.id}", "accepted" + (f": {event.remark}" if event.remark else ""))
        return Acceptance.NEW

    def unplanned(self, refs: Sequence[str]) -> list[Event | None]:
        """What is still to be planned of these."""
        found = (self._store.events.get(ref) for ref in refs)
        return [each.event if each and each.state == "accepted" else None for each in found]

    def failed(self, ref: str, reason: str, after: timedelta) -> None:
        """Planning it failed."""
        store, found = self._store, self._store.events[ref]
        found.attempts += 1
        store.due[ref] = store.now() + after
        if found.attempts >= MOST_PLANNING_ATTEMPTS:
            found.state = "failed"
            del store.due[ref]
        word = "failed" if found.state == "failed" else "planning failed, will be tried again"
        store.note(found.event.customer, found.event.threat_id, ref.partition(":")[2], f"{word}: {reason}")
