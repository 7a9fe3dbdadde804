"""Files that Falcon has put into quarantine already: find, read, release, delete."""

from __future__ import annotations

from typing import Any

from .call import Call
from .envelope import Answer, Refusal, error
from .fql import compile_filter

FILTERABLE = ("id", "aid", "cid", "sha256", "hostname", "state", "date_created")
#: action -> (verb in the journal, state that it leads to); the states' names are partly unverified.
ACTIONS = {
    "release": ("release_file", "release_pending"),
    "unrelease": ("quarantine_file", "unrelease_pending"),
    "delete": ("delete_quarantined_file", "deleted"),
}


def query(call: Call) -> Answer:
    offset, limit = call.window(limit=100, most=5000)
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    ids = [row["id"] for row in call.tenant.quarantined.values() if test(row)]
    return Answer(ids[offset : offset + limit], pagination={"offset": offset, "limit": limit, "total": len(ids)})


def details(call: Call) -> Answer:
    return _each(call, call.texts(call.document(), "ids", most=5000), lambda row: row)


def update(call: Call) -> Answer:
    document = call.document()
    action = document.get("action")
    if action not in ACTIONS:
        raise Refusal(400, f"invalid action {action!r}")
    verb, state = ACTIONS[action]

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        call.effect(verb, row["sha256"], changed=row.get("state") != state, agent_id=row["aid"], id=row["id"])
        row["state"] = state
        return row

    return _each(call, call.texts(document, "ids", most=5000), changed)


def _each(call: Call, ids: list[str], visit: Any) -> Answer:
    answer = Answer()
    for one in ids:
        row = call.tenant.quarantined.get(one)
        if row is None:
            answer.errors.append(error(404, "quarantined file not found", id=one))
        else:
            answer.resources.append(visit(row))
    return answer
