"""Host groups and their members."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .call import Call, looked_up
from .envelope import Answer, Refusal
from .fql import compile_filter
from .hosts import devices

FILTERABLE = ("id", "name", "group_type", "description")


def _groups(call: Call) -> list[dict[str, Any]]:
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    return [row for row in map(asdict, call.tenant.groups.values()) if test(row)]


def combined(call: Call) -> Answer:
    return call.page(_groups(call), most=500)


def query(call: Call) -> Answer:
    return call.page(_groups(call), most=500, shown=lambda row: row["id"])


def details(call: Call) -> Answer:
    return looked_up(call.ids(most=500), call.tenant.groups.get, "Host group not found", asdict)


def _members(call: Call) -> list[dict[str, Any]]:
    group_id = call.request.first("id")
    if not group_id:
        raise Refusal(400, "id is required")
    if group_id not in call.tenant.groups:
        raise Refusal(404, f"Host group {group_id} not found")
    return devices(call, members_of=group_id)


def members(call: Call) -> Answer:
    return call.page(_members(call), most=5000)


def member_ids(call: Call) -> Answer:
    return call.page(_members(call), most=5000, shown=lambda row: row["device_id"])
