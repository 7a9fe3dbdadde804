"""Events in: each is kept once by the ledger, then the responders are rung."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..domain.backpressure import left_to_the_sweep
from ..domain.canvas import Queue, Ring
from ..domain.rows import Acceptance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.events import Event
    from ..ports import Doorbell, Ledger


def ingest(ledger: Ledger, doorbell: Doorbell, events: Sequence[Event]) -> list[Acceptance]:
    """What became of each event, in the order given. Raises LedgerUnavailable; the same call again is safe then.

    A ring that fails is no loss: the ledger has the event, and the sweep rings again.
    """
    customers, standing = {event.customer for event in events}, doorbell.backlog()
    unrung = {each for each in customers if Queue.RESPOND in left_to_the_sweep(standing, partial(ledger.outstanding, each))}
    answers = ledger.accept(events, unrung=unrung)
    new = [event for event, answer in zip(events, answers, strict=True) if answer is Acceptance.NEW]
    doorbell.ring([_ring(event) for event in new if event.customer not in unrung])
    return answers


def _ring(event: Event) -> Ring:
    ref = f"{event.customer}:event/{event.id}"
    return Ring(id=ref, queue=Queue.RESPOND, label=f"{event.type} {event.threat_id} · {event.customer}")
