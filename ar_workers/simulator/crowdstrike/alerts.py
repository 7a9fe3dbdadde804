"""Alerts, page by page: equal timestamps, late arrivals, and identity alerts that know no device."""

from __future__ import annotations

import base64
from typing import Any

from .call import Call, looked_up
from .envelope import Answer, Refusal
from .fql import compile_filter, sort_rows

Row = dict[str, Any]

FILTERABLE = (
    "composite_id",
    "id",
    "agent_id",
    "cid",
    "status",
    "product",
    "type",
    "name",
    "severity",
    "severity_name",
    "created_timestamp",
    "updated_timestamp",
    "timestamp",
    "sha256",
)
STATUSES = frozenset({"new", "in_progress", "reopened", "closed"})


def _found(call: Call, wanted: str, sort: str) -> list[Row]:
    """Without a sort the order is the newest first; equal timestamps keep the order of arrival."""
    test = compile_filter(wanted, FILTERABLE, call.options)
    rows = [row for row in call.tenant.alerts if test(row)]
    return sort_rows(rows, sort or "created_timestamp|desc", allowed=FILTERABLE, key=_key)


def _key(row: Row, name: str) -> Any:
    return row.get(name, 0) if name == "severity" else str(row.get(name, ""))


def combined(call: Call) -> Answer:
    """POST: more pages while `meta.pagination.after` is there."""
    document = call.document()
    limit = document.get("limit", 100)
    if not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise Refusal(400, "limit must be between 1 and 1000")
    rows = _found(call, str(document.get("filter") or ""), str(document.get("sort") or ""))
    start = _start(rows, str(document.get("after") or ""))
    page = rows[start : start + limit]
    pagination: Row = {"limit": limit, "total": len(rows)}
    if start + limit < len(rows):
        pagination["after"] = base64.urlsafe_b64encode(str(page[-1]["composite_id"]).encode()).decode()
    return Answer(page, pagination=pagination)


def _start(rows: list[Row], after: str) -> int:
    """The token names the last alert given, so that a late arrival before it shifts nothing."""
    if not after:
        return 0
    try:
        last = base64.urlsafe_b64decode(after).decode()
        return [row["composite_id"] for row in rows].index(last) + 1
    except ValueError:
        raise Refusal(400, "invalid after token") from None


def query(call: Call) -> Answer:
    rows = _found(call, call.request.first("filter"), call.request.first("sort"))
    return call.page(rows, most=10_000, shown=lambda row: row["composite_id"])


def details(call: Call) -> Answer:
    known = {row["composite_id"]: row for row in call.tenant.alerts}
    return looked_up(call.texts(call.document(), "composite_ids", most=1000), known.get, "alert not found")


def update(call: Call) -> Answer:
    """PATCH: only `update_status`, which is all that a responder needs."""
    document = call.document()
    ids = set(call.texts(document, "composite_ids", most=1000))
    parameters = {str(one.get("name")): one.get("value") for one in document.get("action_parameters") or []}
    status = parameters.get("update_status")
    if set(parameters) != {"update_status"} or status not in STATUSES:
        raise Refusal(400, "action_parameters must hold a valid update_status")
    rows = [row for row in call.tenant.alerts if row["composite_id"] in ids]
    for row in rows:
        call.effect("update_alert", row["composite_id"], changed=row.get("status") != status, status=status)
        row["status"] = status
    return Answer(affected=len(rows))
