"""Events in: each is kept once by the ledger, then the responders are rung."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeGuard

from ..domain.backpressure import left_to_the_sweep
from ..domain.canvas import Queue, Ring
from ..domain.events import ThreatClosed, ThreatPublished
from ..domain.rows import Acceptance

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from ..domain.events import Event
    from ..ports import Doorbell, Ledger


def ingest(ledger: Ledger, doorbell: Doorbell, events: Sequence[Event], *, by: str = "") -> list[Acceptance]:
    """What became of each event, in the order given. Raises LedgerUnavailable; the same call again is safe then.

    What is a person's own word says whose it is `by`.

    A ring that fails is no loss: the ledger has the event, and the sweep rings again.
    """
    customers, standing = {event.customer for event in events}, doorbell.backlog()
    unrung = {each for each in customers if Queue.RESPOND in left_to_the_sweep(standing, partial(ledger.outstanding, each))}
    accepted = _accepted(ledger, events, unrung, by)
    doorbell.ring([_ring(event) for event, answer in accepted if answer is Acceptance.NEW and event.customer not in unrung])
    return [answer for _, answer in accepted]


def _accepted(ledger: Ledger, events: Sequence[Event], unrung: Container[str], by: str) -> list[tuple[Event, Acceptance]]:
    """Each event as it was accepted, and what became of it."""
    found = list(zip(events, ledger.accept(events, unrung=unrung, by=by), strict=True))
    turned = {place: event.said_again() for place, (event, answer) in enumerate(found) if answer is Acceptance.TURNED and _stands(event)}
    for place, answer in zip(turned, ledger.accept(list(turned.values()), unrung=unrung, by=by), strict=True):
        found[place] = turned[place], answer
    return found


def _stands(event: Event) -> TypeGuard[ThreatPublished | ThreatClosed]:
    return isinstance(event, ThreatPublished | ThreatClosed)


def _ring(event: Event) -> Ring:
    ref = f"{event.customer}:event/{event.id}"
    return Ring(id=ref, queue=Queue.RESPOND, label=f"{event.type} {event.threat_id} · {event.customer}")
