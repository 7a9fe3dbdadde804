"""`arctl audit`, over a real ledger."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from ar_workers.audit.chain import ChainFolder
from ar_workers.bootstrap import build, ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.states import State
from ar_workers.ledger.trail import RedisTrail
from ar_workers.pipeline.auditing import chain
from ar_workers.settings import load_settings
from tests.keys import SEALS
from tests.ledger.building import a_row, an_event, begun, claimed, concluded, recorded


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AR_AUDIT", str(tmp_path / "audit"))
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    return tmp_path / "audit" / "chains"


@pytest.fixture
def ledger(folder, real_redis, redis_url, monkeypatch):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    return ledger_at(redis_url)


@pytest.fixture
def chained(ledger, folder):
    """An isolation that is done, in the ledger and in the chain."""
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.DONE, evidence="contained"))
    trail = RedisTrail(ledger)
    taken = trail.unchained("acme", 100, "here")
    ChainFolder(folder, SEALS).append("acme", taken)
    trail.chained("acme", taken.first, len(taken.moves))
    return taken.moves


def run(*words, status=0):
    result = CliRunner().invoke(arctl, ["audit", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return result.output or str(result.exception)


def the_file(folder):
    return next((folder / "acme").glob("*.ndjson"))


def test_a_worker_for_housekeeping_makes_the_record_where_the_settings_say(ledger, folder, redis_url, tmp_path):
    recorded(ledger, a_row())
    services = build(load_settings({"AR_REDIS_URL": redis_url, "AR_HOME": str(tmp_path), "AR_KEYS": os.environ["AR_KEYS"]}))
    assert chain(services) > 0
    assert (folder / "acme" / "anchor").exists()
    assert "acme: as it was written" in run("verify")
    assert list((tmp_path / "audit" / "door").glob("*.ndjson"))


def test_a_record_that_is_as_it_was_written_is_said_to_be(chained):
    shown = run("verify")
    assert f"acme: {len(chained) + 1} links" in shown
    assert "acme: as it was written" in shown
    (document,) = json.loads(run("verify", "--json", "--customer", "acme"))
    assert (document["is_as_written"], document["findings"], document["links"]) == (True, [], len(chained) + 1)
    end = f"{document['end']['link']}:{document['end']['hash']}"
    assert end in shown
    assert "as it was written" in run("verify", "--customer", "acme", "--seen", end)
    assert "does not contain that end" in run("verify", "--customer", "acme", "--seen", f"3:{'0' * 64}", status=1)


def test_what_was_changed_is_told_with_its_place_and_the_status_is_1(chained, folder):
    path = the_file(folder)
    path.write_bytes(path.read_bytes().replace(b"contained", b"released_"))
    shown = run("verify", status=1)
    assert f"acme: {path.name}:" in shown
    assert "acme: NOT as it was written" in shown
    (document,) = json.loads(run("verify", "--json", status=1))
    assert (document["is_as_written"], bool(document["findings"])) == (False, True)


def test_a_timeline_that_was_changed_in_redis_is_told_where_people_look(chained, real_redis):
    real_redis.rpop("ar:{acme}:threat:THREAT-1:timeline")
    assert "its timeline was cut" in run("verify", status=1)
    assert "as it was written" in run("verify", "--files-only")
    shown = CliRunner().invoke(arctl, ["threats", "show", "THREAT-1"])
    assert "NOT AS RECORDED: its timeline was cut" in shown.output
    document = json.loads(CliRunner().invoke(arctl, ["threats", "show", "THREAT-1", "--json"]).output)
    assert "its timeline was cut" in document["differs_from_record"][0]


def test_a_threat_as_it_was_recorded_is_shown_without_a_word_of_that(chained):
    assert "NOT AS RECORDED" not in CliRunner().invoke(arctl, ["threats", "show", "THREAT-1"]).output
    assert json.loads(CliRunner().invoke(arctl, ["threats", "show", "THREAT-1", "--json"]).output)["differs_from_record"] == []


def test_of_a_record_on_another_machine_nothing_is_claimed(ledger):
    recorded(ledger, a_row())
    document = json.loads(CliRunner().invoke(arctl, ["threats", "show", "THREAT-1", "--json"]).output)
    assert document["differs_from_record"] is None


def test_moves_that_another_folder_took_are_missed(chained, ledger):
    recorded(ledger, a_row("isolate:2"), event=an_event("e2", "THREAT-2"))
    trail = RedisTrail(ledger)
    waiting = trail.waiting("acme")
    trail.chained("acme", waiting.first, len(waiting.moves))
    assert "another folder has them, or its end was cut off" in run("verify", status=1)


def test_files_alone_can_be_verified_without_redis(chained, monkeypatch):
    monkeypatch.setenv("AR_REDIS_URL", "redis://127.0.0.1:1/0")
    assert "as it was written" in run("verify", "--files-only")
    assert "does not answer" in run("verify", status=1)


def test_no_record_is_no_success(folder):
    assert "there is no record in" in run("verify", "--files-only", status=1)


def test_a_customer_without_a_record_is_refused_with_what_is_near(chained):
    assert "did you mean acme?" in run("verify", "--customer", "acmee", status=2)
    assert "did you mean acme?" in run("export", "--customer", "acmee", status=2)


@pytest.mark.parametrize("text", ["12", "x:y", "12:"])
def test_an_end_that_is_none_is_wrong_usage(chained, text):
    assert "is not like" in run("verify", "--customer", "acme", "--seen", text, status=2)


def test_an_end_is_of_one_customer(chained):
    assert "of one customer" in run("verify", "--seen", "1:ab", "--customer", "acme", "--customer", "acme", status=2)


def test_the_record_is_exported_line_by_line_as_it_is_chained(chained, folder):
    lines = run("export", "--customer", "acme").splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(line) for line in the_file(folder).read_bytes().splitlines()]
    of_threat = [json.loads(line)["threat"] for line in run("export", "--customer", "acme", "--threat", "THREAT-1").splitlines()]
    assert of_threat == ["THREAT-1"] * len(chained)
    assert "nothing of that" in run("export", "--customer", "acme", "--threat", "THREAT-2", status=1)
    assert "nothing of that" in run("export", "--customer", "acme", "--since", "2999-01-01", status=1)


def test_a_line_that_is_no_link_is_left_out_and_told(chained, folder):
    path = the_file(folder)
    path.write_bytes(b"hello\n" + path.read_bytes())
    result = CliRunner().invoke(arctl, ["audit", "export", "--customer", "acme"])
    assert result.exit_code == 1
    assert f"{path.name}:1: is no link" in result.stderr
    assert len(result.stdout.splitlines()) == len(chained) + 1


def test_the_record_is_exported_as_ocsf(chained):
    events = [json.loads(line) for line in run("export", "--customer", "acme", "--format", "ocsf").splitlines()]
    done = events[-1]
    assert (done["class_uid"], done["type_uid"], done["activity_name"], done["status"]) == (7004, 700401, "Isolate", "Success")
    assert (done["command_uid"], done["metadata"]["tenant_uid"], done["unmapped"]["evidence"]) == ("acme:isolate:1", "acme", "contained")
    assert {each["class_uid"] for each in events} == {0, 7004}
