"""Carbon Black EDR's alerts, by the time of their creation, and by that at which people resolved them; nothing else in them changes.

The server's index shows an alert some minutes after its time, which is what the overlap is for.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...domain.errors import VendorFault
from ...feeds.walk import Listing, Row, Walk, Walks, instant, iso, numbered
from .adapter import CarbonBlackEDR
from .api import Config, ResponseAPI

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_ALERTS = "/api/v2/alert"
_PAGE = 100
#: A field of the search by the server's user guide; whether it can be sorted by is not said.
_RESOLVED = "resolved_time"


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The server's alerts, whatever their status: one that somebody has resolved closes its threat."""
    api = ResponseAPI(config)

    def ask(field: str, since: datetime, token: str) -> Listing:
        body = api.document(_ALERTS, q=f"{field}:[{iso(since)} TO *]", sort="created_time asc", rows=page, start=int(token or 0))
        rows = body.get("results")
        if not isinstance(rows, list):
            raise VendorFault(f"GET {_ALERTS}: no list in the reply")
        return numbered(rows, token, size=page, total=body.get("total_results"))

    created, resolved = (partial(Walk, field, partial(ask, field), _id, partial(_time, field)) for field in ("created_time", _RESOLVED))
    return Walks(CarbonBlackEDR.vendor, CarbonBlackEDR.limits, (created(), resolved(is_ordered=False)), overlap)


def _id(row: Row) -> Any:
    return row.get("unique_id")


def _time(field: str, row: Row) -> datetime | None:
    return instant(row.get(field))
