"""Who may ring at once when queues are long: a customer with little in hand always, a flooding one in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.scores import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ports import Doorbell, Ledger

#: With so many messages standing in a queue its workers need no waking: more rings would only lengthen what others wait behind.
#: A message may stand for ten events or rows; one of an isolation never does.
FULL: Mapping[str, int] = {Queue.RESPOND: 100, Queue.ISOLATION: 500, Queue.IOC: 200, Queue.NOTIFY: 200}
#: What a customer may have outstanding and still be rung for at once.
SMALL = 200


def full_queues(doorbell: Doorbell) -> frozenset[str]:
    """The queues in which enough stands."""
    return frozenset(queue for queue, length in doorbell.backlog().items() if length >= FULL.get(queue, length + 1))


def left_to_the_sweep(ledger: Ledger, doorbell: Doorbell, customer: str) -> frozenset[str]:
    """The queues on which nobody rings for new work of `customer`: the sweep does, taking customers by turns."""
    full = full_queues(doorbell)
    return full if full and ledger.outstanding(customer) >= SMALL else frozenset()
