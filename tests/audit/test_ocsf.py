"""A link in the words of OCSF 1.8.0."""

from __future__ import annotations

from typing import get_args

import pytest

from ar_workers.audit.ocsf import ocsf
from ar_workers.domain.actions import Verb
from ar_workers.domain.audit import GENESIS, Head, Move, link_of

#: Of https://schema.ocsf.io/1.8.0; of `process` at least one of pid, uid and cpid must be there.
EVERY = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
REQUIRED = {
    0: EVERY,
    7001: EVERY | {"command_uid"},
    7002: EVERY | {"command_uid", "file"},
    7003: EVERY | {"command_uid", "process"},
    7004: EVERY | {"command_uid", "connection_info"},
}
KINDS = {
    "isolate": (7004, 1),
    "release": (7004, 3),
    "ban_hash": (7002, 1),
    "unban_hash": (7002, 3),
    "ban_domain": (7004, 1),
    "unban_domain": (7004, 3),
    "kill_process": (7003, 2),
    "delete_file": (7002, 2),
    "quarantine_file": (7002, 1),
    "unquarantine_file": (7002, 3),
    "delete_registry_key": (7001, 2),
}


def said(row, text, **more):
    return ocsf(link_of("acme", Head(6, GENESIS, 5), Move(6, 1_795_000_000_123, "THREAT-1", row, text, **more)))


@pytest.mark.parametrize("verb", get_args(Verb))
def test_every_verb_has_its_class_and_what_that_requires(verb):
    event = said(f"acme:{verb}:1", "pending -> done", by="worker w", evidence="contained")
    kind, activity = KINDS[verb]
    assert (event["class_uid"], event["activity_id"], event["type_uid"]) == (kind, activity, kind * 100 + activity)
    assert REQUIRED[kind] <= event.keys()
    assert event["countermeasures"][0]["d3f_technique"]["uid"].startswith("D3-")
    assert (event["command_uid"], event["status_detail"]) == (f"acme:{verb}:1", "contained")


@pytest.mark.parametrize("row", ["event/e1", "switch/*", "acme:slack:1", ""])
def test_what_remediates_nothing_is_a_base_event(row):
    event = said(row, "accepted")
    assert (event["class_uid"], event["category_uid"], event["type_uid"]) == (0, 0, 99)
    assert REQUIRED[0] <= event.keys()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("pending -> done", (1, "Success")),
        ("pending -> already: seen", (1, "Success")),
        ("unknown -> failed: security", (2, "Failure")),
        ("pending -> held: too many", (99, "Held")),
        ("new -> skipped: no", (99, "Skipped")),
        ("held -> cancelled: denied by kim", (99, "Cancelled")),
        ("pending -> performed", (0, "Unknown")),
        ("shared with threat T", (0, "Unknown")),
    ],
)
def test_where_a_row_came_to_is_its_status(text, status):
    event = said("acme:isolate:1", text)
    assert (event["status_id"], event["status"], event["message"]) == (*status, text)


def test_it_says_whose_it_is_and_where_in_the_chain_it_stands():
    event = said("acme:isolate:1", "pending -> done", by="worker w")
    assert event["time"] == 1_795_000_000_123
    assert {name: event["metadata"][name] for name in ("version", "tenant_uid", "uid", "sequence", "correlation_uid")} == {
        "version": "1.8.0",
        "tenant_uid": "acme",
        "uid": "acme:7",
        "sequence": 7,
        "correlation_uid": "THREAT-1",
    }
    assert (event["unmapped"]["by"], event["unmapped"]["prev"]) == ("worker w", GENESIS)
