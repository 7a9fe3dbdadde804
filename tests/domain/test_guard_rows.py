"""What the EDR shows or the file names, and what is right: one row a line of `guards.json`, in the words of the customers' file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ar_workers.domain.endpoints import OS
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.indicators import Indicator
from tests.builders import a_delete, a_domain_ban, a_key_deletion, a_kill, a_policy, a_quarantine, an_endpoint, an_isolate

ROWS = json.loads(Path(__file__).with_name("guards.json").read_text())
_ACTIONS = {
    "process": lambda found, endpoint: a_kill(endpoint, **{"image_path": None, **found}),
    "file": lambda found, endpoint: a_delete(endpoint, **found),
    "quarantine": lambda found, endpoint: a_quarantine(endpoint, **found),
    "registry": lambda found, endpoint: a_key_deletion(endpoint, **found),
    "domain": lambda found, endpoint: a_domain_ban(found["domain"]),
}


def ruled(row):
    endpoint = an_endpoint(os=row.get("os", OS.WINDOWS), **row.get("endpoint", {}))
    found = dict(row.get("on") or {})
    action = _ACTIONS[found.pop("type")](found, endpoint) if found else an_isolate(an_endpoint("as-it-was-planned"))
    policy = a_policy(**{name: frozenset(entries) for name, entries in row.get("protect", {}).items()})
    return rule(action, policy, [endpoint], Fact(sight=Sight.ABSENT, image=row.get("image", "")))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["says"])
def test_a_row_comes_out_right(row):
    ruling = ruled(row)
    assert ruling.verdict == row["right"]
    assert row.get("because", "") in ruling.reason


def test_every_row_names_an_indicator_of_ours():
    kinds = {kind.model_fields["type"].default for kind in Indicator.__args__}
    assert {row["on"]["type"] for row in ROWS if row.get("on")} <= kinds | {"quarantine"}
    assert TypeAdapter(Verdict).validate_python(ROWS[0]["right"])
