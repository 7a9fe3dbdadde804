"""Threats and STAR alerts, page by page, and the quarantine of a threat's file, which is reported later."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from ..endpoints import Endpoint
from .call import Call, Refusal, Row, Tests, after, before, is_in

THREAT_TESTS: Tests = {
    "ids": is_in("id"),
    "agentIds": is_in("agentRealtimeInfo.agentId"),
    "accountIds": is_in("agentRealtimeInfo.accountId"),
    "siteIds": is_in("agentRealtimeInfo.siteId"),
    "groupIds": is_in("agentRealtimeInfo.groupId"),
    "osTypes": is_in("agentRealtimeInfo.agentOsType"),
    "incidentStatuses": is_in("threatInfo.incidentStatus"),
    "mitigationStatuses": is_in("threatInfo.mitigationStatus"),
    "confidenceLevels": is_in("threatInfo.confidenceLevel"),
}
STAR_TESTS: Tests = {"ids": is_in("alertInfo.alertId"), "incidentStatus": is_in("alertInfo.incidentStatus"), "siteIds": is_in("siteId")}
for _tests, _place in ((THREAT_TESTS, "threatInfo"), (STAR_TESTS, "alertInfo")):
    for _name in ("createdAt", "updatedAt"):
        _tests |= {f"{_name}__{kind}": after(f"{_place}.{_name}", equal=kind == "gte") for kind in ("gt", "gte")}
        _tests |= {f"{_name}__{kind}": before(f"{_place}.{_name}", equal=kind == "lte") for kind in ("lt", "lte")}
MITIGATIONS = frozenset({"kill", "quarantine", "remediate", "rollback-remediation", "un-quarantine", "network-quarantine"})


def threats(call: Call) -> Row:
    """Without a sort by id; equal times keep the order of arrival."""
    settle(call)
    return _sorted_by(call, [row for row in call.tenant.alerts if "threatInfo" in row], THREAT_TESTS, "threatInfo")


def star_alerts(call: Call) -> Row:
    """A surface of its own, with pids, domains and registry keys."""
    rows = [{"id": row["alertInfo"]["alertId"], **row} for row in call.tenant.alerts if "alertInfo" in row]
    return _sorted_by(call, rows, STAR_TESTS, "alertInfo")


def _sorted_by(call: Call, rows: list[Row], tests: Tests, place: str) -> Row:
    """The page, sorted by times that stand inside a part of each row but are asked for without it."""
    flat = [{**row, **{name: row[place].get(name) for name in ("createdAt", "updatedAt")}} for row in rows]
    page = call.listed(flat, tests, sorts=("id", "createdAt", "updatedAt"))
    page["data"] = [{name: each for name, each in row.items() if name not in {"createdAt", "updatedAt"}} for row in page["data"]]
    return page


def mitigate(call: Call) -> Row:
    action = call.request.path.rsplit("/", 1)[1]
    if action not in MITIGATIONS:
        raise Refusal(4000010, "Validation Error", "action: Not a valid choice.")
    if action not in {"quarantine", "un-quarantine"}:
        raise Refusal(4000010, "Validation Error", "action: not simulated")
    wanted = call.document("filter")["filter"].get("ids")
    settle(call)
    rows = [row for row in call.tenant.alerts if "threatInfo" in row and (not wanted or row["id"] in wanted)]
    for row in rows:
        orders = call.tenant.facts.setdefault("mitigations", [])
        orders.append({"threat": row["id"], "at": call.now, "user": call.user, "action": action.replace("-", "")})
        if call.options.mitigation_report == "at_once":
            _report(row, action.replace("-", ""), "pending", call.now, {})
    return {"data": {"affected": len(rows)}}


def settle(call: Call) -> None:
    """Carry out what is due. An agent that is away keeps its orders."""
    left = []
    for order in call.tenant.facts.get("mitigations", []):
        row = next(each for each in call.tenant.alerts if each.get("id") == order["threat"])
        endpoint = call.tenant.endpoints.get(row["agentRealtimeInfo"]["agentId"])
        due = order["at"] + call.options.mitigation_seconds
        if endpoint is None or not endpoint.online or call.now < due:
            left.append(order)
        elif order["action"] == "quarantine":
            _quarantine(call, row, endpoint, due)
        else:
            _give_back(call, row, endpoint, due)
    call.tenant.facts["mitigations"] = left


def _quarantine(call: Call, row: Row, endpoint: Endpoint, at: float) -> None:
    path = row["threatInfo"].get("onDisk") or row["threatInfo"]["filePath"]
    file = endpoint.file(endpoint.located(path))
    counts = {"success": 0, "failed": 0, "notFound": 0, "pendingReboot": 0, "total": 1}
    if endpoint.facts.get("quarantine_fails"):
        _report(row, "quarantine", "failed", at, {**counts, "failed": 1})
    elif endpoint.facts.get("needs_reboot"):
        _report(row, "quarantine", "success", at, {**counts, "pendingReboot": 1})
    else:
        counts["success" if file else "notFound"] = 1
        _report(row, "quarantine", "success", at, counts)
        if file:
            endpoint.files.remove(file)
            call.tenant.quarantined[f"{endpoint.agent_id}/{path}"] = {"id": f"{endpoint.agent_id}/{path}", "file": file}
            row["threatInfo"]["mitigationStatus"] = "mitigated"
        call.effect("quarantine_file", path, changed=file is not None)


def _give_back(call: Call, row: Row, endpoint: Endpoint, at: float) -> None:
    path = row["threatInfo"].get("onDisk") or row["threatInfo"]["filePath"]
    kept = call.tenant.quarantined.pop(f"{endpoint.agent_id}/{path}", None)
    counts = {"success": 0, "failed": 0, "notFound": 0, "pendingReboot": 0, "total": 1}
    counts["success" if kept else "notFound"] = 1
    _report(row, "unquarantine", "success", at, counts)
    if kept:
        endpoint.files.append(kept["file"])
        row["threatInfo"]["mitigationStatus"] = "not_mitigated"
    call.effect("unquarantine_file", path, changed=kept is not None)


def _report(row: Row, action: str, status: str, at: float, counts: dict[str, Any]) -> None:
    reports = row.setdefault("mitigationStatus", [])
    reports[:] = [one for one in reports if one.get("status") != "pending"]
    stamp = iso(at)
    row["threatInfo"]["updatedAt"] = stamp
    reports.append(
        {
            "action": action,
            "status": status,
            "lastUpdate": stamp,
            "mitigationStartedAt": stamp,
            "mitigationEndedAt": None if status == "pending" else stamp,
            "actionsCounters": counts or None,
            "latestReport": None,
            "reportId": None,
        }
    )
