"""Devices: search and read them, and quarantine them, which takes until their next contact."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from ..endpoints import ISOLATE, RELEASE, Endpoint
from ..server import Reply, json_reply
from .call import Call, Refusal, Row, bad_enum, criteria_of, empty, listed, window
from .query import matcher

OS_NAMES = {"Windows": "WINDOWS", "Mac": "MAC", "Linux": "LINUX"}
OS_ENUM = ("WINDOWS", "MAC", "LINUX", "ANDROID", "IOS", "OTHER")
STATUSES = (
    "PENDING",
    "REGISTERED",
    "UNINSTALLED",
    "DEREGISTERED",
    "ACTIVE",
    "INACTIVE",
    "ERROR",
    "ALL",
    "BYPASS_ON",
    "BYPASS",
    "QUARANTINE",
    "SENSOR_OUTOFDATE",
    "DELETED",
    "LIVE",
)
CRITERIA = ("id", "os", "status", "policy_id", "last_contact_time")
ACTIONS = (
    "QUARANTINE",
    "BYPASS",
    "BACKGROUND_SCAN",
    "UPDATE_POLICY",
    "UPDATE_SENSOR_VERSION",
    "UNINSTALL_SENSOR",
    "DELETE_SENSOR",
)
#: A sensor that is on reports this often, so that its last contact is never quite now.
HEARTBEAT = 30.0
TOGGLES = {"ON": ISOLATE, "OFF": RELEASE}


def is_quarantined(endpoint: Endpoint) -> bool:
    """What the sensor last reported: a pending order of either kind does not show."""
    return endpoint.status in {"contained", "lift_containment_pending"}


def device(call: Call, endpoint: Endpoint) -> Row:
    """`facts` of the endpoint override or add fields."""
    states = ["ACTIVE", "LIVE_RESPONSE_NOT_RUNNING", "LIVE_RESPONSE_NOT_KILLED"]
    states.append("LIVE_RESPONSE_ENABLED" if endpoint.facts.get("live_response", True) else "LIVE_RESPONSE_DISABLED")
    row: Row = {
        "id": int(endpoint.agent_id),
        "name": endpoint.hostname,
        "os": OS_NAMES[endpoint.platform],
        "os_version": endpoint.os_version,
        "status": "DEREGISTERED" if endpoint.decommissioned else "REGISTERED",
        "sensor_version": "4.0.1.1428",
        "sensor_states": states,
        "policy_id": 1,
        "policy_name": "Standard",
        "asset_group": [
            {"id": one, "name": call.tenant.groups[one].name, "membership_type": "MANUAL"}
            for one in endpoint.groups
            if one in call.tenant.groups
        ],
        "quarantined": is_quarantined(endpoint),
        "passive_mode": False,
        "last_contact_time": endpoint.last_seen or iso(call.now - HEARTBEAT),
        "last_internal_ip_address": endpoint.local_ip,
        "last_external_ip_address": endpoint.external_ip,
        "registered_time": endpoint.first_seen,
        "organization_id": 1105,
        "deployment_type": "ENDPOINT",
    }
    return row | {name: value for name, value in endpoint.facts.items() if name in row}


def read(call: Call) -> Reply:
    return json_reply(200, device(call, call.endpoint(call.parts[0])))


def found(call: Call, document: Row) -> list[Row]:
    """The devices of a search, the latest contact first unless another order is asked for."""
    criteria = criteria_of(document, *CRITERIA)
    wanted = {
        "id": [str(one) for one in listed(criteria, "id")],
        "os": listed(criteria, "os", OS_ENUM),
        "status": [one for one in listed(criteria, "status", STATUSES) if one != "ALL"],
        "policy_id": [str(one) for one in listed(criteria, "policy_id")],
    }
    for one in call.tenant.endpoints.values():
        one.settle(call.now)
    rows = [device(call, one) for one in call.tenant.endpoints.values()]
    kept = [row for row in rows if all(not values or _is_among(row, name, values) for name, values in wanted.items())]
    is_hit = matcher(str(document.get("query") or ""))
    return sorted((row for row in kept if is_hit(row)), key=lambda row: str(row["last_contact_time"]), reverse=True)


def _is_among(row: Row, name: str, values: list[Any]) -> bool:
    """ACTIVE means a contact within thirty days, not that the device is on."""
    has = {str(row[name])}
    if name == "status":
        has |= {"ACTIVE", "LIVE"} if row["status"] == "REGISTERED" else set()
        has |= {"QUARANTINE"} if row["quarantined"] else set()
    return bool(has & set(values))


def search(call: Call) -> Reply:
    document = call.document()
    start, rows = window(document, first=1)
    hits = found(call, document)
    return json_reply(200, {"results": hits[start : start + rows], "num_found": len(hits)})


def scroll(call: Call) -> Reply:
    """Page after page without an end; the token stands for the last device given."""
    document = call.document()
    rows = document.get("rows", 20)
    after = document.get("search_after") or [0]
    if not isinstance(rows, int) or not isinstance(after, list) or not all(isinstance(one, int) for one in after):
        raise Refusal(400, "INVALID_PARAMETER", "rows or search_after is wrong", field="search_after")
    hits = sorted(found(call, document), key=lambda row: int(row["id"]))
    page = [row for row in hits if row["id"] > after[0]][:rows]
    return json_reply(200, {"results": page, "num_found": len(hits), "search_after": [page[-1]["id"]] if page else after})


def act(call: Call) -> Reply:
    """An order for devices by their ids, or, if they are searched for, for every one that is found."""
    document = call.document()
    if document.get("action_type") not in ACTIONS:
        raise bad_enum("action_type", document.get("action_type"), ACTIONS)
    if document["action_type"] != "QUARANTINE":
        raise Refusal(400, "NOT_SIMULATED", "only QUARANTINE is simulated")
    toggle = (document.get("options") or {}).get("toggle")
    if toggle not in TOGGLES:
        raise bad_enum("toggle", toggle, TOGGLES)
    for endpoint in _ordered(call, document):
        _quarantine(call, endpoint, str(toggle))
    return empty() if call.options.accepted == 204 else json_reply(200, {})


def _ordered(call: Call, document: Row) -> list[Endpoint]:
    if "search" in document:
        return [call.endpoint(str(row["id"])) for row in found(call, document["search"] or {})]
    ids = document.get("device_id")
    if not isinstance(ids, list) or not ids:
        raise Refusal(400, "MISSING_PARAMETER", "device_id or search is required", field="device_id")
    return [call.endpoint(str(one)) for one in ids]


def _quarantine(call: Call, endpoint: Endpoint, toggle: str) -> None:
    """An opposite order that waits is replaced: the last one counts."""
    verb, pending, settled = TOGGLES[toggle]
    before = endpoint.status
    changed = before not in {pending, settled} and not endpoint.decommissioned
    if changed and before.endswith("pending"):
        endpoint.status, endpoint.settles_at = settled, None
    elif changed:
        endpoint.move_to(pending, now=call.now)
    call.effect(verb, endpoint.agent_id, changed=changed, status=endpoint.status)
