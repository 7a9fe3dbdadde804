"""`arctl poll` as operators use it, against a pretend vendor and a pretend portal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.refusals import KeptRecord, key_of
from ar_workers.simulator import Fault
from tests.simulator.redcanary import KEY, a_detection, portal

FILE = """
[redcanary]
base_url = "env:ACME_PORTAL"
api_key = "env:ACME_KEY"
poll = true
"""


@pytest.fixture
def acme(real_redis, redis_url, monkeypatch, tmp_path):
    with portal([a_detection(1), a_detection(2)]) as simulation:
        (tmp_path / "acme.toml").write_text(FILE)
        for name, value in {
            "AR_REDIS_URL": redis_url,
            "AR_CUSTOMERS": str(tmp_path),
            "ACME_PORTAL": simulation.twins["redcanary"].url,
            "ACME_KEY": KEY,
        }.items():
            monkeypatch.setenv(name, value)
        yield simulation


def run(*words, status=0):
    result = CliRunner().invoke(arctl, ["poll", *words])
    assert result.exit_code == status, result.output
    return result.output


def test_each_feed_is_told_of_in_a_line(acme, redis_url):
    assert "acme/redcanary: 2 accepted, 0 known, 0 refused" in run("--once")
    assert "acme/redcanary: 0 accepted" in run("--once", "--customer", "acme", "--feed", "redcanary")
    known = ledger_at(redis_url).threats("acme", since=datetime(2020, 1, 1, tzinfo=UTC), limit=9)
    assert {each.id for each in known} == {"THREAT-1", "THREAT-2"}


def test_a_feed_that_failed_is_told_of_and_ends_with_1(acme):
    acme.faults.add(Fault(action="reply", status=403, body='{"error":{"message":"bad key"}}'))
    report = json.loads(run("--once", "--json", status=1))
    assert (report["customer"], report["feed"], report["accepted"]) == ("acme", "redcanary", 0)
    assert "403 bad key" in report["error"]


def spoiled(number, **attributes):
    """A detection that cannot be read, as there is no instant in it; its id is a stranger's."""
    return a_detection(number, confirmed_at=None, **attributes)


def test_a_record_that_cannot_be_read_is_named_and_kept_and_ends_with_1(acme):
    acme.world.tenant("acme").add_alert(spoiled(3))
    for _ in range(2):
        said = run("--once", status=1)
        assert "1 records that could not be read are kept: `arctl poll --refused` shows them" in said
    listed = run("--refused")
    assert "attributes.confirmed_at: is missing" in listed
    assert "acme" in listed
    assert "redcanary" in listed
    (record,) = json.loads(run("--refused", "--json"))["refused"]
    assert (record["customer"], record["feed"], record["id"], record["field"]) == ("acme", "redcanary", "3", "attributes.confirmed_at")
    assert record["payload"]["id"] == 3
    assert record["at"]


def test_what_is_kept_is_narrowed_by_customer_feed_and_record(acme):
    acme.world.tenant("acme").add_alert(spoiled(3))
    acme.world.tenant("acme").add_alert(spoiled(4))
    run("--once", status=1)
    assert json.loads(run("--refused", "--json", "--feed", "crowdstrike"))["refused"] == []
    assert [each["id"] for each in json.loads(run("--refused", "--json", "--record", "4"))["refused"]] == ["4"]
    assert "did you mean acme?" in run("--refused", "--customer", "acmee", status=2)


def test_reading_again_what_still_cannot_be_read_ends_with_1(acme):
    acme.world.tenant("acme").add_alert(spoiled(3))
    run("--once", status=1)
    assert "record 3 refused: attributes.confirmed_at: is missing" in run("--refused", "--again", status=1)
    assert "0 accepted, 0 known, 1 still refused" in run("--refused", "--again", status=1)
    assert json.loads(run("--refused", "--json"))["refused"]


def test_what_was_kept_by_an_older_version_is_read_again(acme, redis_url):
    ledger = ledger_at(redis_url)
    payload = a_detection(9)
    old = KeptRecord(id="9", field="attributes.severity", reason="is 'new'", key=key_of("9", payload), payload=payload)
    ledger.refuse("acme", "redcanary", [old])
    assert "1 accepted, 0 known, 0 still refused" in run("--refused", "--again")
    assert "no record that could not be read is kept" in run("--refused")
    assert "0 accepted" in run("--refused", "--again", status=1)
    assert ledger.threat("acme", "THREAT-9")
    run("--once")


def test_what_somebody_has_looked_at_is_taken_off_the_list_and_does_not_come_back(acme):
    acme.world.tenant("acme").add_alert(spoiled(3))
    run("--once", status=1)
    assert "1 forgotten" in run("--refused", "--forget")
    run("--once")
    assert "0 forgotten" in run("--refused", "--forget", status=1)


def test_a_strangers_text_cannot_steer_the_terminal(acme, redis_url):
    name = "\x1b]0;owned\x07[red]\u202e:smile:"
    ledger_at(redis_url).refuse(
        "acme", "redcanary", [KeptRecord(id=name, field="x\x1b[2J", reason="\x9b31m[bold]", key="a" * 32, payload={})]
    )
    said = run("--refused") + run("--refused", "--again", status=1)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said)
    assert "[red]" in said
    assert ":smile:" in said


def test_the_words_about_kept_records_go_with_refused_only(acme):
    assert "go with --refused" in run("--again", status=2)


def test_an_unknown_feed_is_wrong_usage_and_the_known_ones_are_named(acme):
    assert "no such feed; polled are acme/redcanary" in run("--once", "--feed", "defender", status=2)


def test_an_unknown_customer_is_wrong_usage_and_the_nearest_is_named(acme):
    assert "no customer acmee: did you mean acme? known are acme" in run("--once", "--customer", "acmee", status=2)
