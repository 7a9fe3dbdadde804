"""Files that Falcon has put into quarantine already: find, read, release, delete."""

from __future__ import annotations

from .call import Call, looked_up
from .envelope import Answer, Refusal
from .fql import compile_filter

FILTERABLE = ("id", "aid", "cid", "sha256", "hostname", "state", "date_created")
#: action -> (verb in the journal, state that it leads to); the states' names are partly unverified.
ACTIONS = {
    "release": ("release_file", "release_pending"),
    "unrelease": ("quarantine_file", "unrelease_pending"),
    "delete": ("delete_quarantined_file", "deleted"),
}


def query(call: Call) -> Answer:
    test = compile_filter(call.request.first("filter"), FILTERABLE, call.options)
    return call.page([row["id"] for row in call.tenant.quarantined.values() if test(row)], most=5000)


def details(call: Call) -> Answer:
    return looked_up(call.texts(call.document(), "ids", most=5000), call.tenant.quarantined.get, "quarantined file not found")


def update(call: Call) -> Answer:
    document = call.document()
    action = document.get("action")
    if action not in ACTIONS:
        raise Refusal(400, f"invalid action {action!r}")
    verb, state = ACTIONS[action]

    answer = looked_up(call.texts(document, "ids", most=5000), call.tenant.quarantined.get, "quarantined file not found")
    for row in answer.resources:
        call.effect(verb, row["sha256"], changed=row.get("state") != state, agent_id=row["aid"], id=row["id"])
        row["state"] = state
    return answer
