"""How often an EDR may be asked, as data that its adapter declares and the ledger's budgets are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from .model import Value


class Rate(Value):
    """At most `calls` requests within `per`."""

    calls: Annotated[int, Field(gt=0)]
    per: timedelta


class Limits(Value):
    """A vendor's published limits. Where it publishes none, a cautious guess, which `source` says.

    `rates` all hold at once. `sessions` is how many remote shells or live responses may be open at a time.
    `counted_by` is what shares the allowance. `on_429` is what a 429 carries, in words.
    """

    rates: tuple[Rate, ...]
    sessions: int | None = None
    counted_by: Literal["tenant", "address"] = "tenant"
    on_429: str
    source: str
