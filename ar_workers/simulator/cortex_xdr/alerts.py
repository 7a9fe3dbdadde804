"""Alerts in both shapes: v1 with a list of events, v2 with each field of the events as a list of its own."""

from __future__ import annotations

from .call import Call, Fields, Row, sort_rows
from .endpoints import span, within

SEVERITIES = frozenset({"informational", "low", "medium", "high", "critical", "unknown"})
#: What the filters and sorts call a time -> the alert's own key.
_TIMES = {"creation_time": "detection_timestamp", "server_creation_time": "local_insert_ts"}
#: There is no order by `server_creation_time`.
_SORTABLE = {"creation_time": "detection_timestamp", "severity": "severity"}


def _found(call: Call) -> list[Row]:
    """Without a sort in the order of arrival; equal times always are. Each alert carries `events`, as v1 shows it."""
    fields: Fields = {name: span(key) for name, key in _TIMES.items()}
    fields |= {"severity": within("severity", SEVERITIES), "alert_source": within("source")}
    fields |= {"alert_id_list": within("alert_id"), "external_id_list": within("external_id")}
    rows = list(filter(call.tests(fields), call.tenant.alerts))
    return sort_rows(rows, call.data.get("sort"), _SORTABLE)


def v1(call: Call) -> Row:
    return call.page(_found(call), "alerts")


def v2(call: Call) -> Row:
    page = call.page(_found(call), "alerts")
    return {**page, "alerts": [_flat(row) for row in page["alerts"]]}


def _flat(row: Row) -> Row:
    events = row.get("events") or []
    names = {name for event in events for name in event}
    return {**row, "events": None, **{name: [event.get(name) for event in events] for name in sorted(names)}}
