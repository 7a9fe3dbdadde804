"""By the clock: what is to be contained and is not in time is written down as events, of which people are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services

#: A little less than beat's interval.
TICK = timedelta(milliseconds=1900)
MOST_AT_ONCE = 1_000


def remind(services: Services) -> int:
    """Write down which isolations are overdue; the sweep rings for it. Returns how many."""
    return services.ledger.remind(MOST_AT_ONCE) if services.ledger.tick("remind", TICK) else 0
