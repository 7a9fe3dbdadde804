"""What a portal lets a client change: how a detection stands, and whether an endpoint is isolated. The answers are unverified."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from .call import Call, Refusal, Row
from .detections import detection, endpoint_row

STATES = (
    "remediated",
    "not_remediated_false_positive",
    "not_remediated_sanctioned_activity",
    "not_remediated_unwarranted",
)


def acknowledge(call: Call) -> Row:
    row = detection(call)
    changed = not row["attributes"].get("last_acknowledged_at")
    row["attributes"] |= {"last_acknowledged_at": iso(call.now), "last_acknowledged_by": _user(call)}
    call.effect("acknowledge", str(row["id"]), changed=changed)
    return call.page([row])


def remediate(call: Call) -> Row:
    """What is asked for in one word is shown in two: the state, and the reason why nothing was remediated."""
    row, state = detection(call), call.said("remediation_state")
    if state not in STATES:
        raise Refusal(400, "remediation_state is invalid")
    word, _, reason = state.partition("remediated_")
    shown = {"remediation_state": f"{word}remediated" if reason else state, "reason": reason or None}
    before = row["attributes"].get("last_remediated_status") or {}
    row["attributes"]["last_remediated_status"] = {**shown, "marked_by": _user(call), "marked_at": iso(call.now)}
    changed = any(before.get(name) != value for name, value in shown.items())
    call.effect("remediate", str(row["id"]), changed=changed, state=state, comment=call.said("comment"))
    return call.page([row])


def isolate(call: Call) -> Row:
    return _switch(call, "isolate", wanted=True)


def release(call: Call) -> Row:
    return _switch(call, "release", wanted=False)


def _switch(call: Call, verb: str, *, wanted: bool) -> Row:
    """By `ids`: the portal's own of its endpoints. An unknown one spoils the call before anything is done."""
    ids = call.ids()
    if not ids:
        raise Refusal(400, "ids is required")
    rows = [endpoint_row(call, one) for one in ids]
    for one, row in zip(ids, rows, strict=True):
        changed = bool(row["attributes"].get("is_isolated")) != wanted
        row["attributes"]["is_isolated"] = wanted
        call.effect(verb, one, changed=changed)
    return call.page(rows)


def tag(call: Call) -> Row:
    row = endpoint_row(call, call.parts[0])
    tags = row["attributes"].setdefault("reporting_tags", {})
    changed = tags.get(call.parts[1]) != call.said("value")
    tags[call.parts[1]] = call.said("value")
    call.effect("tag", call.parts[0], changed=changed, tag=call.parts[1])
    return call.page([row])


def untag(call: Call) -> Row:
    row = endpoint_row(call, call.parts[0])
    changed = row["attributes"].setdefault("reporting_tags", {}).pop(call.parts[1], None) is not None
    call.effect("untag", call.parts[0], changed=changed, tag=call.parts[1])
    return call.page([row])


def execute(call: Call) -> Row:
    """The tenant's `facts` name the playbooks that it has."""
    if call.parts[0] not in call.tenant.facts.get("playbooks", []):
        raise Refusal(404, "Playbook not found")
    call.effect("execute_playbook", call.parts[0], changed=True, on=f"{call.said('resource_type')} {call.said('resource_id')}")
    return call.page([])


def _user(call: Call) -> dict[str, Any]:
    return {"type": "PortalUser", "attributes": {"name": call.user}}
