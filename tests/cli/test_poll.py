"""`arctl poll` as operators use it, against a pretend vendor and a pretend portal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
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


def test_a_record_that_cannot_be_read_is_named(acme):
    acme.world.tenant("acme").add_alert(a_detection(3, severity=None))
    assert "record 3 refused: attributes.severity: is missing" in run("--once")


def test_an_unknown_feed_is_wrong_usage_and_the_known_ones_are_named(acme):
    assert "no such feed; polled are acme/redcanary" in run("--once", "--feed", "defender", status=2)


def test_an_unknown_customer_is_wrong_usage_and_the_nearest_is_named(acme):
    assert "no customer acmee: did you mean acme? known are acme" in run("--once", "--customer", "acmee", status=2)
