"""Alerts, page by page: equal instants, late arrivals, evidence that grows, and no order that could be asked for."""

from __future__ import annotations

from .call import Answer, Call, Refusal, Row

FILTERABLE = (
    "alertCreationTime",
    "lastUpdateTime",
    "incidentId",
    "investigationId",
    "id",
    "assignedTo",
    "detectionSource",
    "lastEventTime",
    "status",
    "severity",
    "category",
)
STATUSES = frozenset({"New", "InProgress", "Resolved"})


def listing(call: Call) -> Answer:
    """In the order of arrival. `evidence` is there only if it is asked for; `$orderby` is not documented and refused."""
    expands = call.request.first("$expand")
    if "$orderby" in call.request.query or expands not in {"", "evidence"}:
        raise Refusal(400, "ODataError", "The query specified in the URI is not valid")
    return call.listed(call.tenant.alerts, FILTERABLE, lambda row: {**row} if expands else {**row, "evidence": []})


def _found(call: Call) -> Row:
    row = next((one for one in call.tenant.alerts if one["id"] == call.parts[0]), None)
    if row is None:
        raise Refusal(404, "ResourceNotFound", "The alert was not found")
    return row


def details(call: Call) -> Answer:
    return Answer(_found(call))


def update(call: Call) -> Answer:
    """PATCH: only the status, which is all that a responder needs."""
    body, row = call.document("status"), _found(call)
    if body["status"] not in STATUSES:
        raise Refusal(400, "InvalidInput", f"status must be one of {', '.join(sorted(STATUSES))}")
    call.effect("update_alert", row["id"], changed=row.get("status") != body["status"], status=body["status"])
    row["status"] = body["status"]
    return Answer(row)
