"""Agents and groups: find them, read them, disconnect and connect them, which takes its time."""

from __future__ import annotations

from ..clock import iso
from ..endpoints import ISOLATE, RELEASE, Endpoint
from ..options import is_named
from .call import Call, Refusal, Row, Tests, is_in

OS_TYPES = {"Windows": "windows", "Mac": "macos", "Linux": "linux"}
NETWORK = {
    "normal": "connected",
    "containment_pending": "disconnecting",
    "contained": "disconnected",
    "lift_containment_pending": "connecting",
}
SWITCHES = {"disconnect": ISOLATE, "connect": RELEASE}
AGENT_TESTS: Tests = {
    "ids": is_in("id"),
    "uuids": is_in("uuid"),
    "computerName": is_in("computerName"),
    "computerName__contains": lambda row, values: any(one.lower() in row["computerName"].lower() for one in values),
    "osTypes": is_in("osType"),
    "groupIds": is_in("groupId"),
    "siteIds": is_in("siteId"),
    "accountIds": is_in("accountId"),
    "networkStatuses": is_in("networkStatus"),
    "query": lambda row, values: any(one.lower() in f"{row['computerName']} {row['id']} {row['uuid']}".lower() for one in values),
    "networkInterfaceInet__contains": lambda row, values: any(one in row["networkInterfaces"][0]["inet"][0] for one in values),
    "infected": is_in("infected"),
    "isActive": is_in("isActive"),
    "isDecommissioned": is_in("isDecommissioned"),
    "isUninstalled": is_in("isUninstalled"),
}
GROUP_MOST = 300


def settled(call: Call) -> list[Endpoint]:
    """Every endpoint with its due check-ins applied; one that is decommissioned never checks in again."""
    for endpoint in call.tenant.endpoints.values():
        if not endpoint.decommissioned:
            endpoint.settle(call.now)
    return list(call.tenant.endpoints.values())


def agent(endpoint: Endpoint, call: Call) -> Row:
    """An agent is in exactly one group."""
    group = call.tenant.groups.get(endpoint.groups[0]) if endpoint.groups else None
    seen = endpoint.last_seen or iso(call.now)
    return {
        "id": endpoint.agent_id,
        "uuid": endpoint.facts.get("uuid", f"uuid-{endpoint.agent_id}"),
        "computerName": endpoint.hostname,
        "domain": "WORKGROUP",
        "osType": endpoint.facts.get("osType", OS_TYPES[endpoint.platform]),
        "osName": endpoint.os_version,
        "machineType": "desktop" if endpoint.product_type_desc == "Workstation" else "server",
        "groupId": group.id if group else None,
        "groupName": group.name if group else None,
        "siteId": endpoint.facts.get("siteId", call.site),
        "accountId": endpoint.facts.get("accountId", call.account),
        "networkStatus": NETWORK[endpoint.status],
        "networkQuarantineEnabled": False,
        "isActive": endpoint.online and not endpoint.decommissioned,
        "isDecommissioned": endpoint.decommissioned,
        "isUninstalled": bool(endpoint.facts.get("uninstalled")),
        "infected": False,
        "activeThreats": 0,
        "lastActiveDate": seen,
        "agentVersion": "24.1.2.6",
        "externalIp": endpoint.external_ip,
        "networkInterfaces": [{"inet": [endpoint.local_ip], "name": "Ethernet"}],
        "tags": {"sentinelone": [dict(zip(("key", "value"), tag.split(":", 1), strict=False)) for tag in endpoint.tags]},
    }


def agents(call: Call) -> Row:
    rows = [agent(one, call) for one in settled(call) if call.options.shows_decommissioned or not one.decommissioned]
    return call.listed(rows, AGENT_TESTS, sorts=("id", "computerName", "createdAt"))


def groups(call: Call) -> Row:
    kept = call.tenant.groups.values()
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "type": one.group_type,
            "siteId": call.site,
            "accountId": call.account,
            "totalAgents": sum(one.id in each.groups[:1] for each in call.tenant.endpoints.values()),
        }
        for one in kept
    ]
    tests: Tests = {"ids": is_in("id"), "siteIds": is_in("siteId"), "accountIds": is_in("accountId")}
    tests["name"] = lambda row, values: any(is_named(row["name"], one, call.options.name_match) for one in values)
    return call.listed(rows, tests, most=GROUP_MOST, sorts=("id", "name"))


def selected(call: Call) -> list[Endpoint]:
    """The targets of an action: whatever passes the filter. With no key, or one that nobody knows, that is everyone."""
    wanted = call.document("filter")["filter"]
    if not isinstance(wanted, dict):
        raise Refusal(4000010, "Validation Error", "filter: Invalid type.")
    if (set(wanted) - set(AGENT_TESTS)) and call.options.unknown_filter == "refused":
        raise Refusal(4000010, "Validation Error", "filter: Unknown field.")
    tests = {name: list(map(str, each)) if isinstance(each, list) else [str(each)] for name, each in wanted.items() if name in AGENT_TESTS}
    pairs = [(one, agent(one, call)) for one in settled(call)]
    return [one for one, row in pairs if all(AGENT_TESTS[name](row, values) for name, values in tests.items())]


def switch(call: Call) -> Row:
    """Disconnect or connect: counted as affected whether or not the agent is there to hear of it."""
    verb, pending, done = SWITCHES[call.request.path.rsplit("/", 1)[1]]
    affected = 0
    for endpoint in selected(call):
        is_repeat = endpoint.status in {pending, done}
        if not is_repeat:
            endpoint.move_to(pending, now=call.now)
            if endpoint.decommissioned:
                endpoint.settles_at = None
        call.effect(verb, endpoint.agent_id, changed=not is_repeat, status=NETWORK[endpoint.status])
        affected += call.options.repeat_affects if is_repeat else 1
    return {"data": {"affected": affected}}
