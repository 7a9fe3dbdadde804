"""Detections, their timelines and marked indicators, and endpoints: all in pages, a single one as well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .call import Call, Refusal, Row


def listing(call: Call) -> Row:
    """`since` is compared with one of the detection's times; a detection without that time always shows."""
    rows = list(call.tenant.alerts)
    since = call.request.first("since")
    if since:
        rows = [row for row in rows if _time(row, call.options.since) >= _instant(since)]
    if call.options.order == "newest first":
        rows.sort(key=lambda row: _time(row, "confirmed_at"), reverse=True)
    elif call.options.order == "by id":
        rows.sort(key=lambda row: int(row["id"]))
    return call.page(rows)


def one(call: Call) -> Row:
    return call.page([detection(call)])


def timeline(call: Call) -> Row:
    return call.page(_of(call, "timelines"))


def marked(call: Call) -> Row:
    return call.page(_of(call, "marked"))


def endpoints(call: Call) -> Row:
    return call.page(list(call.tenant.facts.get("endpoints", {}).values()))


def endpoint(call: Call) -> Row:
    return call.page([endpoint_row(call, call.parts[0])])


def by_sensor(call: Call) -> Row:
    """By the EDR's own id of it."""
    rows = call.tenant.facts.get("endpoints", {}).values()
    found = [row for row in rows if str((row["attributes"].get("sensor") or {}).get("id")) == call.parts[0]]
    if not found:
        raise Refusal(404, "Endpoint not found")
    return call.page(found)


def endpoint_row(call: Call, one: str) -> Row:
    found: Row | None = call.tenant.facts.get("endpoints", {}).get(one)
    if found is None:
        raise Refusal(404, "Endpoint not found")
    return found


def _of(call: Call, kind: str) -> list[Any]:
    """What the tenant's `facts` keep for a detection, by its id as text."""
    found: list[Any] = call.tenant.facts.get(kind, {}).get(str(detection(call)["id"]), [])
    return found


def detection(call: Call) -> Row:
    found = next((row for row in call.tenant.alerts if str(row["id"]) == call.parts[0]), None)
    if found is None:
        raise Refusal(404, "Detection not found")
    return found


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "since is invalid") from None


def _time(row: Row, name: str) -> datetime:
    return datetime.fromisoformat(row.get("attributes", {}).get(name) or "9999-01-01T00:00:00Z")
