"""Who may ring at once when queues are long: a customer with little in hand always, a flooding one in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.canvas import MOST_TOGETHER, Queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ports import Doorbell, Ledger

#: With so many messages standing in a queue its workers need no waking: more rings would only lengthen what others wait
#: behind. It is what the workers of a machine get through in one to three seconds if nothing has to be waited for; the sweep
#: fills them up some times a second, and an isolation that it rings for costs more than one that is rung at once.
FULL: Mapping[Queue, int] = {Queue.RESPOND: 30, Queue.ISOLATION: 800, Queue.IOC: 40, Queue.NOTIFY: 40}
#: What a customer may have outstanding and still be rung for at once.
SMALL = 200


def room(doorbell: Doorbell) -> dict[str, int]:
    """How many more events or rows of each queue may be rung for."""
    standing = doorbell.backlog()
    messages = {queue: max(0, full - standing.get(queue, 0)) for queue, full in FULL.items()}
    return {str(queue): number * (1 if queue == Queue.ISOLATION else MOST_TOGETHER[queue]) for queue, number in messages.items()}


def left_to_the_sweep(ledger: Ledger, doorbell: Doorbell, customer: str) -> frozenset[str]:
    """The queues on which nobody rings for new work of `customer`: the sweep does, taking customers by turns."""
    full = frozenset(queue for queue, left in room(doorbell).items() if not left)
    return full if full and ledger.outstanding(customer) >= SMALL else frozenset()
