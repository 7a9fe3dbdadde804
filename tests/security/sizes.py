"""How large the storms of this folder are: small among all tests, and whole where AR_FULL_SIZE is set."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Endpoints that one event names; and events, with so many endpoints each."""

    endpoints: int
    events: int
    endpoints_each: int


#: A fifth of the group must be more than the customer's cap.
SHORT = Sizes(endpoints=150, events=15, endpoints_each=10)
FULL = Sizes(endpoints=10_000, events=1_000, endpoints_each=10)
SIZES = FULL if os.environ.get("AR_FULL_SIZE") else SHORT
