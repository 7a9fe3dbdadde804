"""`arctl pause`, `resume` and `pauses`: whom they stop, and that a name that does not exist stops nobody in silence."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.claims import Claim
from tests.builders import a_threat_published
from tests.ledger.building import a_row, asked, recorded

STOP = ("--reason", "stop everything")


@pytest.fixture
def ledger(real_redis, redis_url, monkeypatch, tmp_path):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    return ledger_at(redis_url)


def run(*words, status=0):
    result = CliRunner().invoke(arctl, words)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output or str(result.exception)


def closed():
    return json.loads(run("pauses", "--json"))


def test_a_pause_of_everything_stops_also_whom_nobody_knows_yet(ledger):
    assert run("pause", *STOP) == "everyone: paused *\n"
    assert closed() == {"*": {"*": "stop everything"}}
    event = a_threat_published(customer="initech")
    recorded(ledger, a_row(customer="initech"), event=event)
    assert not isinstance(asked(ledger, "initech:isolate:1"), Claim)
    assert "everyone: resumed *, 1 actions go on" in run("resume")
    assert closed() == {}
    assert isinstance(asked(ledger_at_once(ledger), "initech:isolate:1"), Claim)


def ledger_at_once(ledger):
    """As of now: what the ledger of this process knows of the switch is a moment old."""
    ledger._everyone = (float("-inf"), "{}")
    return ledger


def test_the_switch_of_one_verb_is_closed_listed_and_opened(ledger):
    ledger.accept([a_threat_published()])
    assert run("pause", "--customer", "acme", "--verb", "isolate", *STOP) == "acme: paused verb:isolate\n"
    assert closed() == {"acme": {"verb:isolate": "stop everything"}}
    assert "acme: resumed verb:isolate" in run("resume", "--customer", "acme", "--verb", "isolate")
    assert closed() == {}


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (("--customer", "acmee"), "no customer acmee: did you mean acme?"),
        (("--edr", "crowdstike"), "did you mean crowdstrike?"),
        (("--verb", "isolat"), "did you mean isolate?"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_what_is_near_to_it(ledger, command, words, suggestion):
    ledger.accept([a_threat_published()])
    more = STOP if command == "pause" else ()
    assert suggestion in run(command, *words, *more, status=2)
    assert closed() == {}


def test_a_customer_that_has_a_file_is_known_before_its_first_event(ledger, tmp_path):
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "globex.toml").write_text("")
    assert run("pause", "--customer", "globex", *STOP) == "globex: paused *\n"


def test_releases_are_never_paused(ledger):
    assert "isolate" in run("pause", "--verb", "release", *STOP, status=2)


def test_a_pause_says_why(ledger):
    assert "say why" in run("pause", "--reason", " ", status=2)


def test_opening_what_is_not_closed_is_no_success_and_says_what_is(ledger):
    ledger.accept([a_threat_published()])
    ledger.pause("acme", "*", "freeze")
    told = CliRunner().invoke(arctl, ["resume"])
    assert told.exit_code == 1
    assert "still paused: acme (*)" in told.output
    assert "nothing was paused by *" in str(told.exception)
    assert closed() == {"acme": {"*": "freeze"}}
