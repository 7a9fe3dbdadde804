"""`arctl ingest` says what of an accepted event could not be read."""

from __future__ import annotations

import json

import pytest

from ar_workers.cli.ingest import _tell as tell
from ar_workers.cli.ingest import accept_all
from ar_workers.domain.unread import Unread
from tests.builders import a_threat_published
from tests.clocks import a_ledger
from tests.fakes import InlineDoorbell

UNREAD = [Unread(kind="ip", shown=f"203.0.113.{number}", reason="unsupported: no action exists for an IP address") for number in range(3)]
FIRST = "ip 203.0.113.0: unsupported: no action exists for an IP address"


@pytest.mark.parametrize(
    ("unread", "said"),
    [
        ((), ""),
        (UNREAD[:1], f"x:1: accepted without {FIRST}"),
        (UNREAD, f"x:1: accepted without {FIRST} (and 2 more)"),
    ],
)
def test_what_could_not_be_read_is_said_once(unread, said, capsys):
    ledger, event = a_ledger(), a_threat_published(unread=tuple(unread))
    for _ in range(2):
        for line in accept_all(ledger, InlineDoorbell(), [(1, event)]):
            tell("x", line, as_json=False)
    assert capsys.readouterr().err.strip() == said


def test_json_says_it_too(capsys):
    (line,) = accept_all(a_ledger(), InlineDoorbell(), [(1, a_threat_published(unread=tuple(UNREAD)))])
    tell("x", line, as_json=True)
    assert json.loads(capsys.readouterr().out)["reason"] == f"{FIRST} (and 2 more)"
