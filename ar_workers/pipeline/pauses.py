"""By the clock: what a pause held that has ended goes on, as if a person had resumed it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services

_log = logging.getLogger(__name__)
#: A little less than beat's interval.
TICK = timedelta(seconds=25)


def end_pauses(services: Services) -> int:
    """Ring for what comes back. Returns how many.

    The ledger lets new work pass from the very end on; only what was held until then waits for this.
    """
    if not services.ledger.tick("end-pauses", TICK):
        return 0
    ended = services.ledger.end_pauses()
    for words in ended.pauses:
        _log.warning("the pause ended: %s", words)
    services.doorbell.ring(ended.rings)
    return len(ended.rings)
