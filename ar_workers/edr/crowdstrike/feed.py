"""Falcon's alerts: by the time of their creation, and once more by that of their update.

The list by creation cannot lose an alert; that by update shows those that have changed since, such as reopened ones.
The token of the list, `after`, is not relied on where instants can lead.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...feeds.walk import Listing, Row, Walk, Walks, instant, iso
from .adapter import CrowdStrike
from .api import Config, FalconAPI, raise_first

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_ALERTS = "/alerts/combined/alerts/v1"
_PAGE = 200


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The tenant's alerts. The API client needs the scope alerts read."""
    api = FalconAPI(config)

    def ask(field: str, since: datetime, token: str) -> Listing:
        query = {"filter": f"{field}:>='{iso(since)}'", "sort": f"{field}|asc", "limit": page}
        answer = api.send("POST", _ALERTS, query | ({"after": token} if token else {}))
        raise_first(answer, f"POST {_ALERTS}")
        return Listing(answer.resources, str(answer.pagination.get("after") or ""))

    walks = tuple(Walk(field, partial(ask, field), _id, partial(_time, field)) for field in ("created_timestamp", "updated_timestamp"))
    return Walks(CrowdStrike.vendor, CrowdStrike.limits, walks, overlap)


def _id(row: Row) -> Any:
    return row.get("composite_id")


def _time(field: str, row: Row) -> datetime | None:
    return instant(row.get(field))
