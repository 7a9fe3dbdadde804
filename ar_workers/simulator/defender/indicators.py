"""Indicators: stored or changed with 200, deleted with 204, and imported with failures hidden in a 200."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .call import Answer, Call, Refusal, Row, stamp

ACTIONS = frozenset({"Warn", "Block", "Audit", "Alert", "AlertAndBlock", "BlockAndRemediate", "Allowed"})
SEVERITIES = frozenset({"Informational", "Low", "Medium", "High"})
#: What a value of each type must look like, and the vendor's code if it does not.
TYPES = {
    "FileSha1": (re.compile(r"^[0-9a-fA-F]{40}$"), "InvalidHashValue"),
    "FileSha256": (re.compile(r"^[0-9a-fA-F]{64}$"), "InvalidHashValue"),
    "FileMd5": (re.compile(r"^[0-9a-fA-F]{32}$"), "InvalidHashValue"),
    "CertificateThumbprint": (re.compile(r"^[0-9a-fA-F]{40}$"), "InvalidHashValue"),
    "IpAddress": (re.compile(r"^[0-9a-fA-F.:]+$"), "InvalidIpAddress"),
    "DomainName": (re.compile(r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$"), "InvalidDomainName"),
    "Url": (re.compile(r"^https?://\S+$"), "InvalidUrl"),
}
REQUIRED = ("indicatorValue", "indicatorType", "action", "title", "description")
OPTIONAL = ("severity", "expirationTime", "recommendedActions", "rbacGroupNames", "generateAlert", "application", "educateUrl")
FILTERABLE = (
    "application",
    "createdByDisplayName",
    "expirationTime",
    "generateAlert",
    "title",
    "rbacGroupNames",
    "indicatorValue",
    "indicatorType",
    "creationTimeDateTimeUtc",
    "createdBy",
    "action",
    "severity",
)
MOST_IMPORTED = 500


def verb(row: Mapping[str, Any]) -> str:
    kind = str(row.get("indicatorType"))
    family = "hash" if kind.startswith("File") else "domain" if kind == "DomainName" else "other"
    banning = "ban" if row.get("action") in {"Block", "BlockAndRemediate", "AlertAndBlock"} else "mark"
    return f"{banning}_{family}"


def listing(call: Call) -> Answer:
    return call.listed(call.tenant.iocs.values(), FILTERABLE)


def submit(call: Call) -> Answer:
    body = _known(call.document(*REQUIRED))
    if fault := _fault(call, body):
        call.effect(verb(body), str(body["indicatorValue"]), changed=False, refused=fault[0])
        raise Refusal(400, *fault)
    return Answer(_stored(call, body))


def _known(body: Row) -> Row:
    return {name: value for name, value in body.items() if name in {*REQUIRED, *OPTIONAL}}


def _fault(call: Call, body: Row) -> tuple[str, str] | None:
    shape, code = TYPES.get(body["indicatorType"], (None, ""))
    if shape is None:
        return "InvalidInput", "indicatorType is unknown"
    if not shape.match(str(body["indicatorValue"])):
        return code, "indicatorValue is not of its type"
    if body["action"] not in ACTIONS or body.get("severity", "Low") not in SEVERITIES:
        return "InvalidInput", "action or severity is unknown"
    if body["action"] == "Audit" and not body.get("generateAlert"):
        return "InvalidInput", "Audit needs generateAlert"
    if len(call.tenant.iocs) >= call.options.most_indicators and _twin(call, body) is None:
        return "BadRequest", "The limit of active indicators is reached"
    return None


def _key(row: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    return str(row["indicatorType"]), str(row["indicatorValue"]).lower(), tuple(sorted(row.get("rbacGroupNames") or ()))


def _twin(call: Call, body: Row) -> Row | None:
    return next((one for one in call.tenant.iocs.values() if _key(one) == _key(body)), None)


def _stored(call: Call, body: Row) -> Row:
    """The same value, type and scope is one row, which the newer one replaces."""
    old = _twin(call, body)
    # Ids are small numbers written as text.
    row = {
        "id": old["id"] if old else str(1 + max(map(int, call.tenant.iocs), default=0)),
        **dict.fromkeys(OPTIONAL),
        "rbacGroupNames": [],
        "source": call.user,
        "sourceType": "AadApp",
        "createdBy": call.user,
        **body,
        "creationTimeDateTimeUtc": old["creationTimeDateTimeUtc"] if old else stamp(call.now),
    }
    changed = old is None or any(old.get(name) != value for name, value in body.items())
    call.tenant.iocs[row["id"]] = row
    call.effect(verb(row), str(row["indicatorValue"]), changed=changed, action=row["action"], id=row["id"])
    return row


def bulk(call: Call) -> Answer:
    """POST import: 200 even if every row has failed."""
    rows = call.document("Indicators")["Indicators"]
    if not isinstance(rows, list) or len(rows) > MOST_IMPORTED:
        raise Refusal(400, "MaximumBatchSizeExceeded", f"at most {MOST_IMPORTED} indicators")
    return Answer({"value": [_imported(call, _known(row)) for row in rows]})


def _imported(call: Call, row: Row) -> Row:
    missing = [name for name in REQUIRED if not row.get(name)]
    fault = ("MissingRequiredParameter", f"{missing[0]} is required") if missing else _fault(call, row)
    stored = {} if fault else _stored(call, row)
    return {
        "id": stored.get("id"),
        "indicator": row.get("indicatorValue"),
        "isFailed": bool(fault),
        "failureReason": fault[1] if fault else None,
    }


def delete(call: Call) -> Answer:
    row = call.tenant.iocs.pop(call.parts[0], None)
    if row is None:
        raise Refusal(404, "ResourceNotFound", "The indicator was not found")
    call.effect(f"un{verb(row)}", str(row["indicatorValue"]), changed=True, id=row["id"])
    return Answer(status=204)
