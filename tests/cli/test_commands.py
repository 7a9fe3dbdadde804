"""`arctl` as people use it: what it says, what it does, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.channels.email import Config, Email
from ar_workers.cli import arctl, main
from ar_workers.cli.ingest import accept_all
from ar_workers.cli.redis_server import free_port
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.errors import ARError, InvalidEvent, LedgerUnavailable
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.notifications import Delivery, Receiver, remediation_summary
from ar_workers.domain.retries import life_of
from ar_workers.domain.states import State
from ar_workers.domain.summaries import summarise
from tests.builders import a_hash_ban, a_threat, a_threat_published, an_isolate
from tests.edr.rigs import SAMPLES
from tests.fakes import InlineDoorbell


@pytest.fixture
def ledger(real_redis, redis_url, monkeypatch, tmp_path):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "acme.toml").write_text("")
    return ledger_at(redis_url)


def run(*words, feed=None, status=0):
    result = CliRunner().invoke(arctl, words, input=feed)
    assert result.exit_code == status, result.output
    return result.output


def events(*ids):
    return "".join(a_threat_published(id=name).model_dump_json() + "\n" for name in ids)


def test_good_lines_are_accepted_and_bad_ones_named(ledger):
    output = run("ingest", "-", feed=events("e1") + "{}\n" + events("e2"), status=1)
    assert "-:2: refused: type:" in output.replace("<stdin>", "-")
    assert "2 accepted, 1 refused" in output


def test_the_same_call_again_finds_duplicates(ledger):
    run("ingest", "-", feed=events("e1"))
    assert "1 duplicate" in run("ingest", "-", feed=events("e1"))


def test_an_id_used_again_for_something_else_is_refused(ledger):
    run("ingest", "-", feed=events("e1"))
    other = a_threat_published(id="e1", endpoints=()).model_dump_json()
    assert "refused: id: was used before" in run("ingest", "-", feed=other, status=1)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_vendors_alert_is_accepted_for_the_customer_that_is_named(ledger, sample):
    words = ("ingest", "--format", sample.kind, "-")
    feed = json.dumps([sample.record, sample.record])
    assert "refused: customer: is not in a record" in run(*words, feed=feed, status=1)
    assert "1 accepted, 1 duplicate" in run(*words, "--customer", "acme", feed=feed)


def test_an_event_of_a_customer_without_a_file_is_refused_and_the_nearest_is_named(ledger, tmp_path):
    stranger = a_threat_published(id="e2", customer="acmee").model_dump_json()
    output = run("ingest", "-", feed=events("e1") + stranger, status=1)
    assert f"refused: customer: acmee is not configured, there is no {tmp_path}/customers/acmee.toml: did you mean acme?" in output
    assert "1 accepted, 1 refused" in output
    assert ledger.customers() == ["acme"]


def test_an_alert_is_refused_likewise_and_where_nobody_has_a_file_everybodys(ledger, tmp_path):
    alert = json.dumps(SAMPLES["defender"].record)
    assert "acmee is not configured" in run("ingest", "--format", "defender", "--customer", "acmee", "-", feed=alert, status=1)
    (tmp_path / "customers" / "acme.toml").unlink()
    assert "acme is not configured, " in run("ingest", "-", feed=events("e1"), status=1)


def test_every_record_is_told_as_json(ledger):
    lines = [
        json.loads(line)
        for line in run("ingest", "--json", "-", feed=events("e1") + "nonsense\n", status=1).splitlines()
        if line.startswith("{")
    ]
    assert sorted((each["line"], each["status"]) for each in lines) == [(1, "accepted"), (2, "refused")]


def test_the_schema_is_json_schema():
    assert "ThreatPublished" in json.loads(run("ingest", "--schema"))["$defs"]


def test_without_a_file_the_usage_is_told():
    assert "name a FILE" in run("ingest", status=2)


class GoneLedger:
    def outstanding(self, customer):
        raise LedgerUnavailable("away")

    def accept(self, events, *, unrung, by):
        raise LedgerUnavailable("away")


def test_if_redis_goes_away_every_line_is_told_and_none_is_lost():
    found = [(1, a_threat_published(id="e1")), (2, InvalidEvent("x", "bad")), (3, a_threat_published(id="e2"))]
    lines = [(line.line, line.status) for line in accept_all(GoneLedger(), InlineDoorbell(), found)]
    assert sorted(lines) == [(1, "not accepted"), (2, "refused"), (3, "not accepted")]


def ended(*words, monkeypatch, capsys):
    """Run the real entry point; returns its exit status and what it said."""
    monkeypatch.setattr("sys.argv", ["arctl", *words])
    with pytest.raises(SystemExit) as raised:
        main()
    return raised.value.code, capsys.readouterr().err.strip()


def test_without_redis_one_line_says_what_to_start(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    status, said = ended("threats", monkeypatch=monkeypatch, capsys=capsys)
    assert (status, said) == (3, "arctl: no Redis is known. Start one with `arctl up`, or name yours in AR_REDIS_URL.")


def test_a_redis_that_does_not_answer_is_named(monkeypatch, capsys):
    monkeypatch.setenv("AR_REDIS_URL", f"redis://:canary-password@127.0.0.1:{free_port()}/0")
    status, said = ended("threats", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 3
    assert said.startswith("arctl: AR_REDIS_URL does not answer (ConnectionError).")
    assert "canary" not in said


def test_a_wrong_configuration_is_told_whole(monkeypatch, capsys, tmp_path):
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "acme.toml").write_text("[protect]\nendpoint = 1\n")
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    status, said = ended("up", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 4
    assert "acme.toml: protect.endpoint: is not known; did you mean endpoints?" in said


@pytest.fixture
def failed(ledger):
    """Two failed actions and a done one."""
    event = a_threat_published()
    ledger.accept([event])
    orders = [an_isolate(), a_hash_ban(), a_hash_ban(md5="a" * 32)]
    rows = [action_row(each, event.threat_id, after=(), life=life_of(each.verb)) for each in orders]
    ledger.record([EventPlan(event=event, rows=rows)])
    for row, state in zip(rows, (State.FAILED, State.FAILED, State.DONE), strict=True):
        (claim,) = ledger.claim([row.id], owner=row.id, lease=timedelta(minutes=1), caps={})
        ledger.conclude([(claim, VisitResult(state=state, reason="denied" if state is State.FAILED else ""))])
    return [row.id for row in rows]


def test_threats_are_listed_and_shown(failed):
    assert "THREAT-1042" in run("threats")
    shown = run("threats", "show", "THREAT-1042")
    for part in ("isolate FIN-LT-07", "failed", "denied", "Timeline", "https://acme.ar.example/threats/1042"):
        assert part in shown
    document = json.loads(run("threats", "show", "THREAT-1042", "--json"))
    assert len(document["rows"]) == 3
    assert document["threat"]["timeline"][0]["text"] == "accepted"


def test_an_unknown_threat_is_an_error_that_says_what_to_do(ledger, monkeypatch, capsys):
    status, said = ended("threats", "show", "THREAT-9", monkeypatch=monkeypatch, capsys=capsys)
    assert (status, said) == (1, "arctl: no threat THREAT-9: `arctl threats` lists what is known")


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ((), 3),
        (("--state", "failed"), 2),
        (("--verb", "isolate"), 1),
        (("--edr", "crowdstrike"), 3),
        (("--state", "failed", "--edr", "defender"), 0),
        (("--since", (datetime.now(UTC) + timedelta(days=1)).isoformat()), 0),
    ],
)
def test_actions_are_filtered(failed, words, number):
    assert len(json.loads(run("actions", "--json", *words))) == number


def test_a_bad_since_is_refused(ledger):
    assert "neither like 30m, 24h, 7d nor an ISO date" in run("actions", "--since", "yesterday", status=2)


def test_a_dry_run_changes_nothing(failed, ledger):
    assert "2 would be requeued" in run("actions", "requeue", "--failed", "--dry-run")
    assert ledger.row(failed[0]).state is State.FAILED


def test_failed_actions_are_requeued_by_filter(failed, ledger):
    assert "1 requeued" in run("actions", "requeue", "--failed", "--verb", "isolate")
    assert [ledger.row(each).state for each in failed] == [State.PENDING, State.FAILED, State.DONE]
    assert ledger.row(failed[0]).generation == 2


def test_a_requeue_that_found_nothing_did_nothing_and_says_so(failed, ledger, monkeypatch, capsys):
    words = ("actions", "requeue", "--failed", "--edr", "defender")
    assert ended(*words, monkeypatch=monkeypatch, capsys=capsys) == (
        1,
        "arctl: nothing was requeued: no failed row is left by these filters",
    )
    assert json.loads(run(*words, "--json", status=1)) == {"rows": []}
    assert "0 would be requeued" in run(*words, "--dry-run")


def test_a_done_action_is_never_requeued(failed, ledger):
    output = run("actions", "requeue", failed[0], failed[2], status=1)
    assert f"{failed[2]}: refused: is done" in output
    assert "1 requeued, 1 refused" in output
    assert ledger.row(failed[2]).state is State.DONE


def test_requeue_wants_ids_or_failed(ledger):
    assert "not both" in run("actions", "requeue", status=2)
    assert "not both" in run("actions", "requeue", "x", "--failed", status=2)


def test_capabilities_are_a_table_or_json():
    assert "detect-only" in run("capabilities")
    cells = json.loads(run("capabilities", "--json"))
    assert {"edr": "crowdstrike", "verb": "isolate", "os": "macos", "means": "native", "remark": ""} in cells


@pytest.mark.parametrize(
    "words",
    [(), ("ingest",), ("threats",), ("threats", "show"), ("actions",), ("actions", "requeue"), ("pause",), ("resume",), ("up",), ("demo",)],
)
def test_every_command_has_help(words):
    assert "Usage:" in run(*words, "--help")


def a_finished_isolation(ledger):
    event = a_threat_published()
    ledger.accept([event])
    row = action_row(an_isolate(), "THREAT-1042", after=(), life=life_of("isolate"))
    ledger.record([EventPlan(event=event, rows=[row])])
    (claim,) = ledger.claim([row.id], owner="test", lease=timedelta(seconds=30), caps={})
    ledger.conclude([(claim, VisitResult(state=State.DONE, evidence="Falcon shows status contained", reference="order-1"))])


def test_a_summary_is_drafted_from_the_ledger_as_text_html_and_json(ledger):
    a_finished_isolation(ledger)
    text = run("summary", "THREAT-1042")
    assert text.startswith("Draft of the remediation summary: THREAT-1042\n")
    assert "done: Falcon shows status contained" in text
    found = json.loads(run("summary", "THREAT-1042", "--format", "json"))
    (entry,) = found["completed"]["entries"]
    assert (entry["reference"], entry["is_verified"], found["isolated"]) == ("order-1", True, ["FIN-LT-07"])
    assert found["accepted_at"]
    assert "<h2" in run("summary", "THREAT-1042", "--customer", "acme", "--format", "html")


def test_the_html_is_exactly_the_mails(ledger):
    a_finished_isolation(ledger)
    drafted = remediation_summary(
        "acme", a_threat(), summarise(ledger.rows("acme", "THREAT-1042"), a_threat(), ledger.threat("acme", "THREAT-1042").accepted_at)
    )
    mail = Email(Config(host="127.0.0.1", sender="tre@ar.example")).render(
        Delivery(notification=drafted, receiver=Receiver(channel="email", address="soc@acme.example")), "1"
    )
    assert mail.get_body(("html",)).get_content().replace("\r\n", "\n") == run("summary", "THREAT-1042", "--format", "html")


def test_a_summary_uses_the_operators_templates_and_says_if_they_fail(ledger, tmp_path):
    a_finished_isolation(ledger)
    (tmp_path / "templates").mkdir()
    own = tmp_path / "templates" / "remediation_summary.mail.txt.j2"
    own.write_text("Dear {{ customer }}, {{ essentials }}")
    assert run("summary", "THREAT-1042").startswith("Dear acme")
    own.write_text("{{ nothing }}")
    assert "template failed, plain text sent" in run("summary", "THREAT-1042")


def test_what_is_unknown_has_no_summary(ledger):
    ledger.accept([a_threat_published()])
    assert isinstance(CliRunner().invoke(arctl, ["summary", "THREAT-9"]).exception, ARError)
