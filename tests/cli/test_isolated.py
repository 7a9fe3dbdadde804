"""`arctl isolated`, `arctl actions acknowledge`, and what listings say of an endpoint."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.bootstrap import build, ledger_at
from ar_workers.cli import arctl
from ar_workers.domain.errors import ARError
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.states import State
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from ar_workers.settings import load_settings
from tests.builders import NOON, a_threat, a_threat_published, agent_id, an_endpoint
from tests.edr.rigs.crowdstrike import crowdstrike
from tests.keys import KIM

from .test_release import FALCON, environ_of

FIN = agent_id("FIN-LT-07")


class World:
    """A Falcon twin, a ledger, and what workers do between commands."""

    def __init__(self, rig, redis_url, environ):
        self.rig, self.ledger = rig, ledger_at(redis_url)
        self.services = build(load_settings(environ))

    def work(self, event, verb):
        self.ledger.accept([event])
        respond(self.services, [f"acme:event/{event.id}"])
        (row,) = [each for each in self.ledger.rows("acme", event.threat_id) if each.verb == verb][-1:]
        execute(self.services, [row.id])
        return row.id

    def isolate(self, threat="THREAT-1042"):
        event = a_threat_published(id=f"ev-{threat}", threat=a_threat(id=threat), endpoints=(an_endpoint(),))
        return self.work(event, "isolate")

    def release(self):
        wish = {"id": "r1", "customer": "acme", "occurred_at": NOON, "endpoint": an_endpoint(), "requested_by": "sam", "reason": "clean"}
        return self.work(ReleaseRequested(**wish), "release")


@pytest.fixture
def world(real_redis, redis_url, monkeypatch, tmp_path):
    with crowdstrike() as rig:
        (tmp_path / "acme.toml").write_text(FALCON.format(url=rig.server.url))
        environ = environ_of(redis_url, tmp_path)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        yield World(rig, redis_url, environ)


def run(*words, status=0):
    result = CliRunner().invoke(arctl, words)
    assert result.exit_code == status, result.output
    return result.output or str(result.exception)


def listed(*words, status=0):
    return json.loads(run("isolated", "--json", *words, status=status))


def test_with_nobody_isolated_it_says_so(world):
    assert run("isolated") == "no endpoint is isolated, as far as the EDRs were asked\n"
    assert listed() == {"endpoints": [], "problems": []}


def test_it_lists_who_since_when_for_which_threat_and_how_to_release(world):
    world.rig.change(status="contained")
    world.isolate()
    (found,) = listed()["endpoints"]
    assert (found["hostname"], found["customer"], found["edr"], found["threat"]) == ("FIN-LT-07", "acme", "crowdstrike", "THREAT-1042")
    assert (found["is_ours"], found["evidence"]) == (False, "Falcon shows status contained")
    assert found["release"] == f"arctl release --customer acme --edr crowdstrike --agent-id {FIN}"
    assert found["since"] == found["last_asked"]
    table = run("isolated", "--customer", "acme")
    assert all(words in table for words in ("FIN-LT-07", "or before", "THREAT-1042 (found so)", found["release"]))


def test_a_released_endpoint_is_listed_no_more(world):
    world.rig.change(status="contained")
    world.isolate()
    world.rig.change(status="normal")
    world.release()
    assert listed()["endpoints"] == []


def test_a_customer_that_does_not_exist_is_refused(world):
    assert "no customer acmee: did you mean acme?" in run("isolated", "--customer", "acmee", status=2)


def test_the_edr_is_asked_now_and_a_release_in_its_console_is_seen(world):
    world.rig.change(status="contained")
    world.isolate()
    before = listed()["endpoints"][0]["last_asked"]
    assert listed("--check")["endpoints"][0]["last_asked"] > before
    world.rig.change(status="lift_containment_pending")
    assert listed("--check")["endpoints"][0]["evidence"].startswith("Falcon shows status lift_containment_pending")
    world.rig.change(status="normal")
    assert len(listed()["endpoints"]) == 1
    assert listed("--check")["endpoints"] == []
    assert world.rig.written() == []


def test_an_edr_that_cannot_be_asked_is_named_and_the_endpoint_stays_listed(world):
    world.rig.change(status="contained")
    world.isolate()
    world.rig.server.stop()
    answer = listed("--check", status=1)
    assert len(answer["endpoints"]) == 1
    assert answer["problems"][0].startswith("FIN-LT-07: ")


def test_a_listing_says_what_the_endpoint_was_last_shown_whatever_threat_moved_it(world):
    world.rig.change(status="contained")
    name = world.isolate()
    assert "Falcon shows status contained; shown contained at " in run("threats", "show", "THREAT-1042")
    world.rig.change(status="normal")
    world.release()
    assert "shown not contained at " in run("actions", "--verb", "isolate")
    assert ", released by sam" in run("actions", "--verb", "isolate")
    (document,) = json.loads(run("actions", "--verb", "isolate", "--json"))
    assert (document["id"], document["state"], document["endpoint"]["is_isolated"]) == (name, "already", False)


def test_an_acknowledgement_is_shown_in_listings_with_who_and_why(world):
    name = world.isolate()
    said = run("actions", "acknowledge", name, "--reason", "in the post\x1b[31m")
    assert said == f"{name}: acknowledged by {KIM}; the isolation goes on\n"
    assert f"acknowledged by {KIM} at " in run("actions", "--verb", "isolate")
    (document,) = json.loads(run("actions", "--verb", "isolate", "--json"))
    assert (document["acknowledged_by"], document["acknowledged_why"]) == (KIM, "in the post [31m")
    assert world.ledger.row(name).state is State.PERFORMED


def test_an_acknowledgement_needs_a_reason(world):
    name = world.isolate()
    assert "--reason" in run("actions", "acknowledge", name, status=2)
    assert "--reason" in run("actions", "acknowledge", name, "--reason", " ", status=2)


def test_what_is_no_open_isolation_is_refused(world):
    world.rig.change(status="contained")
    name = world.isolate()
    for row_id, why in (
        (name, "is already: only an isolation that is still open"),
        ("acme:isolate:0", "no such row: `arctl actions` lists ids"),
    ):
        with pytest.raises(ARError, match=why):
            CliRunner().invoke(arctl, ["actions", "acknowledge", row_id, "--reason", "x"], catch_exceptions=False)


@pytest.mark.parametrize("event", [a_threat_published(), a_threat_published().to_be_rehearsed()], ids=["in earnest", "dry"])
def test_listings_tell_what_was_rehearsed_from_what_was_done(world, event):
    world.work(event, "isolate")
    is_dry, name = event.dry_run, event.threat_id
    shown, rows = run("threats", "show", name), json.loads(run("threats", "show", name, "--json"))
    assert rows["dry_run"] == ("yes" if is_dry else "no")
    (row,) = (each for each in rows["rows"] if each["verb"] == "isolate")
    assert (row["is_dry"], row["would"]) == (is_dry, is_dry)
    assert shown.startswith(f"DRY RUN: {name}") is is_dry
    for text, words in ((shown, "skipped DRY RUN"), (run("actions"), "skipped DRY RUN"), (run("threats"), "DRY RUN: pending 2 would 1")):
        assert (words in text) is is_dry
    assert (run("summary", name).startswith("DRY RUN: ")) is is_dry
    assert ("would be done (DRY RUN)" in run("summary", name)) is is_dry
    assert ("DRY RUN: " in run("deliveries")) is is_dry
