"""`arctl ingest` says what of an accepted event could not be read."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from ar_workers.cli import arctl
from ar_workers.cli.ingest import _tell as tell
from ar_workers.cli.ingest import accept_all
from ar_workers.domain.unread import Unread
from tests.builders import a_threat_published
from tests.cli.test_commands import ledger
from tests.clocks import a_ledger
from tests.fakes import InlineDoorbell

__all__ = ["ledger"]

UNREAD = [Unread(kind="ip", shown=f"203.0.113.{number}", reason="IP address: not supported") for number in range(3)]
FIRST = "ip 203.0.113.0: IP address: not supported"


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
            tell("x", line, Counter(), as_json=False)
    assert capsys.readouterr().err.strip() == said


def test_json_says_it_too(capsys):
    (line,) = accept_all(a_ledger(), InlineDoorbell(), [(1, a_threat_published(unread=tuple(UNREAD)))])
    tell("x", line, Counter(), as_json=True)
    assert json.loads(capsys.readouterr().out)["reason"] == f"{FIRST} (and 2 more)"


@pytest.mark.usefixtures("ledger")
def test_of_many_refused_records_the_first_twenty_are_told_and_the_others_counted(tmp_path):
    file = tmp_path / "many.ndjson"
    file.write_text('{"type": "nonsense"}\n' * 5_000)
    done = CliRunner().invoke(arctl, ["ingest", str(file)])
    lines = done.stderr.splitlines()
    assert [line.partition(": ")[2][:9] for line in lines[:20]] == ["refused: "] * 20
    assert lines[20:] == [f"{file}: 4980 more refused: --json tells of each"]
    assert (done.stdout, done.exit_code) == (f"{file}: 5000 refused\n", 1)


@pytest.mark.usefixtures("ledger")
def test_json_is_a_line_for_every_record(tmp_path):
    file = tmp_path / "many.ndjson"
    file.write_text('{"type": "nonsense"}\n' * 50)
    done = CliRunner().invoke(arctl, ["ingest", "--json", str(file)])
    assert [json.loads(line)["line"] for line in done.stdout.splitlines()] == list(range(1, 51))
    assert done.stderr == f"{file}: 50 refused\n"


@pytest.mark.usefixtures("ledger")
def test_a_dry_run_is_another_event_than_the_same_in_earnest(tmp_path):
    file = tmp_path / "one.ndjson"
    file.write_text(a_threat_published().model_dump_json() + "\n")

    def ingested(*words):
        done = CliRunner().invoke(arctl, ["ingest", str(file), *words])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    assert ingested("--dry-run") == f"{file}: DRY RUN: 1 accepted"
    assert ingested("--dry-run") == f"{file}: DRY RUN: 1 duplicate"
    assert ingested() == f"{file}: 1 accepted"
    listed = CliRunner().invoke(arctl, ["threats"]).stdout
    assert "THREAT-1042~dry" in listed
    shown = CliRunner().invoke(arctl, ["threats", "show", "THREAT-1042~dry"]).stdout
    assert "accepted: DRY RUN" in shown
