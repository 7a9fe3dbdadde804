"""Nothing shown is shortened for good: the whole hash, path, key and ids of a threat are where people look for them."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from ar_workers.automations import action_needed
from ar_workers.channels.email import Config, Email
from ar_workers.cli import arctl
from ar_workers.domain.events import ActionStopped
from ar_workers.domain.indicators import Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.notifications import Delivery, Receiver, digest_of, remediation_summary
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.summary import summary_of
from tests.builders import NOON, a_context, a_delete, a_delivery, a_threat, a_threat_published, an_endpoint, an_ioc, sha256
from tests.cli.test_commands import ledger
from tests.fakes import FakeEDR, some_services

__all__ = ["ledger"]
THREAT_ID = "THREAT-" + "7" * 121
AGENT_ID = "c0ffee" * 21
HOSTNAME = "-".join(["finance-laptop-of-the-northern-branch"] * 6) + ".acme.example"
PATH = "C:\\Users\\kim\\App  Data\\" + "\\".join(["deep folder"] * 24) + "\\evil 1.exe"
IMAGE = PATH.replace("evil 1", "evil 2")
KEY = "HKLM\\Software\\" + "\\".join(["Run Once"] * 30)
VALUE = "Updater " * 20 + "end"
DOMAIN = ".".join(["a" * 60] * 3) + ".example"
HASH = sha256("evil")
NAMED = (HOSTNAME, PATH, IMAGE, f"{KEY} [{VALUE}]", f"sha256:{HASH}", DOMAIN)
#: Too long for anything to be done with it, and nevertheless to be found.
UNREADABLE = "C:\\" + "\\".join(["x" * 100] * 300)
STYLES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def rows(ledger):
    """The rows of a threat in which everything is long, after the workers have done what they can."""
    endpoint = an_endpoint(HOSTNAME, agent_id=AGENT_ID)
    there = {"agent_id": AGENT_ID}
    iocs = [
        an_ioc(FileHash(sha256=HASH)),
        an_ioc(Domain(domain=DOMAIN)),
        an_ioc(Process(pid=4711, image_path=IMAGE, sha256=HASH), **there),
        an_ioc(File(path=PATH, sha256=HASH), **there),
        an_ioc(RegistryKey(key=KEY, value=VALUE), **there),
        {"indicator": {"type": "file", "path": UNREADABLE}},
    ]
    event = a_threat_published(threat=a_threat(id=THREAT_ID), endpoints=(endpoint,), iocs=iocs)
    services = some_services(edr=FakeEDR(endpoints={AGENT_ID: endpoint}), ledger=ledger)
    ingest(ledger, services.doorbell, [event])
    services.doorbell.answer(services)
    found = ledger.rows("acme", THREAT_ID)
    assert {row.verb for row in found if row.state == "done"} >= {"isolate", "ban_hash", "ban_domain", "delete_registry_key"}
    return found


def run(*words):
    result = CliRunner().invoke(arctl, words, color=True)
    assert result.exit_code == 0, result.output
    return STYLES.sub("", result.output)


def ids(rows):
    return [row.id for row in rows]


@pytest.mark.parametrize("words", [("threats", "show", THREAT_ID), ("actions",)])
def test_piped_every_row_is_one_line_and_whole(rows, words):
    lines = run(*words).splitlines()
    for named in (*NAMED, UNREADABLE, THREAT_ID):
        assert [line for line in lines if named in line]
    for row in rows:
        assert len([line for line in lines if row.id in line and row.subject in line]) == 1


@pytest.mark.parametrize("words", [("threats", "show", THREAT_ID), ("actions",)])
def test_a_narrow_terminal_puts_nothing_into_an_id_a_hash_or_a_path(rows, words, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    output = run(*words).replace("\n", "")
    for named in (*NAMED, UNREADABLE, THREAT_ID, *ids(rows)):
        assert named in output


@pytest.mark.parametrize("columns", range(60, 200, 7))
def test_no_terminal_is_so_wide_that_an_id_or_a_hash_is_folded(columns, ledger, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    event = a_threat_published(iocs=(an_ioc(FileHash(sha256=HASH)),))
    services = some_services(edr=FakeEDR(endpoints={each.agent_id: each for each in event.endpoints}), ledger=ledger)
    ingest(ledger, services.doorbell, [event])
    services.doorbell.answer(services)
    for words in (("threats", "show", "THREAT-1042"), ("actions",)):
        output = run(*words)
        for row in ledger.rows("acme", "THREAT-1042"):
            assert row.id in output
            assert f"{row.verb} {row.subject}" in output


def test_json_is_whole(rows):
    shown, listed = json.loads(run("threats", "show", THREAT_ID, "--json")), json.loads(run("actions", "--json"))
    assert shown["threat"]["id"] == THREAT_ID
    for documents in (shown["rows"], listed):
        subjects = " ".join(each["subject"] for each in documents)
        assert [named for named in (*NAMED, UNREADABLE) if named not in subjects] == []
        assert [each["id"] for each in documents] == ids(rows)
        assert f"crowdstrike/{AGENT_ID}" in {each["lane"] for each in documents}


def test_the_text_of_the_summary_is_whole(rows):
    text = run("summary", THREAT_ID)
    for named in (*NAMED, UNREADABLE, THREAT_ID, *(row.reference for row in rows if row.kind == "action")):
        assert named in text


def test_the_mail_is_whole_in_both_parts(rows, ledger):
    note = remediation_summary("acme", a_threat(id=THREAT_ID), summary_of(ledger, "acme", a_threat(id=THREAT_ID), THREAT_ID), by="Kim")
    assert_whole_in_a_mail(note, (*NAMED, UNREADABLE, THREAT_ID))


@pytest.mark.parametrize("state", ["failed", "held"])
def test_the_mail_about_an_action_that_needs_somebody_is_whole(state):
    action = a_delete(an_endpoint(HOSTNAME), path=PATH)
    reason = f"pid 4711 runs {IMAGE}"
    event = ActionStopped(
        id=".stopped-1",
        customer="acme",
        occurred_at=NOON,
        threat_ref=THREAT_ID,
        threat=a_threat(id=THREAT_ID),
        verb=action.verb,
        subject=action.label,
        state=state,
        reason=reason,
        row="acme:delete_file:5f1e09c3a7d2b146",
    )
    for note in action_needed.plan(event, a_context()).notifications:
        assert_whole_in_a_mail(note, (action.label, reason))
        two = [a_delivery("email", "soc@acme.example").model_copy(update={"notification": note})] * 2
        assert_whole_in_a_mail(digest_of(two).notification, (action.label,))


def assert_whole_in_a_mail(note, names):
    delivery = Delivery(notification=note, receiver=Receiver(channel="email", address="soc@acme.example"))
    message = Email(Config(host="127.0.0.1", sender="tre@ar.example")).render(delivery, "d1")
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        assert [name for name in names if name not in body] == []
