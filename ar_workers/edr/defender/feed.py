"""Defender's alerts, by the time of their last update: evidence grows, and an alert that has more of it is read again.

The list has no order that could be asked for, so that within a round only the vendor's own links lead on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ...domain.errors import EndpointNotFound, VendorFault
from ...feeds.walk import Listing, Walk, Walks, instant, iso
from .adapter import Defender
from .api import Config, DefenderAPI

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_ALERTS = "/api/alerts"


def feed(config: Config, *, overlap: timedelta) -> Walks:
    """The tenant's alerts with their evidence. The app needs the role Alert.Read.All."""
    api = DefenderAPI(config)

    def ask(since: datetime, token: str) -> Listing:
        query = dict(parse_qsl(token)) if token else {"$filter": f"lastUpdateTime ge {iso(since)}", "$expand": "evidence"}
        try:
            answer = api.get(_ALERTS, **query)
        except EndpointNotFound:  # some lists answer 404 when they are empty
            return Listing((), "")
        rows, following = answer.get("value"), str(answer.get("@odata.nextLink") or "")
        if not isinstance(rows, list):
            raise VendorFault(f"GET {_ALERTS}: no list in the reply")
        # The link may name another of the vendor's hosts; the token goes only to the configured one.
        return Listing(rows, urlsplit(following).query)

    walk = Walk("lastUpdateTime", ask, lambda row: row.get("id"), lambda row: instant(row.get("lastUpdateTime")), is_ordered=False)
    return Walks(Defender.vendor, Defender.limits, (walk,), overlap)
