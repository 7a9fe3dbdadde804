"""Carbon Black Cloud's alerts, by the times of their last update: by the service, for a quarter of an hour, and by people.

What people do to an alert, such as closing it, moves a time of its own, and not the service's.

A window over the time of arrival applies whether it is asked for or not, so it is named: by default it would move on
with the clock, past what was not read while the poller stood still.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ...feeds.walk import Listing, Row, Walk, Walks, instant, iso, numbered
from .adapter import CarbonBlackCloud
from .api import CloudAPI, Config

_ALERTS = "/api/alerts/v7/orgs/{org}/alerts/_search"
_PAGE = 200
#: The service updates an alert no longer than this after it came; it is the window that it has by default. People may close one
#: at any time, but what would still be queued for an older one has long been given up.
_CHANGES_FOR = timedelta(weeks=2)
#: The vendor's SDK finds alerts by both. That the second can be sorted by is not documented: it is not relied on.
_OWN, _PEOPLES = "backend_update_timestamp", "user_update_timestamp"
#: Beyond these the service answers with an error, however often it is asked.
_MOST_ROWS = 10_000


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The organisation's alerts. The API key needs org.alerts READ."""
    api = CloudAPI(config)

    def ask(field: str, since: datetime, token: str) -> Listing:
        # The start must not be after the end, whatever the clocks say.
        end = iso(max(datetime.now(UTC), since))
        body = {
            "time_range": {"start": iso(since - _CHANGES_FOR), "end": end},
            "criteria": {field: {"start": iso(since), "end": end}},
            "sort": [{"field": field if field == _OWN else "backend_timestamp", "order": "ASC"}],
            "rows": page,
            "start": int(token or 0) + 1,
        }
        answer = api.post(_ALERTS, body)
        total = answer.body.get("num_found")
        return numbered(answer.rows(), token, size=page, total=min(total, _MOST_ROWS) if isinstance(total, int) else total)

    own, peoples = (partial(Walk, field, partial(ask, field), _id, partial(_time, field)) for field in (_OWN, _PEOPLES))
    return Walks(CarbonBlackCloud.vendor, CarbonBlackCloud.limits, (own(), peoples(is_ordered=False)), overlap)


def _id(row: Row) -> Any:
    return row.get("id")


def _time(field: str, row: Row) -> datetime | None:
    return instant(row.get(field))
