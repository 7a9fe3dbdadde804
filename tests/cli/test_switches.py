"""`arctl pause`, `resume` and `pauses`: whom they stop, and that a name that does not exist stops nobody in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.claims import Claim
from tests.builders import a_threat_published
from tests.keys import KIM
from tests.ledger.building import a_row, asked, claimed, recorded, refused

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


def listed():
    return json.loads(run("pauses", "--json"))


def closed():
    return {customer: {scope: each["reason"] for scope, each in switches.items()} for customer, switches in listed().items()}


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
    ledger._closed.clear()
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


def test_it_is_listed_who_paused_since_when_until_when_and_how_much_it_holds(ledger):
    recorded(ledger, a_row())
    run("pause", "--customer", "acme", *STOP, "--for", "2h")
    assert refused(ledger) == "held"
    pause = listed()["acme"]["*"]
    since, until = datetime.fromisoformat(pause["since"]), datetime.fromisoformat(pause["until"])
    assert (pause["by"], pause["reason"], pause["held"]) == (KIM, "stop everything", 1)
    assert abs(until - since - timedelta(hours=2)) < timedelta(minutes=10)
    assert 0 < pause["seconds_left"] <= 7200
    table = run("pauses")
    for words in (KIM, f"{since:%Y-%m-%d %H:%M:%S}", f"{until:%Y-%m-%d %H:%M:%S} (1 h ", "stop everything"):
        assert words in table


def test_what_the_switch_of_everyone_holds_is_counted_for_all_and_for_nobody_else(ledger):
    for customer in ("acme", "globex"):
        recorded(ledger, a_row(customer=customer), event=a_threat_published(customer=customer))
    run("pause", "--customer", "acme", "--verb", "ban_hash", *STOP)
    run("pause", *STOP)
    assert [refused(ledger, "acme:isolate:1"), refused(ledger, "globex:isolate:1")] == ["held", "held"]
    assert (listed()["*"]["*"]["held"], listed()["acme"]["verb:ban_hash"]["held"]) == (2, 0)
    assert (listed()["*"]["*"]["until"], listed()["*"]["*"]["seconds_left"]) == (None, None)
    assert "somebody opens it" in run("pauses")


def test_an_instant_is_taken_with_its_offset(ledger):
    assert run("pause", *STOP, "--until", "2096-12-01T06:00+01:00") == "everyone: paused * until 2096-12-01 05:00:00 UTC\n"
    assert listed()["*"]["*"]["until"] == "2096-12-01T05:00:00Z"
    assert ledger.pauses(None)["*"].until == datetime(2096, 12, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("--for", "0h"), "--for': '0h' would be over at once: say it as 90s, 45m or 2h"),
        (("--for", "-PT2H"), "--for': '-PT2H' would be over at once"),
        (("--for", "soon"), "--for': 'soon' is no duration: say it as 90s, 45m or 2h"),
        (("--for", "9" * 30 + "h"), "is no duration"),
        (("--for", "900000h"), "--for: ends after 2100: say it shorter"),
        (("--until", "2026-01-01T06:00+01:00"), "--until: 2026-01-01T06:00:00+01:00 has passed, it is "),
        (("--until", "2096-12-01T06:00"), "--until': '2096-12-01T06:00' has no offset from UTC: say it as 2026-12-01T06:00+01:00"),
        (("--until", "tomorrow"), "--until': 'tomorrow' is no instant: say it as 2026-12-01T06:00+01:00"),
        (("--until", "0001-01-01T00:00+14:00"), "has passed"),
        (("--until", "9999-12-31T23:59-14:00"), "--until: ends after 2100"),
        (("--until", "2096-12-01T06:00Z", "--for", "2h"), "give --for or --until, not both"),
    ],
)
def test_an_end_that_cannot_be_is_refused_with_what_to_say_instead(ledger, words, fix):
    assert fix in " ".join(run("pause", *STOP, *words, status=2).split())
    assert closed() == {}


def test_a_pause_that_is_made_again_says_whose_place_it_takes(ledger):
    recorded(ledger, a_row())
    ledger.pause("acme", "*", "change freeze", by=KIM)
    assert run("pause", "--customer", "acme", *STOP).splitlines() == [
        "acme: paused *",
        "acme: that takes the place of: paused by kim (*): change freeze",
    ]
    assert closed() == {"acme": {"*": "stop everything"}}


def test_who_resumed_stands_in_the_timeline(ledger):
    recorded(ledger, a_row())
    run("pause", "--customer", "acme", *STOP)
    assert refused(ledger) == "held"
    assert run("resume", "--customer", "acme") == "acme: resumed *, 1 actions go on\n"
    assert ledger.threat("acme", "THREAT-1").timeline[-1].text == f"held -> pending: resumed by {KIM}"


def test_a_pause_that_is_over_is_said_to_be_and_is_none_that_is_left_closed(ledger):
    recorded(ledger, a_row())
    ledger.pause("acme", "*", "freeze")
    assert refused(ledger) == "held"
    ledger.pause("acme", "*", "freeze", until=ledger.now())
    ledger.pause("acme", "verb:ban_hash", "freeze")
    assert "(over)" in run("pauses")
    assert (listed()["acme"]["*"]["seconds_left"], listed()["acme"]["*"]["held"]) == (0, 1)
    assert "still paused" not in run("resume", "--customer", "acme", "--verb", "ban_hash")
    assert "1 actions go on" in run("resume", "--customer", "acme")
    claimed(ledger)


@pytest.mark.parametrize(("kept", "reason"), [("freeze", "freeze"), ('{"by": 1}', 'its record cannot be read: {"by": 1}')])
def test_what_a_version_before_or_nobody_can_read_is_listed_and_opened(ledger, kept, reason):
    recorded(ledger, a_row())
    ledger._redis.hset("ar:{acme}:paused", "*", kept)
    assert closed() == {"acme": {"*": reason}}
    assert "not recorded" in run("pauses")
    assert "acme: resumed *" in run("resume", "--customer", "acme")
    assert closed() == {}
