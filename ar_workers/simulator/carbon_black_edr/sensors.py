"""Sensors and their groups: found by parts of their names, isolated by a flag that the sensor reads when it checks in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..endpoints import Endpoint
from ..server import Reply, json_reply
from .call import Call, Refusal, Row

OS_TYPES = {"Windows": 1, "Mac": 2, "Linux": 4}
SYSTEMS = {"Windows": "Windows 10 Enterprise, 64-bit", "Mac": "Mac OSX 10.13.6", "Linux": "CentOS Linux 7.9, 64-bit"}
SERVER = "Windows Server 2019 Server Standard, 64-bit"
#: status -> (network_isolation_enabled, is_isolating)
FLAGS = {
    "normal": (False, False),
    "containment_pending": (True, False),
    "contained": (True, True),
    "lift_containment_pending": (False, True),
}
WRITABLE = ("network_isolation_enabled", "restart_queued", "uninstall", "liveresponse_init", "group_id", "notes", "event_log_flush_time")


def server_time(instant: float) -> str:
    """As the server writes it: a space in the middle, and the zone of the server."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S.%f") + "+00:00"


def sensor_row(endpoint: Endpoint, call: Call) -> Row:
    """Many numbers are texts, and what nobody has said is null. `facts` of the endpoint come last."""
    wanted, actual = FLAGS[endpoint.status]
    state = "Uninstalled" if endpoint.decommissioned else "Online" if endpoint.online else "Offline"
    return {
        "id": int(endpoint.agent_id),
        "computer_name": endpoint.hostname,
        "computer_dns_name": endpoint.hostname,
        "os_type": OS_TYPES[endpoint.platform],
        "os_environment_display_string": SYSTEMS[endpoint.platform] if endpoint.product_type_desc == "Workstation" else SERVER,
        "os_environment_id": 1,
        "group_id": _group_of(endpoint),
        "status": state,
        "network_isolation_enabled": wanted,
        "is_isolating": actual,
        "supports_isolation": True,
        "supports_cblr": True,
        "uninstall": False,
        "uninstalled": True if endpoint.decommissioned else None,
        "restart_queued": False,
        "power_state": 0,
        "notes": None,
        "event_log_flush_time": None,
        "network_adapters": f"{endpoint.local_ip},080147347cfb|",
        "sensor_uptime": "10567",
        "uptime": "11680",
        "num_eventlog_bytes": "0",
        "num_storefiles_bytes": "0",
        "systemvolume_free_size": "19801292800",
        "sensor_health_status": 100,
        "sensor_health_message": "Healthy",
        "build_version_string": "007.002.000.17354",
        "registration_time": server_time(call.now - 86400),
        "last_checkin_time": server_time(call.now),
        "next_checkin_time": server_time(call.now + 30),
        **{name: value for name, value in endpoint.facts.items() if name != "contents"},
    }


def _group_of(endpoint: Endpoint) -> int:
    """Every sensor is in exactly one group; who names none is in the default one."""
    return int(endpoint.groups[0]) if endpoint.groups else 1


def _found(call: Call) -> list[Row]:
    """By parts of a name, upper and lower case told apart; an address outweighs a name."""
    for endpoint in call.tenant.endpoints.values():
        endpoint.settle(call.now)
    rows = [sensor_row(one, call) for one in call.tenant.endpoints.values()]
    if group := call.request.first("groupid"):
        rows = [row for row in rows if str(row["group_id"]) == group]
    if address := call.request.first("ip"):
        return [row for row in rows if address in row["network_adapters"]]
    name = call.request.first("hostname")
    return [row for row in rows if name in row["computer_name"]]


def listed(call: Call) -> Reply:
    """`/api/v1/sensor`: everything in one piece, and nothing without a body."""
    rows = _found(call)
    return Reply(204) if not rows and call.options.empty_list == 204 else json_reply(200, rows)


def paged(call: Call) -> Reply:
    """`/api/v2/sensor`, which the vendor's own client reads."""
    rows = sorted(_found(call), key=lambda row: str(row["computer_name"]))
    start, size = int(call.request.first("start", "0")), int(call.request.first("rows", "10"))
    return json_reply(200, {"results": rows[start : start + size], "total_results": len(rows), "start": start})


def one(call: Call) -> Reply:
    return json_reply(200, sensor_row(call.sensor(call.number(0)), call))


def change(call: Call) -> Reply:
    """The flag is written at once; nothing has happened at the endpoint by then."""
    call.may("isolate")
    endpoint = call.sensor(call.number(0))
    document = call.document(allowed=WRITABLE if call.options.strict_put else None)
    wanted = document.get("network_isolation_enabled")
    if wanted is not None and not isinstance(wanted, bool):
        raise Refusal(400, "network_isolation_enabled must be a boolean")
    _move(call, endpoint, document.get("group_id"))
    if wanted is not None:
        _isolate(call, endpoint, wanted=wanted)
    return Reply(204) if call.options.put_answer == 204 else json_reply(200, {"result": "success"})


def _move(call: Call, endpoint: Endpoint, group: Any) -> None:
    if group is None or int(group) == _group_of(endpoint):
        return
    if str(group) not in call.tenant.groups:
        raise Refusal(400, f"Group {group} not found")
    endpoint.groups = [str(group)]
    call.effect("move_endpoint", endpoint.agent_id, changed=True, group=group)


def _isolate(call: Call, endpoint: Endpoint, *, wanted: bool) -> None:
    """Taking back a flag that the sensor has not read yet is done at once: there is nothing to undo."""
    before, actual = FLAGS[endpoint.status]
    changed = wanted != before
    if changed and wanted == actual:
        endpoint.status, endpoint.settles_at = ("contained" if wanted else "normal"), None
    elif changed:
        endpoint.move_to("containment_pending" if wanted else "lift_containment_pending", now=call.now)
    call.effect("isolate" if wanted else "release", endpoint.agent_id, changed=changed, status=endpoint.status)


def group_row(call: Call, group_id: str) -> Row:
    """Banning is switched off unless the tenant's `facts` name the group."""
    found = call.tenant.groups[group_id]
    return {
        "id": int(found.id),
        "name": found.name,
        "site_id": 1,
        "banning_enabled": found.id in call.tenant.facts.get("banning_groups", []),
        "isolation_exclusions": {},
        "alert_criticality": 3.0,
    }


def groups(call: Call) -> Reply:
    return json_reply(200, [group_row(call, each) for each in call.tenant.groups])


def group(call: Call) -> Reply:
    """An array of one."""
    if call.parts[0] not in call.tenant.groups:
        raise Refusal(404, "Group not found")
    return json_reply(200, [group_row(call, call.parts[0])])
