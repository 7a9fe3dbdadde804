"""Host groups and their members."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .call import Call
from .envelope import Answer, Refusal, error
from .fql import compile_filter
from .hosts import devices

FILTERABLE = ("id", "name", "group_type", "description")


def _groups(call: Call) -> list[dict[str, Any]]:
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    return [row for row in map(asdict, call.tenant.groups.values()) if test(row)]


def combined(call: Call) -> Answer:
    offset, limit = call.window(limit=100, most=500)
    rows = _groups(call)
    page = rows[offset : offset + limit]
    return Answer(page, pagination={"offset": offset, "limit": limit, "total": len(rows)})


def query(call: Call) -> Answer:
    answer = combined(call)
    answer.resources = [row["id"] for row in answer.resources]
    return answer


def details(call: Call) -> Answer:
    answer = Answer()
    for group_id in call.ids(most=500):
        group = call.tenant.groups.get(group_id)
        if group is None:
            answer.errors.append(error(404, "Host group not found", id=group_id))
        else:
            answer.resources.append(asdict(group))
    return answer


def members(call: Call) -> Answer:
    group_id = call.request.first("id")
    if not group_id:
        raise Refusal(400, "id is required")
    if group_id not in call.tenant.groups:
        raise Refusal(404, f"Host group {group_id} not found")
    offset, limit = call.window(limit=100, most=5000)
    rows = devices(call, members_of=group_id)
    page = rows[offset : offset + limit]
    return Answer(page, pagination={"offset": offset, "limit": limit, "total": len(rows)})


def member_ids(call: Call) -> Answer:
    answer = members(call)
    answer.resources = [row["device_id"] for row in answer.resources]
    return answer
