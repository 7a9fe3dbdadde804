"""SentinelOne's threats, by the time of their last update, and STAR alerts where the customer's file asks for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...feeds.walk import Listing, Row, Walk, Walks, instant, iso
from .adapter import SentinelOne
from .api import Config, ConsoleAPI

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_PAGE = 200


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The threats of the scope. A token may see more customers than this one: every list names the scope."""
    api = ConsoleAPI(config)

    def ask(path: str, since: datetime, token: str) -> Listing:
        order = {"updatedAt__gte": iso(since), "sortBy": "updatedAt", "sortOrder": "asc", "limit": page}
        answer = api.get(path, **order, **config.scope_query, **({"cursor": token} if token else {}))
        return Listing(answer.data if isinstance(answer.data, list) else (), answer.cursor)

    threats = Walk("threats", partial(ask, "threats"), lambda row: row.get("id"), partial(_updated, "threatInfo"))
    star = Walk("star", partial(ask, "cloud-detection/alerts"), _star_id, partial(_updated, "alertInfo"))
    return Walks(SentinelOne.vendor, SentinelOne.limits, (threats, star) if config.star_alerts else (threats,), overlap)


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _updated(part: str, row: Row) -> datetime | None:
    return instant(_part(row, part).get("updatedAt"))


def _star_id(row: Row) -> Any:
    return _part(row, "alertInfo").get("alertId")
