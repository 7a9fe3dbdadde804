"""Asset groups with their members, and the summary of policies."""

from __future__ import annotations

from ..options import is_named
from ..server import Reply, json_reply
from ..world import Group
from .call import Call, Row, criteria_of, listed, not_found, window


def _row(call: Call, group: Group) -> Row:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "status": "OK",
        "member_type": "DEVICE",
        "member_count": len(_members(call, group.id)),
        "query": None,
        "discovered": False,
        "policy_id": None,
        "policy_name": None,
    }


def _members(call: Call, group_id: str) -> list[str]:
    """A registration that was left may still be listed."""
    return [one.agent_id for one in call.tenant.endpoints.values() if group_id in one.groups]


def every(call: Call) -> Reply:
    rows = [_row(call, one) for one in call.tenant.groups.values()]
    return json_reply(200, {"results": rows, "num_found": len(rows)})


def search(call: Call) -> Reply:
    document = call.document()
    criteria = criteria_of(document, "name", "group_id", "discovered", "policy_id")
    start, count = window(document, first=0)
    names, ids = listed(criteria, "name"), listed(criteria, "group_id")
    rows = [
        _row(call, one)
        for one in call.tenant.groups.values()
        if (not ids or one.id in ids) and (not names or any(is_named(one.name, str(name), call.options.name_match) for name in names))
    ]
    return json_reply(200, {"results": rows[start : start + count], "num_found": len(rows)})


def read(call: Call) -> Reply:
    group = call.tenant.groups.get(call.parts[0])
    if group is None:
        raise not_found("Group")
    return json_reply(200, _row(call, group))


def members(call: Call) -> Reply:
    if call.parts[0] not in call.tenant.groups:
        raise not_found("Group")
    query = {name: int(value) if value.isdecimal() else value for name in ("rows", "start") if (value := call.request.first(name))}
    start, count = window(query, first=0)
    ids = _members(call, call.parts[0])
    page: Row = {"members": [{"external_member_id": one, "dynamic": False, "manual": True} for one in ids[start : start + count]]}
    return json_reply(200, page | ({"num_found": len(ids)} if call.options.members_tell_total else {}))


def policies(call: Call) -> Reply:
    return json_reply(200, {"policies": call.tenant.facts.get("policies", [{"id": 1, "name": "Standard", "is_system": True}])})
