"""The blocklist, with one entry per OS and scope, and the indicators of threat intelligence, which only alert."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

from ..clock import iso
from .call import SCOPES, Call, Refusal, Row, Tests, is_in, scope_in

OS_TYPES = frozenset({"windows", "windows_legacy", "macos", "linux"})
IOC_TYPES = frozenset({"DNS", "URL", "IPV4", "IPV6", "MD5", "SHA1", "SHA256"})
IOC_FIELDS = frozenset(
    {"source", "type", "value", "method", "validUntil", "name", "externalId", "description", "severity", "creationTime", "metadata"}
)
#: Days that an indicator may be valid at most.
LIVES = {"IPV4": 30, "IPV6": 30}
ENTRY_TESTS: Tests = {
    "type": is_in("type"),
    "types": is_in("type"),
    "value": is_in("value"),
    "value__contains": lambda row, values: any(one in str(row["value"]) for one in values),
    "query": lambda row, values: any(one in f"{row['value']} {row['sha256Value']} {row['description']}" for one in values),
    "osTypes": is_in("osType"),
    "ids": is_in("id"),
    **dict.fromkeys((*SCOPES, "includeParents", "includeChildren"), lambda _row, _values: True),
}
IOC_TESTS: Tests = {
    "accountIds": is_in("accountId"),
    "type": is_in("type"),
    "value": is_in("value"),
    "uuids": is_in("uuid"),
}


def entries(call: Call) -> Row:
    """Those of the asked scope; the ones above it with includeParents, the ones below it with includeChildren."""
    level = _level({name: values for name, values in call.request.query.items() if name in SCOPES})
    allowed = {level}
    if call.request.first("includeParents") == "true":
        allowed |= set(range(level))
    if call.request.first("includeChildren") == "true":
        allowed |= set(range(level, len(SCOPES)))
    rows = [row for row in call.tenant.iocs.values() if "osType" in row and _level(row["scope"]) in allowed]
    return call.listed(rows, ENTRY_TESTS, sorts=("id", "createdAt", "updatedAt", "osType", "value"))


def _level(scope: Row) -> int:
    return max((SCOPES.index(name) for name in scope), default=0)


def ban(call: Call) -> Row:
    document = call.document("filter", "data")
    scope, row = scope_in(document), document["data"]
    _check_entry(call, row)
    target = str(row.get("value") or row.get("sha256Value"))
    if row["type"] != "black_hash":
        call.effect("allow_hash", target, changed=True, os=row["osType"])
        return {"data": [{"type": row["type"]}]}
    same = [
        one
        for one in call.tenant.iocs.values()
        if (one.get("osType"), one.get("scope")) == (row["osType"], scope) and target in {one["value"], one["sha256Value"]}
    ]
    if same:
        call.effect("ban_hash", target, changed=False, os=row["osType"])
        raise Refusal(call.options.duplicate_code, call.options.duplicate_words)
    now = iso(call.now)
    made = {
        "id": str(secrets.randbelow(9 * 10**17) + 10**17),
        "hashId": str(secrets.randbelow(9 * 10**17) + 10**17),
        "type": "black_hash",
        "value": row.get("value"),
        "sha256Value": row.get("sha256Value"),
        "osType": row["osType"],
        "scope": scope,
        "scopeName": call.tenant.name,
        "source": row["source"],
        "description": row.get("description", ""),
        "notRecommended": "NONE",
        "userName": call.user,
        "createdAt": now,
        "updatedAt": now,
    }
    call.tenant.iocs[str(made["id"])] = made
    call.effect("ban_hash", target, changed=True, os=row["osType"])
    return {"data": [made]}


def _check_entry(call: Call, row: Any) -> None:
    if not isinstance(row, dict) or not {"type", "osType", "source"} <= set(row):
        raise Refusal(4000010, "Validation Error", "data: Not valid.")
    if row["osType"] not in OS_TYPES:
        raise Refusal(4000010, "Validation Error", "osType: Not a valid choice.")
    value, sha256 = row.get("value"), row.get("sha256Value")
    if value is None and (sha256 is None or not call.options.takes_sha256):
        raise Refusal(4000010, "Validation Error", "value: Missing data for required field.")
    if (value and not re.fullmatch("[0-9a-fA-F]{40}", value)) or (sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256)):
        raise Refusal(4000010, "Validation Error", "value: Not a valid hash.")


def unban(call: Call) -> Row:
    """DELETE with a body."""
    data = call.document("data")["data"]
    if data.get("type") != "black_hash" or not data.get("ids"):
        raise Refusal(4000010, "Validation Error", "ids: Missing data for required field.")
    gone = [row for one in data["ids"] if (row := call.tenant.iocs.pop(one, None))]
    for row in gone:
        call.effect("unban_hash", str(row["value"] or row["sha256Value"]), changed=True, os=row["osType"])
    return {"data": {"affected": len(gone)}}


def indicators(call: Call) -> Row:
    if "accountIds" not in call.request.query:
        raise Refusal(4000010, "Validation Error", "accountIds: Missing data for required field.")
    rows = [row for row in call.tenant.iocs.values() if "uuid" in row]
    return call.listed(rows, IOC_TESTS, sorts=("uploadTime", "updatedAt"))


def indicate(call: Call) -> Row:
    """Create, or update what has the same type and value."""
    document = call.document("filter", "data")
    accounts = scope_in(document).get("accountIds")
    if not accounts or accounts != [call.account]:
        raise Refusal(4030010, "Insufficient permissions", "accountIds")
    if not isinstance(document["data"], list) or not document["data"]:
        raise Refusal(4000010, "Validation Error", "data: Invalid type.")
    return {"data": [_indicator(call, row) for row in document["data"]]}


def forget(call: Call) -> Row:
    """DELETE with a body, which must name the account and something more: all that pass are deleted."""
    wanted = call.document("filter")["filter"]
    if not isinstance(wanted, dict) or wanted.get("accountIds") != [call.account] or len(wanted) < 2:
        raise Refusal(4000010, "Validation Error", "filter: accountIds and one more filter are needed")
    rows = [row for row in call.tenant.iocs.values() if "uuid" in row]
    gone = [row for row in rows if all(IOC_TESTS[name](row, values) for name, values in wanted.items())]
    for row in gone:
        del call.tenant.iocs[row["uuid"]]
        call.effect("unban_domain" if row["type"] == "DNS" else f"forget_{row['type'].lower()}", row["value"], changed=True)
    return {"data": {"affected": len(gone)}}


def _indicator(call: Call, row: Any) -> Row:
    needed = {"source", "type", "value", "method", "validUntil"}
    if not isinstance(row, dict) or not needed <= set(row) or row["type"] not in IOC_TYPES:
        raise Refusal(4000010, "Validation Error", "data: Not valid.")
    if row["method"] != "EQUALS":
        raise Refusal(4000010, "Validation Error", "method: Not a valid choice.")
    if datetime.fromisoformat(row["validUntil"]).timestamp() > call.now + LIVES.get(row["type"], 180) * 86400:
        raise Refusal(4000010, "Validation Error", "validUntil: exceeds the maximum")
    found = [one for one in call.tenant.iocs.values() if "uuid" in one and (one["type"], one["value"]) == (row["type"], row["value"])]
    uuid = found[0]["uuid"] if found else secrets.token_hex(16)
    stored = {
        **{name: row[name] for name in IOC_FIELDS if name in row},
        "id": uuid,
        "uuid": uuid,
        "accountId": call.account,
        "uploadTime": iso(call.now),
        "updatedAt": iso(call.now),
    }
    call.tenant.iocs[uuid] = stored
    verb = "ban_domain" if row["type"] == "DNS" else f"indicate_{row['type'].lower()}"
    call.effect(verb, row["value"], changed=not found or found[0]["validUntil"] != row["validUntil"])
    return stored
