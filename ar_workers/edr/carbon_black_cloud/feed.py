"""Carbon Black Cloud's alerts, by the time of their last update: for a quarter of an hour most of them keep changing.

A window over the time of arrival applies whether it is asked for or not, so it is named: by default it would move on
with the clock, past what was not read while the poller stood still.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...feeds.walk import Listing, Walk, Walks, instant, iso, numbered
from .adapter import CarbonBlackCloud
from .api import CloudAPI, Config

_ALERTS = "/api/alerts/v7/orgs/{org}/alerts/_search"
_PAGE = 200
#: An alert is updated no longer than this after it came; it is the window that the service has by default.
_CHANGES_FOR = timedelta(weeks=2)
_TIME = "backend_update_timestamp"


def feed(config: Config, *, overlap: timedelta, page: int = _PAGE) -> Walks:
    """The organisation's alerts. The API key needs org.alerts READ."""
    api = CloudAPI(config)

    def ask(since: datetime, token: str) -> Listing:
        # The start must not be after the end, whatever the clocks say.
        end = iso(max(datetime.now(UTC), since))
        body = {
            "time_range": {"start": iso(since - _CHANGES_FOR), "end": end},
            "criteria": {_TIME: {"start": iso(since), "end": end}},
            "sort": [{"field": _TIME, "order": "ASC"}],
            "rows": page,
            "start": int(token or 0) + 1,
        }
        answer = api.post(_ALERTS, body)
        return numbered(answer.rows(), token, size=page, total=answer.body.get("num_found"))

    walk = Walk(_TIME, ask, lambda row: row.get("id"), lambda row: instant(row.get(_TIME)))
    return Walks(CarbonBlackCloud.vendor, CarbonBlackCloud.limits, (walk,), overlap)
