"""What a stranger wrote is shown as it is: it ends no command, vanishes nowhere, and steers no terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ar_workers import cli
from ar_workers.cli import arctl
from ar_workers.cli.demo import _show_what_arrived
from ar_workers.cli.output import console, printable
from ar_workers.cli.scoreboard import Scoreboard
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.events import parse_event
from ar_workers.domain.new_rows import EventPlan, action_row, delivery_row
from ar_workers.domain.states import State
from tests.builders import a_delivery, a_key_deletion, a_threat, a_threat_published
from tests.cli.test_commands import ended, ledger

__all__ = ["ledger"]
LIKE_MARKUP = Path(__file__).parent / "events_that_look_like_markup.ndjson"
LIFE = timedelta(hours=1)
#: What a stranger wrote, and what is shown of it.
HOSTILE = {
    "/evil": "/evil",
    "a[/red]b": "a[/red]b",
    ":skull:": ":skull:",
    "[x]": "[x]",
    "acme:email:ff0c55aa": "acme:email:ff0c55aa",
    "\x1b[31mred": " [31mred",
    "\x1b]8;;https://evil.example\x07here\x1b]8;;\x07!": " ]8;;https://evil.example here ]8;; !",
    "fdp\u202eexe": "fdp exe",
    "over\rwritten": "over written",
}
#: Our own colours, and nothing else that a terminal obeys.
STYLES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(params=["piped", "terminal"])
def screen(request, monkeypatch):
    """How the output is looked at."""
    if request.param == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "500")
    return request.param


def plain(output):
    left = STYLES.sub("", output)
    assert [char for char in left if char != "\n" and unicodedata.category(char) in {"Cc", "Cf"}] == []
    return left


def run(*words, status=0, feed=None):
    result = CliRunner().invoke(arctl, words, input=feed, color=True)
    assert result.exit_code == status, (result.output, result.exception)
    return plain(result.output)


@pytest.fixture
def rows(ledger):
    """Actions on, and deliveries about, what looks like markup; they failed with words of that kind."""
    event = a_threat_published(threat=a_threat(classification="a[/red]b", title="/evil :skull: [x]"))
    actions = [a_key_deletion(key=rf"HKLM\Software\{number}", value="/evil :skull: [x]") for number in range(len(HOSTILE))]
    mails = [a_delivery("email", f"it{number}@acme.example") for number in range(len(HOSTILE))]
    made = [action_row(each, event.threat_id, after=(), life=LIFE) for each in actions]
    made += [delivery_row(each, event.id, event.threat_id, life=LIFE) for each in mails]
    ledger.accept([event])
    ledger.record([EventPlan(event=event, rows=made)])
    for row, words in zip(made, cycle(HOSTILE), strict=False):
        (claim,) = ledger.claim([row.id], owner=row.id, lease=LIFE, caps={})
        ledger.conclude([(claim, VisitResult(state=State.FAILED, reason=words, reference=words))])
    return made


@pytest.mark.usefixtures("screen")
@pytest.mark.parametrize("words", [("actions",), ("deliveries",), ("threats", "show", "THREAT-1042")])
def test_a_strangers_words_are_shown_as_they_are_and_ids_can_be_pasted_back(rows, words):
    output = run(*words)
    for shown in HOSTILE.values():
        assert shown in output
    for row in rows:
        if row.kind == "delivery" or words[0] != "deliveries":
            assert row.id in output


@pytest.mark.usefixtures("screen", "rows")
def test_a_title_and_a_classification_are_shown_as_they_are():
    assert "a[/red]b" in run("threats")
    assert "/evil :skull: [x]" in run("threats", "show", "THREAT-1042")


@pytest.mark.usefixtures("screen")
def test_published_names_that_look_like_markup_are_listed(ledger):
    events = [parse_event(json.loads(line)) for line in LIKE_MARKUP.read_text().splitlines()]
    ledger.accept(events)
    keys = [each.indicator for event in events for each in event.iocs if each.indicator.type == "registry"]
    made = [action_row(a_key_deletion(key=each.key, value=each.value), events[0].threat_id, after=(), life=LIFE) for each in keys]
    ledger.record([EventPlan(event=events[0], rows=made)])
    for words in (("threats",), ("actions",), ("threats", "show", events[0].threat_id)):
        output = run(*words)
        assert ("a[/red]b" if words == ("threats",) else "/evil") in output
        assert words == ("threats",) or "updater :skull:" in output


@pytest.mark.usefixtures("screen", "rows")
@pytest.mark.parametrize("table", [Scoreboard.progress, Scoreboard.result])
def test_the_scoreboard_shows_names_as_they_are(ledger, table):
    found = table(Scoreboard(ledger, {}))
    reader = Console(width=500)  # one that reads markup
    for each in (console(500), reader):
        with each.capture() as captured:
            each.print(found)
        output = plain(captured.get())
        assert "THREAT-1042" in output
        assert table is Scoreboard.progress or all(words in output for words in HOSTILE.values())


@pytest.mark.usefixtures("screen")
def test_the_demo_shows_what_arrived_as_it_is(tmp_path, capsys):
    words = " ".join(HOSTILE)
    slack = {"kind": "message", "vendor": "slack", "channel": words, "subject": words}
    mail = {"kind": "message", "vendor": "mail", "channel": words, "subject": words, "body": {"text": "Summary\n" + words}}
    journal = tmp_path / "journal.ndjson"
    journal.write_text("".join(json.dumps(each) + "\n" for each in (slack, mail)))
    _show_what_arrived(console(500), journal)
    assert plain(capsys.readouterr().out).count(" ".join(HOSTILE.values())) == 5


@pytest.mark.usefixtures("screen", "rows")
@pytest.mark.parametrize("words", ["/evil", "a[/red]b", ":skull:", "[x]"])
def test_why_the_switch_is_closed_is_shown_as_it_is(words):
    run("pause", "--customer", "acme", "--reason", words)
    assert words in run("pauses")


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("words", HOSTILE)
def test_a_message_steers_no_terminal(words):
    assert f"{HOSTILE[words]}: refused: no such row" in run("actions", "requeue", words, status=1)


@pytest.mark.usefixtures("ledger")
def test_a_refused_record_breaks_no_line_and_steers_no_terminal():
    record = {**a_threat_published().model_dump(mode="json"), "\x1b[31m\u202e\nthreats.ndjson: 9 accepted": 1}
    assert len(run("ingest", "-", feed=json.dumps(record), status=1).splitlines()) == 2


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(("words", "status"), [(("threats", "show", "T\u202e9"), 1), (("actions", "--state", "T\u202e9"), 2)])
def test_an_error_steers_no_terminal(words, status, monkeypatch, capsys):
    found, said = ended(*words, monkeypatch=monkeypatch, capsys=capsys)
    assert found == status
    assert "T 9" in plain(said)


def test_json_is_exact(rows):
    found = json.loads(CliRunner().invoke(arctl, ["actions", "--json"]).output)
    assert {each["reason"] for each in found} == set(HOSTILE)


def test_lines_stay_lines():
    assert printable("a\r\nb\nc\td") == "a\nb\nc d"


def test_one_module_alone_writes_to_the_terminal():
    writes = re.compile(r"click\.s?echo\(|\bConsole\(|(?<!\.)\bprint\(|from_markup|sys\.std(out|err)")
    found = {path.name for path in Path(cli.__file__).parent.glob("*.py") if writes.search(path.read_text())}
    assert found == {"output.py"}


@pytest.mark.parametrize("since", ["²d", "99999999999999d", "1e3h"])
@pytest.mark.usefixtures("ledger")
def test_a_time_that_cannot_be_is_wrong_usage(since):
    assert "neither like 30m" in run("actions", "--since", since, status=2)
