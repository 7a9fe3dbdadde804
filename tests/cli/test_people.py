"""`arctl people` and `arctl keys new`; and that no command decides anything for who has no key, or whose role does not let them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import ledger_at
from ar_workers.cli import arctl
from ar_workers.cli.beginning import name_the_first
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.people import PersonRole
from ar_workers.domain.states import State
from ar_workers.seals.people import Named, people_of, with_person
from ar_workers.seals.ring import new_key, trusted_key
from tests.ledger.building import NOON, a_row, asked, claimed, concluded, recorded


def run(*words, status=0):
    result = CliRunner().invoke(arctl, words)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output or str(result.exception)


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Nobody is named yet, and nobody has a key."""
    monkeypatch.delenv("AR_PEOPLE")
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    monkeypatch.setenv("AR_PERSON_KEY", str(tmp_path / "kim" / "person.key"))
    return tmp_path


def listed():
    return {each["name"]: each["role"] for each in json.loads(run("people", "--json"))}


def a_key():
    return trusted_key(new_key(), NOON).public


def test_where_nobody_is_named_one_line_names_who_types(home):
    assert "nobody may decide yet: `arctl people add NAME --role admin` makes a key of your own" in run("people")
    assert run("people", "add", "kim", "--role", "admin").startswith("kim is admin now, and may acknowledge, approve, ")
    (found,) = json.loads(run("people", "--json"))
    assert (found["name"], found["role"], found["is_you"], "approve" in found["may"]) == ("kim", "admin", True, True)
    assert (home / "people.toml").stat().st_mode & 0o777 == 0o600


def test_somebody_else_is_named_by_their_public_key(home):
    run("people", "add", "kim", "--role", "admin")
    run("people", "add", "lee", "--role", "approver", "--key", a_key())
    assert listed() == {"kim": "admin", "lee": "approver"}
    shown = run("people")
    assert "whoever may write that file says who may" in shown
    assert "acknowledge, approve, deny, pause" in shown


def test_who_is_taken_out_is_named_no_more_and_a_name_that_nobody_has_is_told_with_what_is_near(home):
    run("people", "add", "kim", "--role", "admin")
    run("people", "add", "lee", "--role", "viewer", "--key", a_key())
    assert "no person le: did you mean lee?" in run("people", "remove", "le", status=1)
    run("people", "remove", "lee")
    assert listed() == {"kim": "admin"}


def test_a_role_and_a_key_are_replaced_only_if_that_is_said(home):
    run("people", "add", "kim", "--role", "admin")
    assert "kim is named already: --replace" in run("people", "add", "kim", "--role", "viewer", status=1)
    run("people", "add", "kim", "--role", "viewer", "--replace")
    assert listed() == {"kim": "viewer"}


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (("lee", "--role", "aprover"), "did you mean approver?", 2),
        (("lee", "--role", "viewer", "--key", "no key"), "lee: key: ", 1),
        (("lee lee", "--role", "viewer", "--key", "KEY"), "lee lee: name: ", 1),
        (("lee", "--role", "viewer"), "stands there twice: nobody could tell who has decided", 1),
    ],
)
def test_what_cannot_be_meant_changes_nothing(home, words, said, status):
    run("people", "add", "kim", "--role", "admin")
    assert said in run("people", "add", *(a_key() if word == "KEY" else word for word in words), status=status)
    assert listed() == {"kim": "admin"}


def test_ones_own_key_is_made_once_and_it_is_said_how_it_gets_a_name(home):
    first = run("keys", "new")
    public = people_of({"AR_HOME": str(home), "AR_PERSON_KEY": str(home / "kim" / "person.key")}).public()
    assert f"your key was made; its public half is {public}" in first
    assert f"arctl people add NAME --role responder --key {public}" in first
    assert f"your key is there already; its public half is {public}" in run("keys", "new")
    run("people", "add", "kim", "--role", "approver")
    assert "you are kim, approver" in run("keys", "new")


def test_no_private_key_is_shown(home):
    shown = run("keys", "new") + run("people", "add", "kim", "--role", "admin") + run("people") + run("people", "--json")
    secret = "".join((home / "kim" / "person.key").read_text().splitlines()[1:-1])
    assert secret[-30:] not in shown


def environ(home, **more):
    return {"AR_HOME": str(home), "AR_PERSON_KEY": str(home / "kim" / "person.key"), **more}


def test_who_starts_the_service_first_is_its_admin_and_nobody_after_them(home, capsys, monkeypatch):
    monkeypatch.setenv("LOGNAME", "Kim Smith\\x")
    name_the_first(environ(home))
    assert "you are Kim-Smith-x here, and admin" in capsys.readouterr().out
    assert listed() == {"Kim-Smith-x": "admin"}
    name_the_first(environ(home, AR_PERSON_KEY=str(home / "lee.key")))
    assert listed() == {"Kim-Smith-x": "admin"}
    assert not (home / "lee.key").exists()


def test_a_file_that_a_person_fills_gets_no_admin_by_itself(home):
    name_the_first(environ(home, AR_PEOPLE=str(home / "elsewhere.toml")))
    assert list(home.iterdir()) == []


def test_who_comes_from_a_version_with_a_key_of_the_machine_is_told_what_becomes_of_it(home, capsys):
    (home / "keys").mkdir()
    (home / "keys" / "decide.key").write_text("")
    name_the_first(environ(home))
    assert "decide.key is of no use any more" in capsys.readouterr().out


# What decides


@pytest.fixture
def ledger(real_redis, redis_url, monkeypatch, home):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    ledger = ledger_at(redis_url)
    recorded(ledger, a_row(), a_row("isolate:2", lane="crowdstrike/a2"), a_row("isolate:3", lane="crowdstrike/a3"))
    asked(ledger, most=0)
    concluded(ledger, claimed(ledger, "acme:isolate:2"), VisitResult(state=State.FAILED, reason="because"))
    ledger._redis.hset("ar:paused", "verb:ban_hash", "freeze")
    return ledger


def name_me(home, role):
    people = people_of(environ(home))
    people.path.write_text(with_person("", Named(name="kim", role=PersonRole(role), key=people.make_key())))


WHY = ("--reason", "because")
DECIDES = {
    "approve": ("approve", "acme:isolate:1", *WHY),
    "deny": ("deny", "acme:isolate:1", *WHY),
    "requeue": ("actions", "requeue", "acme:isolate:2"),
    "acknowledge": ("actions", "acknowledge", "acme:isolate:3", *WHY),
    "resolve": ("deliveries", "resolve", "acme:slack:1", "--sent"),
    "pause": ("pause", *WHY),
    "resume": ("resume", "--verb", "ban_hash"),
    "release": ("release", "--customer", "acme", "--edr", "crowdstrike", "--agent-id", "a1"),
}


def everything(redis):
    return {key: redis.dump(key) for key in redis.keys() if not key.startswith("test")}


@pytest.mark.parametrize("command", DECIDES)
def test_nobody_decides_without_a_key_whatever_the_systems_user_is_called(ledger, real_redis, monkeypatch, command):
    monkeypatch.setenv("LOGNAME", "kim")
    before = everything(real_redis)
    assert "nobody may decide yet" in run(*DECIDES[command], status=1)
    assert everything(real_redis) == before


MAY_NOT = [("viewer", command) for command in DECIDES] + [("responder", command) for command in ("approve", "deny", "resume")]


@pytest.mark.parametrize(("role", "command"), MAY_NOT)
def test_nobody_decides_what_their_role_does_not_let_them(ledger, real_redis, home, role, command):
    name_me(home, role)
    before = everything(real_redis)
    assert f"kim is {role}, and may not {command}: " in run(*DECIDES[command], status=1)
    assert everything(real_redis) == before


def test_a_responder_requeues_what_failed_and_lets_nothing_pass_by_it(ledger, home):
    name_me(home, "responder")
    answer = json.loads(run("actions", "requeue", "acme:isolate:1", "acme:isolate:2", "--json", status=1))
    assert [each["result"] for each in answer["rows"]] == ["refused", "requeued"]
    assert "kim is responder, and may not approve" in answer["rows"][0]["reason"]
    assert ledger.row("acme:isolate:2").asked_by == "kim"


def test_a_responder_lengthens_a_pause_and_does_not_shorten_it(ledger, home):
    name_me(home, "responder")
    run("pause", *WHY, "--for", "2h")
    run("pause", *WHY, "--for", "3h")
    assert "kim is responder, and may not resume" in run("pause", *WHY, "--for", "1h", status=1)
    name_me(home, "approver")
    run("pause", *WHY, "--for", "1h")


@pytest.mark.parametrize("where", ["AR_TWO_PERSON", "acme.toml"])
@pytest.mark.parametrize("command", [("approve", "acme:isolate:2", *WHY), ("actions", "requeue", "acme:isolate:2")])
def test_where_two_are_needed_who_has_requeued_it_is_told_not_to_approve_it(ledger, home, monkeypatch, where, command):
    name_me(home, "admin")
    run("actions", "requeue", "acme:isolate:2")
    assert asked(ledger, "acme:isolate:2", most=0).reason == "held"
    if where == "acme.toml":
        (home / "customers").mkdir()
        (home / "customers" / "acme.toml").write_text("two_person = true\n")
    else:
        monkeypatch.setenv(where, "true")
    assert "kim has asked for it and cannot approve it, too" in run(*command, status=1)
    assert ledger.row("acme:isolate:2").state is State.HELD


def test_a_dry_run_needs_no_key(ledger):
    assert "1 would be approved" in run("approve", "acme:isolate:1", *WHY, "--dry-run")
    assert "1 would be requeued" in run("actions", "requeue", "acme:isolate:2", "--dry-run")


def test_what_was_decided_is_believed_by_who_knows_who_decided(ledger, home):
    name_me(home, "approver")
    run("approve", "acme:isolate:1", *WHY)
    claim = asked(ledger, most=0)
    assert (claim.approved_by, claim.forged) == ({"blast_radius": "kim"}, "")
