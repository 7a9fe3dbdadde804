"""`arctl holds`, `approve` and `deny`, over a real ledger."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.states import State
from tests.ledger.building import a_row, an_event, asked, recorded


@pytest.fixture
def ledger(real_redis, redis_url, monkeypatch, tmp_path):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    return ledger_at(redis_url)


def run(*words, status=0):
    result = CliRunner().invoke(arctl, words)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output or str(result.exception)


def held(ledger, customer="acme", number=2):
    """Isolations that the blast radius holds."""
    rows = [a_row(f"isolate:{n}", customer=customer, lane=f"crowdstrike/a{n}") for n in range(number)]
    recorded(ledger, *rows, event=an_event(customer=customer))
    for row in rows:
        asked(ledger, row.id, most=0)
    return [row.id for row in rows]


def states(ledger, ids):
    return [ledger.row(row_id).state for row_id in ids]


def test_nothing_held_is_said(ledger):
    assert run("holds") == "nothing is held\n"
    assert json.loads(run("holds", "--json")) == []


def test_what_is_held_is_listed_together_with_the_command_that_decides_it(ledger):
    acme, globex = held(ledger), held(ledger, "globex", 1)
    shown = run("holds")
    assert all(row_id in shown for row_id in (*acme, *globex))
    assert "acme: 2 held by blast_radius; `arctl approve --hold blast_radius --customer acme --reason WHY` lets all pass" in shown
    assert [row["id"] for row in json.loads(run("holds", "--json", "--customer", "globex"))] == globex
    assert run("holds", "--hold", "protected") == "nothing is held\n"


def a_file(folder, text):
    (folder / "customers").mkdir()
    (folder / "customers" / "acme.toml").write_text(f'mode = "live"\n[protect]\n{text}\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "; undecided, the first is called off at "),
        ('holds_expire = "24h"', "; undecided, the first is called off at "),
        ('holds_end = "keep"', "; undecided, it stays held"),
        ("what = 1", "--reason WHY` lets all pass, `arctl deny` calls them off\n"),
    ],
)
def test_it_is_said_when_what_is_held_ends_by_itself_where_the_customers_file_can_be_read(ledger, tmp_path, text, said):
    held(ledger)
    a_file(tmp_path, text)
    shown = run("holds")
    assert said in shown
    if "called off at" in said:
        life = timedelta(hours=24 if "24h" in text else 72)
        ends = min(row.held_at for row in ledger.held("acme")) + life
        assert f"called off at {ends:%Y-%m-%d %H:%M:%S} UTC" in shown
    assert json.loads(run("holds", "--json"))[0]["held_at"]


def test_what_the_kill_switch_holds_is_listed_with_the_way_back(ledger):
    recorded(ledger, a_row())
    ledger.pause("acme", "*", "stop")
    asked(ledger)
    assert "1 held by *; `arctl pauses` shows the switch, `arctl resume` brings them back" in run("holds")
    assert "nothing of that is held by a guard" in run("approve", "--threat", "THREAT-1", "--reason", "x", status=1)


def test_one_command_lets_all_of_a_customer_pass_and_no_other_customers(ledger):
    acme, globex = held(ledger), held(ledger, "globex", 1)
    assert "2 approved, 0 refused" in run("approve", "--hold", "blast_radius", "--customer", "acme", "--reason", "outbreak")
    assert states(ledger, acme) == [State.PENDING] * 2
    assert states(ledger, globex) == [State.HELD]


def test_one_command_calls_all_of_a_threat_off(ledger):
    acme = held(ledger)
    assert "2 denied, 0 refused" in run("deny", "--threat", "THREAT-1", "--reason", "authorized testing")
    assert states(ledger, acme) == [State.CANCELLED] * 2
    assert ledger.row(acme[0]).reason.endswith(": authorized testing")
    assert "nothing of that is held" in run("deny", "--threat", "THREAT-1", "--reason", "again", status=1)


def test_a_dry_run_says_which_and_does_nothing(ledger):
    acme = held(ledger)
    assert "2 would be approved" in run("approve", *acme, "--reason", "outbreak", "--dry-run")
    assert states(ledger, acme) == [State.HELD] * 2


def test_a_row_that_is_not_held_is_refused_and_the_others_are_decided(ledger):
    first, second = held(ledger)
    run("approve", first, "--reason", "outbreak")
    answer = json.loads(run("approve", first, second, "acme:isolate:none", "--reason", "outbreak", "--json", status=1))
    assert [each["result"] for each in answer["rows"]] == ["refused", "approved", "refused"]
    assert "only held rows can be approved" in answer["rows"][0]["reason"]
    assert "no such row" in answer["rows"][2]["reason"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reason", "x"), "name ids, or give --threat, or --hold"),
        (("acme:isolate:1", "--threat", "T", "--reason", "x"), "one of them"),
        (("acme:isolate:1", "--customer", "acme", "--reason", "x"), "an id names its customer"),
        (("acme:isolate:1",), "Missing option '--reason'"),
        (("acme:isolate:1", "--reason", " "), "must say something"),
        (("--hold", "blast-radius", "--reason", "x"), "did you mean blast_radius?"),
        (("--hold", "blast_radius", "--reason", "x"), "--hold goes with --customer"),
    ],
)
@pytest.mark.parametrize("command", ["approve", "deny"])
def test_what_cannot_be_meant_is_wrong_usage(ledger, command, words, said):
    held(ledger)
    assert said in run(command, *words, status=2)
