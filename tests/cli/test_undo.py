"""`arctl undo`: the plan in words and numbers, one question, and that it reaches the EDR."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import build, ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.states import State
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from ar_workers.settings import load_settings
from tests.builders import NOON, a_threat, a_threat_published, an_endpoint, an_ioc, sha256
from tests.edr.rigs.crowdstrike import crowdstrike

from .test_release import FALCON, environ_of


class World:
    """A Falcon twin, a ledger, and what workers do between commands."""

    def __init__(self, rig, redis_url, environ, path):
        self.rig, self.ledger, self.path = rig, ledger_at(redis_url), path
        self.environ = environ

    def work(self, *event_ids, threat="THREAT-1042"):
        services = build(load_settings(self.environ))
        respond(services, [f"acme:event/{each}" for each in event_ids])
        for _ in range(3):
            self.rig.simulation.clock.advance(90)
            execute(services, [row.id for row in self.ledger.rows("acme", threat) if row.kind == "action"])

    def publish(self, threat="THREAT-1042"):
        """An isolation and a ban, done."""
        event = a_threat_published(id=f"ev-{threat}", threat=a_threat(id=threat), endpoints=(an_endpoint(),), iocs=(an_ioc(),))
        self.ledger.accept([event])
        self.work(event.id, threat=threat)
        self.rig.forget()

    def row(self, verb, threat="THREAT-1042"):
        return next(row for row in self.ledger.rows("acme", threat) if row.verb == verb)


@pytest.fixture
def world(real_redis, redis_url, monkeypatch, tmp_path):
    with crowdstrike() as rig:
        path = tmp_path / "acme.toml"
        path.write_text(FALCON.format(url=rig.server.url))
        environ = environ_of(redis_url, tmp_path)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        made = World(rig, redis_url, environ, path)
        made.publish()
        yield made


def undo(*words, status=0, answer=None):
    result = CliRunner().invoke(arctl, ["undo", *words], input=answer)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output + (str(result.exception) if result.exception else "")


def told(*words, status=0):
    return json.loads(undo(*words, "--json", status=status).partition("\n}")[0] + "\n}")


def test_what_a_threat_came_to_is_undone_and_verified(world):
    found = told("--threat", "THREAT-1042", "--yes", "--reason", "false alarm")
    assert {each["verb"]: each["undo"] for each in found["plan"]} == {"isolate": "release", "ban_hash": "unban_hash"}
    world.work(found["recorded"][0]["event"])
    assert sorted(world.rig.effects()) == [("release", an_endpoint().agent_id), ("unban_hash", sha256("evil"))]
    assert {world.row(verb).state for verb in ("release", "unban_hash")} <= {State.DONE, State.PERFORMED}
    texts = [entry.text for entry in world.ledger.threat("acme", "THREAT-1042").timeline]
    assert any(text.endswith("asks to undo 2 actions: false alarm") for text in texts)


def test_one_action_is_undone_by_its_id(world):
    found = told(world.row("ban_hash").id, "--yes")
    world.work(found["recorded"][0]["event"])
    assert world.rig.effects() == [("unban_hash", sha256("evil"))]


def test_the_plan_is_shown_and_asked_about_once(world):
    said = undo("--threat", "THREAT-1042", answer="y\n")
    assert "unban hash" in said
    assert "2 can be undone, 0 not" in said
    assert "Undo 2 actions?" in said
    assert "undo recorded" in said


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_without_a_yes_nothing_is_recorded(world, answer):
    assert "nothing was recorded" in undo("--threat", "THREAT-1042", answer=answer, status=1)
    assert not any("asks to undo" in entry.text for entry in world.ledger.threat("acme", "THREAT-1042").timeline)


def test_a_dry_run_shows_the_plan_and_records_nothing(world):
    assert len(told("--threat", "THREAT-1042", "--dry-run")["plan"]) == 2
    assert "2 can be undone" in undo("--threat", "THREAT-1042", "--dry-run")
    assert not any("asks to undo" in entry.text for entry in world.ledger.threat("acme", "THREAT-1042").timeline)


def test_what_is_undone_already_is_no_success(world):
    found = told("--threat", "THREAT-1042", "--yes")
    world.work(found["recorded"][0]["event"])
    said = undo("--threat", "THREAT-1042", "--yes", status=1)
    assert "is undone already, undone by" in said
    assert "there is nothing to undo" in said
    again = told("--threat", "THREAT-1042", "--yes", status=1)
    assert (again["recorded"], {each["undo"] for each in again["plan"]}) == ([], {None})


def test_of_a_customer_in_dry_run_it_is_rehearsed_unless_it_is_wanted_live(world):
    world.path.write_text(f'mode = "dry_run"\n{world.path.read_text()}')
    assert "nothing is undone; --live undoes it all the same" in undo("--threat", "THREAT-1042", "--yes")
    assert "DRY RUN" not in undo("--threat", "THREAT-1042", "--yes", "--live")


def test_an_action_of_the_other_kind_says_why_not(world):
    delivery = next(row for row in world.ledger.rows("acme", "THREAT-1042") if row.kind == "delivery")
    assert "a message cannot be taken back" in undo(delivery.id, "--yes", status=1)


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        ((), "name ids, or give --threat", 2),
        (("acme:ban_hash:0", "--threat", "THREAT-1042"), "one of them", 2),
        (("acme:ban_hash:0", "--customer", "acme"), "an id names its customer", 2),
        (("--threat", "THREAT-1042", "--json"), "--json goes with --yes or --dry-run", 2),
        (("acme:ban_hash:0", "--yes"), "no such row: `arctl actions` lists ids", 1),
        (("--threat", "THREAT-9", "--yes"), "no threat THREAT-9", 1),
    ],
)
def test_what_is_not_known_or_not_clear_is_refused(world, words, said, status):
    assert said in undo(*words, status=status)


def test_a_closed_threat_shows_what_can_be_undone_and_how(world):
    def shown(*words):
        return CliRunner().invoke(arctl, ["threats", "show", "THREAT-1042", *words]).output

    assert "arctl undo" not in shown()
    closing = ThreatClosed(id="c1", customer="acme", occurred_at=NOON, threat=a_threat(), reason="false_positive", is_false_positive=True)
    world.ledger.accept([closing])
    world.work("c1")
    assert "`arctl undo --threat THREAT-1042 --customer acme` undoes it" in shown()
    assert {each["undo"] for each in json.loads(shown("--json"))["undo"]} == {"release", "unban_hash"}
    world.work(told("--threat", "THREAT-1042", "--yes")["recorded"][0]["event"])
    assert "arctl undo" not in shown()


def test_a_machine_without_keys_shows_a_closed_threat_and_says_what_it_cannot_tell(world, monkeypatch, tmp_path):
    world.ledger.accept([ThreatClosed(id="c1", customer="acme", occurred_at=NOON, threat=a_threat(), reason="over")])
    world.work("c1")
    monkeypatch.setenv("AR_KEYS", str(tmp_path / "none"))
    result = CliRunner().invoke(arctl, ["threats", "show", "THREAT-1042"])
    assert result.exit_code == 0, result.exception
    assert "isolate FIN-LT-07" in result.output
    assert "cannot be told here" in result.output
