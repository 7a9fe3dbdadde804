"""Alerts by Solr query, page by page: equal times, late arrivals, and the process that an alert names by its guid."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..clock import iso
from ..server import Reply, json_reply
from .call import Call, Refusal, Row

STATUSES = ("Unresolved", "In Progress", "Resolved", "False Positive")
RESOLUTIONS = ("Resolved", "False Positive")
MOST_ROWS = 1000
TERM = re.compile(r"\s*(?:AND\s+)?(?P<not>-?)(?P<field>[a-z_]\w*):(?P<value>\[[^\]]+ TO [^\]]+\]|\"[^\"]*\"|[^\s()\[\]\"]+)(?=\s|$)")
RANGE = re.compile(r"^\[(\S+) TO (\S+)\]$")
FILTER = "cb.fq."

Test = Callable[[Row], bool]


def _query(text: str) -> list[Test]:
    """Terms that must all hold, joined by AND or by nothing; a star and nothing find everything."""
    tests, at = [], 0
    text = "" if text.strip() in {"*", "*:*"} else text.strip()
    while at < len(text):
        found = TERM.match(text, at)
        if found is None:
            raise Refusal(400, "bad query", document={"reason": "query_malformed_syntax"})
        tests.append(_term(found["field"], found["value"], negated=bool(found["not"])))
        at = found.end()
    return tests


def _term(name: str, wanted: str, *, negated: bool) -> Test:
    between = RANGE.match(wanted)
    if between:
        low, high = between.groups()
        return lambda row: negated != (_at_least(row.get(name), low) and (high == "*" or str(row.get(name, "")) <= high))
    plain = wanted.strip('"')
    return lambda row: negated != (str(row.get(name)) == plain)


def _at_least(value: Any, low: str) -> bool:
    return value is not None and (low == "*" or str(value) >= low)


def search(call: Call) -> Reply:
    """Without `sort` the order is that of arrival; rows of equal rank keep it."""
    filters = [
        (name.removeprefix(FILTER), value) for name, values in call.request.query.items() if name.startswith(FILTER) for value in values
    ]
    tests = _query(call.request.first("q")) + [_term(name, f'"{value}"', negated=False) for name, value in filters]
    rows = [row for row in call.tenant.alerts if all(test(row) for test in tests)]
    field, _, direction = call.request.first("sort").partition(" ")
    if field:
        rows = sorted(rows, key=lambda row: str(row.get(field, "")), reverse=direction == "desc")
    start, size = int(call.request.first("start", "0")), min(int(call.request.first("rows", "10")), MOST_ROWS)
    page = rows[start : start + size]
    terms = [call.request.first("q")]
    shape: Row = {"terms": terms, "facets": {}, "elapsed": 0.01, "comprehensive_search": True, "highlights": [], "filtered": {}}
    return json_reply(200, {"results": page, "total_results": len(rows), "start": start, **shape})


def update(call: Call) -> Reply:
    document = call.document(required=("unique_id", "status"))
    if document["unique_id"] != call.parts[0]:
        raise Refusal(400, "unique_id differs from the path")
    _set(call, [call.parts[0]], document["status"])
    return json_reply(200, {"result": "success"})


def update_many(call: Call) -> Reply:
    document = call.document(required=("alert_ids", "requested_status"))
    _set(call, list(document["alert_ids"]), document["requested_status"])
    return json_reply(200, {"result": "success"})


def _set(call: Call, ids: list[str], status: Any) -> None:
    if status not in STATUSES:
        raise Refusal(400, "no such status")
    found = [row for row in call.tenant.alerts if row["unique_id"] in ids]
    if not found:
        raise Refusal(404, "Alert not found")
    for row in found:
        call.effect("update_alert", row["unique_id"], changed=row.get("status") != status, status=status)
        row["status"] = status
        row["resolved_time"] = iso(call.now) if status in RESOLUTIONS else None


def process(call: Call) -> Reply:
    """`process` tells the pid that an alert lacks; the tenant's `facts` know it by guid."""
    found = call.tenant.facts.get("processes", {}).get(call.parts[0])
    if found is None:
        raise Refusal(404, "Process not found")
    return json_reply(200, {"process": found, "parent": {}, "children": [], "siblings": []})
