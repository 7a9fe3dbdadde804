"""Cortex XDR's alerts, by the time at which the tenant's server wrote them down.

They can be filtered by that time, and are sorted by another one: a sort by anything but `creation_time` and `severity` is not
documented. So the vendor's numbers of rows lead through a round, as through a list without an order. The API cannot filter by
the time of a change: an alert that changes is read again only within the overlap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ...domain.errors import VendorFault
from ...feeds.walk import Listing, Row, Walk, Walks, numbered
from .adapter import CortexXDR
from .api import Config, CortexAPI, count

_ALERTS = "/public_api/v2/alerts/get_alerts_multi_events"
#: The most that a page may have.
_PAGE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
#: The total counts no further; from there on a full page is the sign that more is there.
_COUNTS_END_AT = 9999


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The tenant's alerts. The key's role needs to view alerts."""
    api = CortexAPI(config)

    def ask(since: datetime, token: str) -> Listing:
        start = int(token or 0)
        criteria = {
            "filters": [{"field": "server_creation_time", "operator": "gte", "value": (since - _EPOCH) // _MS}],
            "sort": {"field": "creation_time", "keyword": "asc"},
            "search_from": start,
            "search_to": start + page,
        }
        reply = api.read(_ALERTS, criteria)
        rows = reply.get("alerts") if isinstance(reply, dict) else None
        if not isinstance(rows, list):
            raise VendorFault(f"POST {_ALERTS}: no list in the reply")
        total = count(reply.get("total_count"))
        return numbered(rows, token, size=page, total=total if total is None or total < _COUNTS_END_AT else None)

    walk = Walk("server_creation_time", ask, lambda row: row.get("alert_id"), _came, is_ordered=False)
    return Walks(CortexXDR.vendor, CortexXDR.limits, (walk,), overlap)


def _came(row: Row) -> datetime | None:
    return _instant(row.get("local_insert_ts"))


def _instant(value: Any) -> datetime | None:
    ms = count(value)
    return _EPOCH + ms * _MS if ms is not None and 0 <= ms < 10**14 else None
