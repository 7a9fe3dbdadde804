"""Alerts v7: a hidden window of two weeks, pages that count from 1, and alerts that change after they came."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ..clock import iso
from ..server import Reply, json_reply
from .call import MOST_ROWS, Call, Refusal, Row, bad_enum, criteria_of, listed, not_found
from .query import matcher

TYPES = (
    "CB_ANALYTICS",
    "WATCHLIST",
    "DEVICE_CONTROL",
    "CONTAINER_RUNTIME",
    "HOST_BASED_FIREWALL",
    "INTRUSION_DETECTION_SYSTEM",
    "NETWORK_TRAFFIC_ANALYSIS",
)
LISTS = ("id", "device_id", "threat_id", "process_sha256", "run_state")
#: Times that are found by a criterion. The service's own update does not move when people change an alert, nor theirs with its.
UPDATES = ("backend_update_timestamp", "user_update_timestamp")
SORTABLE = ("backend_timestamp", *UPDATES, "detection_timestamp", "severity", "first_event_timestamp")
_RANGE = re.compile(r"^-(\d+)([smhdw])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
DEFAULT_RANGE = {"range": "-2w"}


def search(call: Call) -> Reply:
    """`time_range` always applies, to `backend_timestamp`; updates are found by a criterion of their own."""
    document = call.document()
    start, rows = _window(document)
    hits = _ordered(_found(call, document), document.get("sort") or [])
    body = {"results": hits[start : start + rows], "num_found": len(hits), "num_available": min(len(hits), MOST_ROWS)}
    return json_reply(200, body)


def _window(document: Row) -> tuple[int, int]:
    """Beyond ten thousand the service fails, as the vendor's own client knows."""
    start, rows = document.get("start", 1), document.get("rows", 20)
    if not isinstance(start, int) or not isinstance(rows, int) or start < 0 or rows < 0:
        raise Refusal(400, "INVALID_PARAMETER", "start and rows must be numbers", field="start")
    start = max(start, 1)
    if start - 1 + rows > MOST_ROWS:
        raise Refusal(500, "INTERNAL_ERROR", "Internal Server Error")
    return start - 1, rows


def _found(call: Call, document: Row) -> list[Row]:
    criteria = criteria_of(document, "minimum_severity", "type", *UPDATES, *LISTS)
    ranges = {"backend_timestamp": _bounds(call, document.get("time_range") or DEFAULT_RANGE)}
    ranges |= {name: _bounds(call, criteria[name]) for name in UPDATES if name in criteria}
    wanted = {name: [str(one) for one in listed(criteria, name)] for name in LISTS}
    wanted["type"] = listed(criteria, "type", TYPES)
    least = criteria.get("minimum_severity", 0)
    is_hit = matcher(str(document.get("query") or ""))
    return [
        row
        for row in call.tenant.alerts
        if all(row.get(name) and low <= _instant(str(row[name])) <= high for name, (low, high) in ranges.items())
        and all(not values or str(row.get(name)) in values for name, values in wanted.items())
        and int(row.get("severity", 0)) >= least
        and is_hit(row)
    ]


def _bounds(call: Call, criteria: Row) -> tuple[datetime, datetime]:
    """`{"range": "-2w"}`, or start and end, both inclusive."""
    if "range" in criteria:
        shape = _RANGE.match(str(criteria["range"]))
        if not shape:
            raise Refusal(400, "INVALID_PARAMETER", "range must be such as -2w", field="range")
        return _instant(iso(call.now - int(shape[1]) * _UNITS[shape[2]])), _instant(iso(call.now))
    try:
        low, high = (_instant(str(criteria[name])) for name in ("start", "end"))
    except (KeyError, ValueError):
        raise Refusal(400, "INVALID_PARAMETER", "time_range needs start and end, or range", field="time_range") from None
    if low > high:
        raise Refusal(400, "INVALID_PARAMETER", "start must not be after end", field="time_range")
    return low, high


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _ordered(rows: list[Row], sort: list[Any]) -> list[Row]:
    """Equal timestamps keep the order of arrival."""
    first = sort[0] if sort else {"field": "backend_timestamp", "order": "DESC"}
    if first.get("field") not in SORTABLE:
        raise bad_enum("sort.field", first.get("field"), SORTABLE)
    order = str(first.get("order", "ASC")).upper()
    if order not in {"ASC", "DESC"}:
        raise bad_enum("sort.order", first.get("order"), ("ASC", "DESC"))
    name = str(first["field"])
    return sorted(rows, key=lambda row: row.get(name, 0) if name == "severity" else str(row.get(name, "")), reverse=order == "DESC")


def read(call: Call) -> Reply:
    found = next((row for row in call.tenant.alerts if row.get("id") == call.parts[0]), None)
    if found is None:
        raise not_found("Alert")
    return json_reply(200, found)
