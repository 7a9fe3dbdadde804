"""Custom indicators: how a hash or a domain gets banned, found again, changed and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from ..clock import iso
from .call import Call, looked_up
from .envelope import Answer, Refusal, error
from .fql import compile_filter
from .ioc_rules import ACTIONS, HASHES, PLATFORMS, SEVERITIES, TYPES, WRITABLE, fault_in

Row = dict[str, Any]

FILTERABLE = (
    "id",
    "type",
    "value",
    "action",
    "severity",
    "platforms",
    "applied_globally",
    "source",
    "tags",
    "created_on",
    "modified_on",
    "expired",
    "deleted",
)


def verb(row: Row, prefix: str = "ban") -> str:
    kind = str(row.get("type", ""))
    family = "hash" if kind in {*HASHES, "sha1"} else "domain" if kind == "domain" else "ip"
    return f"{prefix}_{family}"


def _shown(row: Row, call: Call) -> Row:
    """An expired indicator stays listed, without effect."""
    expired = bool(row.get("expiration")) and row["expiration"].rstrip("Z") <= iso(call.now).rstrip("Z")
    return {**row, "expired": expired}


def _found(call: Call) -> list[Row]:
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    rows = [_shown(row, call) for row in call.tenant.iocs.values()]
    return [row for row in rows if test(row)]


def combined(call: Call) -> Answer:
    return call.page(_found(call), most=2000)


def query(call: Call) -> Answer:
    return call.page(_found(call), most=2000, shown=lambda row: row["id"])


def details(call: Call) -> Answer:
    return looked_up(call.ids(most=2000), call.tenant.iocs.get, "indicator not found", lambda row: _shown(row, call))


def create(call: Call) -> Answer:
    rows = _rows(call)
    answer = Answer(status=201)
    faults = [_creation_fault(call, row, rows[:index]) for index, row in enumerate(rows)]
    spoilt = any(faults) and call.options.bad_row == "rejects_batch"
    for index, (row, fault) in enumerate(zip(rows, faults, strict=True)):
        if fault is not None:
            answer.errors.append(_row_error(index, *fault))
        if fault is not None or spoilt:
            call.effect(verb(row), str(row.get("value")), changed=False, refused=400)
        else:
            answer.resources.append(_store(call, row))
    answer.status = 201 if answer.resources else 400
    return answer


def _rows(call: Call) -> list[Row]:
    """Without fields that an indicator does not have, which are overlooked."""
    rows = call.document().get("indicators")
    if not isinstance(rows, list) or not rows:
        raise Refusal(400, "indicators is required")
    if not all(isinstance(row, dict) for row in rows):
        raise Refusal(400, "indicators must be objects")
    known = WRITABLE | {"id", "type", "value"}
    return [{name: value for name, value in row.items() if name in known} for row in rows]


def _creation_fault(call: Call, row: Row, earlier: list[Row]) -> tuple[str, str] | None:
    fault = fault_in(row)
    if fault is not None:
        return fault
    twins = [*call.tenant.iocs.values(), *earlier]
    if any(_identity(row) == _identity(one) for one in twins):
        return "value", f"Duplicate type: '{row['type']}' and value: '{row['value']}' combination."
    return None


def _identity(row: Row) -> tuple[str, str]:
    return str(row.get("type")), str(row.get("value")).casefold()


def _row_error(index: int, field: str, message: str) -> Row:
    return error(400, message, field=f"indicators[{index}].{field}", message_type="error")


def _store(call: Call, row: Row) -> Row:
    now = iso(call.now)
    stored = {
        "source": "",
        "description": "",
        "tags": [],
        "host_groups": [],
        "severity": "",
        "mobile_action": "no_action",
        **row,
        "id": secrets.token_hex(32),
        "applied_globally": bool(row.get("applied_globally")),
        "created_on": now,
        "created_by": call.user,
        "modified_on": now,
        "modified_by": call.user,
        "deleted": False,
        "from_parent": False,
    }
    call.tenant.iocs[stored["id"]] = stored
    call.effect(verb(row), row["value"], changed=True, action=row["action"], id=stored["id"])
    return _shown(stored, call)


def update(call: Call) -> Answer:
    answer = Answer()
    for index, patch in enumerate(_rows(call)):
        stored = call.tenant.iocs.get(str(patch.get("id")))
        if stored is None:
            answer.errors.append(error(404, "indicator not found", id=patch.get("id")))
            continue
        fault = _update_fault(stored, patch)
        if fault is not None:
            answer.errors.append(_row_error(index, *fault))
            continue
        answer.resources.append(_change(call, stored, patch))
    if not answer.resources:
        answer.status = answer.errors[0]["code"]
    return answer


def _update_fault(stored: Row, patch: Row) -> tuple[str, str] | None:
    fixed = [name for name in ("type", "value") if name in patch and patch[name] != stored[name]]
    if fixed:
        return fixed[0], f"{fixed[0]} cannot be changed"
    new = {name: value for name, value in patch.items() if name != "id"}
    kept = {name: stored[name] for name in WRITABLE | {"type", "value"} if name in stored}
    return fault_in({**kept, **new})


def _change(call: Call, stored: Row, patch: Row) -> Row:
    changed = any(stored.get(name) != value for name, value in patch.items())
    stored.update(patch)
    stored.update(modified_on=iso(call.now), modified_by=call.user)
    call.effect(verb(stored), stored["value"], changed=changed, action=stored["action"], id=stored["id"], update=True)
    return _shown(stored, call)


def delete(call: Call) -> Answer:
    """A `filter` overrides `ids`: the vendor's most dangerous default."""
    ids = [row["id"] for row in _found(call)] if call.request.first("filter") else call.ids(most=2000)
    answer = Answer()
    for one in ids:
        row = call.tenant.iocs.pop(one, None)
        if row is None:
            call.effect("unban", one, changed=False, refused=404)
            answer.errors.append(error(404, "indicator not found", id=one))
        else:
            call.effect(verb(row, "unban"), row["value"], changed=True, id=one)
            answer.resources.append(one)
    if ids and not answer.resources:
        answer.status = 404
    return answer


def _listing(values: tuple[str, ...]) -> Callable[[Call], Answer]:
    def listing(call: Call) -> Answer:
        del call
        return Answer(list(values), pagination={"offset": 0, "limit": 100, "total": len(values)})

    return listing


types, actions, severities, platforms = map(_listing, (TYPES, ACTIONS, SEVERITIES, PLATFORMS))
