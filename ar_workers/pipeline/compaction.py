"""Settled threats are packed after a while, so that the ledger's memory follows what is open, not what has been."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services

TICK = timedelta(seconds=8)
MOST_AT_ONCE = 500
#: Seconds of each tick: after a flood the memory follows at some hundred threats a second.
LONGEST = 4.0


def compact(services: Services) -> int:
    """Pack what was settled longer ago than the settings say. Returns how many threats."""
    if not services.ledger.tick("compact", TICK):
        return 0
    packed, since = 0, services.monotonic()
    while True:
        some = services.ledger.compact(services.clock.now() - services.compact_after, MOST_AT_ONCE)
        packed += some
        if not some or services.monotonic() - since > LONGEST:
            return packed
