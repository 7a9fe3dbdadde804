"""The safety net and the alarm clock: whatever is due and in nobody's hands is rung again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.backpressure import room

if TYPE_CHECKING:
    from .services import Services

#: A ring that brought nobody is repeated after this.
AGAIN = timedelta(seconds=15)
MOST_RINGS = 5_000
#: A little less than beat's interval, so that a punctual beat is never refused and two beats make one tick.
TICK = timedelta(milliseconds=900)
#: While there is much to ring, a tick is so many looks with so many seconds between them: short queues do not run empty.
LOOKS, PAUSE = 4, 0.22
MUCH = 20


def sweep(services: Services) -> int:
    """Ring what is due: retries, looks, lost rings, rows whose worker was lost. Returns how many."""
    if not services.ledger.tick("sweep", TICK):
        return 0
    rung = 0
    for look in range(LOOKS):
        if look:
            services.sleep(PAUSE)
        left = room(services.doorbell.backlog())
        rings = services.ledger.due(MOST_RINGS, AGAIN, room=left)
        services.doorbell.ring(rings)
        rung += len(rings)
        if len(rings) < MUCH and all(left.values()):
            break
    return rung
