"""Carbon Black EDR's alerts, by the time of their creation; they do not change but for their status.

The server's index shows an alert some minutes after its time, which is what the overlap is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import VendorFault
from ...feeds.walk import Listing, Walk, Walks, instant, iso, numbered
from .adapter import CarbonBlackEDR
from .api import Config, ResponseAPI

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_ALERTS = "/api/v2/alert"
_PAGE = 100


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The server's alerts, whatever their status: one that somebody has resolved may still have to be contained."""
    api = ResponseAPI(config)

    def ask(since: datetime, token: str) -> Listing:
        body = api.document(_ALERTS, q=f"created_time:[{iso(since)} TO *]", sort="created_time asc", rows=page, start=int(token or 0))
        rows = body.get("results")
        if not isinstance(rows, list):
            raise VendorFault(f"GET {_ALERTS}: no list in the reply")
        return numbered(rows, token, size=page, total=body.get("total_results"))

    walk = Walk("created_time", ask, lambda row: row.get("unique_id"), lambda row: instant(row.get("created_time")))
    return Walks(CarbonBlackEDR.vendor, CarbonBlackEDR.limits, (walk,), overlap)
