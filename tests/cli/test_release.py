"""`arctl release`: who may be released, what is recorded, and that it reaches the EDR."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import build, ledger_at
from ar_workers.cli import arctl
from ar_workers.cli.connection import leave_word
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from ar_workers.settings import load_settings
from tests.builders import a_threat_published, agent_id
from tests.edr.rigs.crowdstrike import crowdstrike
from tests.keys import FOLDER, PEOPLE

FALCON = """
[edr.crowdstrike]
remediate_groups = ["Remediate"]
base_url = "{url}"
client_id = "env:ACME_ID"
client_secret = "env:ACME_SECRET"
"""


@pytest.fixture
def rig(real_redis, redis_url, monkeypatch, tmp_path):
    with crowdstrike() as rig:
        (tmp_path / "acme.toml").write_text(FALCON.format(url=rig.server.url))
        settings = {"AR_REDIS_URL": redis_url, "AR_CUSTOMERS": str(tmp_path), "ACME_ID": "the-client", "ACME_SECRET": "canary-secret"}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield rig


def release(*words, status=0, agent=None, customer="acme", edr="crowdstrike"):
    command = ["release", "--customer", customer, "--edr", edr, "--agent-id", agent or agent_id("FIN-LT-07"), *words]
    result = CliRunner().invoke(arctl, command)
    assert result.exit_code == status, result.output
    return result.output or str(result.exception)


def environ_of(redis_url, tmp_path):
    secrets = {"ACME_ID": "the-client", "ACME_SECRET": "canary-secret"}
    return {"AR_KEYS": str(FOLDER), **PEOPLE, "AR_REDIS_URL": redis_url, "AR_CUSTOMERS": str(tmp_path), **secrets}


def services(redis_url, tmp_path):
    return build(load_settings(environ_of(redis_url, tmp_path)))


def test_a_release_reaches_the_edr_and_stands_in_the_timeline(rig, redis_url, tmp_path):
    rig.change(status="contained")
    told = json.loads(release("--reason", "false alarm", "--json"))
    working = services(redis_url, tmp_path)
    respond(working, [f"acme:event/{told['event']}"])
    row = working.ledger.rows("acme", told["threat"])[0]
    execute(working, [row.id])
    assert rig.effects() == [("release", agent_id("FIN-LT-07"))]
    texts = [entry.text for entry in working.ledger.threat("acme", told["threat"]).timeline]
    assert texts[0].endswith("asks to release FIN-LT-07: false alarm")


@pytest.mark.parametrize(("options", "is_dry"), [((), True), (("--live",), False)])
def test_of_a_customer_in_dry_run_it_is_rehearsed_unless_a_person_wants_it_live(rig, redis_url, tmp_path, options, is_dry):
    path = tmp_path / "acme.toml"
    path.write_text(f'mode = "dry_run"\n{path.read_text()}')
    rig.change(status="contained")
    told = json.loads(release(*options, "--json"))
    assert told["dry_run"] is is_dry
    working = services(redis_url, tmp_path)
    respond(working, [f"acme:event/{told['event']}"])
    (row,) = working.ledger.rows("acme", told["threat"])
    execute(working, [row.id])
    assert working.ledger.row(row.id).would is is_dry
    assert rig.effects() == ([] if is_dry else [("release", agent_id("FIN-LT-07"))])
    said = release(*options)
    assert ("DRY RUN: acme is in dry run, and FIN-LT-07 is not released; --live releases it all the same" in said) is is_dry


def test_every_call_is_a_request_of_its_own(rig):
    first, second = (json.loads(release("--json")) for _ in range(2))
    assert first["event"] != second["event"]
    assert {first["result"], second["result"]} == {"accepted"}


def test_a_release_hangs_on_the_threat_that_is_named(rig, redis_url, tmp_path):
    working = services(redis_url, tmp_path)
    working.ledger.accept([a_threat_published()])
    told = json.loads(release("--threat", "THREAT-1042", "--json"))
    respond(working, ["acme:event/ev-1", f"acme:event/{told['event']}"])
    assert {row.verb for row in working.ledger.rows("acme", "THREAT-1042") if row.kind == "action"} == {"isolate", "release"}


def test_a_release_undoes_an_isolation_that_has_not_begun(rig, redis_url, tmp_path):
    working = services(redis_url, tmp_path)
    working.ledger.accept([a_threat_published()])
    respond(working, ["acme:event/ev-1"])
    told = json.loads(release("--json"))
    respond(working, [f"acme:event/{told['event']}"])
    isolation = next(row for row in working.ledger.rows("acme", "THREAT-1042") if row.verb == "isolate")
    execute(working, [isolation.id])
    assert working.ledger.row(isolation.id).state is State.CANCELLED
    assert rig.effects() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"customer": "globex"}, "no customer globex: known are acme"),
        ({"edr": "defender"}, "acme has no defender: it has crowdstrike"),
        ({"agent": "0" * 32}, "no such endpoint"),
    ],
)
def test_what_is_not_known_is_refused_and_nothing_is_recorded(rig, redis_url, options, said):
    assert said in release(status=1, **options)
    assert ledger_at(redis_url).customers() == []


def test_an_unknown_threat_is_refused(rig):
    assert "acme has no threat THREAT-9" in release("--threat", "THREAT-9", status=1)


def test_an_id_that_none_can_have_is_wrong_usage(rig):
    assert "--agent-id" in release(agent="a/b", status=2)


def test_an_edr_that_is_away_does_not_keep_a_person_from_asking(rig):
    rig.server.stop()
    told = json.loads(release("--json"))
    assert told["result"] == "accepted"
    assert told["doubt"].startswith("the EDR cannot be asked now")


@pytest.mark.parametrize("broker", [None, "unix"])
def test_it_rings_where_everything_else_rings(rig, real_redis, redis_url, monkeypatch, tmp_path, broker):
    """The ledger is known by the word of `arctl up` alone; its workers may have a broker of their own."""
    monkeypatch.delenv("AR_REDIS_URL")
    monkeypatch.setenv("AR_HOME", str(tmp_path / "home"))
    leave_word(tmp_path / "home", redis_url, "")
    with ExitStack() as stack:
        rung = real_redis
        if broker:
            other = stack.enter_context(RedisServer(tmp_path / "broker", private=True))
            monkeypatch.setenv("AR_BROKER_URL", other.url)
            rung = stack.enter_context(connect(other.url))
        release()
        assert rung.llen("respond") == 1
