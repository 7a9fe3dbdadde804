"""Hosts: find them, read them, and isolate or release them, which takes its time."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from ..endpoints import ISOLATE, RELEASE, Endpoint
from .call import Call, looked_up
from .envelope import Answer, Refusal, error
from .fql import compile_filter, sort_rows

PLATFORM_IDS = {"Windows": "0", "Mac": "1", "Linux": "3"}
FILTERABLE = (
    "device_id",
    "hostname",
    "platform_name",
    "os_version",
    "product_type_desc",
    "groups",
    "tags",
    "status",
    "last_seen",
    "first_seen",
    "local_ip",
    "external_ip",
)
ISOLATIONS = {"contain": ISOLATE, "lift_containment": RELEASE}
OTHER_ACTIONS = frozenset({"hide_host", "unhide_host", "detection_suppress", "detection_unsuppress"})


def device(endpoint: Endpoint, call: Call) -> dict[str, Any]:
    seen = endpoint.last_seen or iso(call.now)
    return {
        "device_id": endpoint.agent_id,
        "cid": call.tenant.cid,
        "hostname": endpoint.hostname,
        "platform_name": endpoint.facts.get("platform_name", endpoint.platform),
        "platform_id": PLATFORM_IDS[endpoint.platform],
        "os_version": endpoint.os_version,
        "os_product_name": endpoint.os_version,
        "product_type_desc": endpoint.product_type_desc,
        "groups": list(endpoint.groups),
        "tags": list(endpoint.tags),
        "status": endpoint.status,
        "filesystem_containment_status": "normal",
        "last_seen": seen,
        "first_seen": endpoint.first_seen,
        "local_ip": endpoint.local_ip,
        "external_ip": endpoint.external_ip,
        "rtr_state": "enabled",
        "reduced_functionality_mode": "no",
        "agent_version": "7.20.19209.0",
        "modified_timestamp": seen,
    }


def devices(call: Call, *, members_of: str = "") -> list[dict[str, Any]]:
    """Every enrolled device that passes the call's filter, in the call's order."""
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    rows = [device(one, call) for one in call.tenant.settled(call.now)]
    if members_of:
        rows = [row for row in rows if members_of in row["groups"]]
    kept = [row for row in rows if test(row)]
    return sort_rows(kept, call.request.first("sort"), allowed=FILTERABLE, key=lambda row, name: str(row[name]))


def query(call: Call) -> Answer:
    return call.page(devices(call), most=5000, shown=lambda row: row["device_id"])


def scroll(call: Call) -> Answer:
    """Ids without an end; the next page's `offset` is an opaque string, which is empty behind the last."""
    limit = call.number("limit", 100, least=1, most=10_000)
    rows, start = devices(call), _start(call)
    more = start + limit < len(rows)
    page = [row["device_id"] for row in rows[start : start + limit]]
    return Answer(page, pagination={"limit": limit, "total": len(rows), "offset": f"next-{start + limit}" if more else "", "expires_at": 0})


def _start(call: Call) -> int:
    token = call.request.first("offset").removeprefix("next-")
    return int(token) if token.isdecimal() else 0


def combined(call: Call) -> Answer:
    """Whole devices; the next page's `offset` is an opaque string."""
    limit = call.number("limit", 100, least=1, most=10_000)
    rows, start = devices(call), _start(call)
    pagination: dict[str, Any] = {"limit": limit, "total": len(rows)}
    if start + limit < len(rows):
        pagination["next"] = f"next-{start + limit}"
    wanted = [name for name in call.request.first("fields").split(",") if name]
    page = rows[start : start + limit]
    if wanted:
        page = [{name: row[name] for name in wanted if name in row} for row in page]
    return Answer(page, pagination=pagination)


def details_by_query(call: Call) -> Answer:
    return _details(call, call.ids(most=500))


def details(call: Call) -> Answer:
    return _details(call, call.texts(call.document(), "ids", most=5000))


def _details(call: Call, ids: list[str]) -> Answer:
    return looked_up(ids, lambda one: call.tenant.endpoint(one, call.now), "No device found with that id", lambda one: device(one, call))


def online_state(call: Call) -> Answer:
    rows = []
    for agent_id in call.ids(most=100):
        endpoint = call.tenant.endpoint(agent_id, call.now)
        if endpoint is not None:
            state = "online" if endpoint.online else "offline"
            seen = endpoint.last_seen or iso(call.now)
            rows.append({"id": agent_id, "cid": call.tenant.cid, "state": state, "last_seen": seen})
    return Answer(rows)


def act(call: Call) -> Answer:
    """202 means queued: the good ids are in `resources`, the bad ones in `errors` of the same answer."""
    action = call.request.first("action_name")
    if action not in ISOLATIONS:
        known = action in OTHER_ACTIONS
        raise Refusal(400, "action not supported here" if known else f"invalid action_name: {action!r}")
    ids = call.texts(call.document(), "ids", most=100)
    answer = Answer(status=202)
    for agent_id in ids:
        _isolate(call, action, agent_id, answer)
    if not answer.resources:
        answer.status = answer.errors[0]["code"]
    return answer


def _isolate(call: Call, action: str, agent_id: str, answer: Answer) -> None:
    verb, pending, settled = ISOLATIONS[action]
    endpoint = call.tenant.endpoint(agent_id, call.now)
    if endpoint is None:
        call.effect(verb, agent_id, changed=False, refused=404)
        answer.errors.append(error(404, f"No device found with id {agent_id}", id=agent_id))
        return
    before = endpoint.status
    reversing = before not in {pending, settled} and before.endswith("pending")
    conflict = reversing and call.options.pending_reversal == "conflict"
    if before in {pending, settled} or conflict:
        call.effect(verb, agent_id, changed=False, refused=409, status=before)
        answer.errors.append(error(409, f"Device {agent_id} is already {before}", id=agent_id))
        return
    if reversing:
        endpoint.status, endpoint.settles_at = settled, None
    else:
        endpoint.move_to(pending, now=call.now)
    call.effect(verb, agent_id, changed=True, status=endpoint.status)
    answer.resources.append({"id": agent_id, "path": f"/devices/entities/devices/v2?ids={agent_id}"})
