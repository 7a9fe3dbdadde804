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
    return call.page([_detection(call)])


def timeline(call: Call) -> Row:
    return call.page(_of(call, "timelines"))


def marked(call: Call) -> Row:
    return call.page(_of(call, "marked"))


def endpoint(call: Call) -> Row:
    found = call.tenant.facts.get("endpoints", {}).get(call.parts[0])
    if found is None:
        raise Refusal(404, "Endpoint not found")
    return call.page([found])


def _of(call: Call, kind: str) -> list[Any]:
    """What the tenant's `facts` keep for a detection, by its id as text."""
    found: list[Any] = call.tenant.facts.get(kind, {}).get(str(_detection(call)["id"]), [])
    return found


def _detection(call: Call) -> Row:
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
