"""By the clock: people are reminded of what guards hold, and what nobody decides in time is called off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services

#: A little less than beat's interval.
TICK = timedelta(seconds=25)
#: Of one customer at once: Redis does nothing else for a quarter of a second then.
MOST_AT_ONCE = 10_000


def mind_holds(services: Services) -> int:
    """Ring for what goes on because what it waited for is called off. Returns how many.

    Of a customer without a file nobody knows how long a hold may last: it waits for the file.
    """
    if not services.ledger.tick("holds", TICK):
        return 0
    rings = services.ledger.mind_holds({name: policy.hold_terms for name, policy in services.policies.items()}, most=MOST_AT_ONCE)
    services.doorbell.ring(rings)
    return len(rings)
