"""However much an event names, or however many events: exactly the cap is done, and what is beyond is held and told as one page."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from ar_workers.channels import pagerduty
from ar_workers.cli import arctl
from ar_workers.domain.canvas import Queue
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.events import MOST_ENDPOINTS, parse_event
from ar_workers.domain.guards import Guard
from ar_workers.domain.notifications import Kind
from ar_workers.domain.states import State
from ar_workers.edr.crowdstrike import Config, CrowdStrike
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.holds import mind_holds
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.reminders import remind
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from ar_workers.seals import seals_of
from ar_workers.simulator import Simulation, World
from ar_workers.sources.records import records
from tests.builders import NOON, a_policy, agent_id, an_endpoint, capabilities
from tests.clocks import ManualClock, by_hand
from tests.edr.rigs import RIGS
from tests.fakes import some_services
from tests.pipeline.building import published
from tests.security.sizes import FULL, SIZES

#: Of the whole size each storm takes minutes.
pytestmark = pytest.mark.timeout(3600 if SIZES is FULL else 180)
WORKERS = 4
CAP = 25
MINUTE = timedelta(minutes=1)
PAGES = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))


def hosts(number):
    return [an_endpoint(f"PC-{n}") for n in range(number)]


def a_tenant(number):
    """A Falcon tenant with so many endpoints in its remediate group."""
    listed = [
        {"agent_id": agent_id(f"PC-{n}"), "hostname": f"PC-{n}", "platform": "Windows", "groups": ["g1"], "check_in_delay": 0}
        for n in range(number)
    ]
    tenant = {
        "credentials": [{"client_id": "the-client", "client_secret": "canary-secret"}],
        "groups": [{"id": "g1", "name": "Remediate"}],
        "endpoints": listed,
    }
    return World.from_dict({"tenants": {"acme": tenant}, "options": {"crowdstrike": {"polls_until_complete": 0}}})


class Storm:
    """Workers at a Falcon tenant, over a real ledger whose clock is moved by hand."""

    def __init__(self, simulation, redis_url, workers, *, at):
        clock, client = ManualClock(at), connect(redis_url)
        clock.shown_to(client)
        options = {"grace": timedelta(0), "least_remaining": MINUTE / 60, "switch_lives": timedelta(0), "watches_memory": False}
        self.ledger = RedisLedger(client, seals=seals_of(os.environ), read_script=by_hand, **options)
        config = Config(base_url=simulation.twins["crowdstrike"].url, client_id="the-client", client_secret="canary-secret")
        edrs = {("acme", Vendor.CROWDSTRIKE): CrowdStrike(config)}
        services = some_services(ledger=self.ledger, clock=clock, policy=a_policy(), edrs=edrs)
        self.services, self.simulation, self.workers = replace(services, capabilities=capabilities()), simulation, workers

    def work(self):
        """Until nothing is rung any more, several workers at once."""
        doorbell = self.services.doorbell
        while doorbell.rings:
            rings = [doorbell.rings.popleft() for _ in range(len(doorbell.rings))]
            list(self.workers.map(self._answer, rings))

    def _answer(self, ring):
        {Queue.RESPOND: respond, Queue.NOTIFY: deliver}.get(ring.queue, execute)(self.services, ring.ids)

    def after(self, span, *, steps=4):
        """Beat and workers, while the time passes."""
        for _ in range(steps):
            self.services.clock.advance(span / steps)
            remind(self.services)
            mind_holds(self.services)
            while sweep(self.services):
                self.work()
                self.services.clock.advance(MINUTE / 30)

    def strike(self, *events):
        ingest(self.ledger, self.services.doorbell, events)
        self.work()
        self.after(8 * MINUTE)

    @property
    def effects(self):
        return [each["target"] for each in self.simulation.journal.effects() if each["changed"]]

    def needed(self, channel):
        return [each.notification for each in self.services.channels["tre", channel].sent if each.notification.kind is Kind.ACTION_NEEDED]

    def is_held_but_for(self, number, out_of):
        """Exactly so many isolations were done, all others are held, and of these people were told as one."""
        assert len(self.effects) == len(set(self.effects)) == number
        held = self.ledger.held("acme")
        assert Counter(row.held_by for row in held) == {Guard.BLAST_RADIUS: out_of - number}
        first, rest = self.needed("slack")
        assert (first.headline.startswith("Action needed: isolate PC-"), f"{out_of - number - 1} more" in rest.headline) == (True, True)
        assert len({PAGES.render(note)["dedup_key"] for note in self.needed("pagerduty")}) == 1


@contextmanager
def a_storm(redis_url, number=SIZES.endpoints, *, at=NOON):
    with Simulation(a_tenant(number)) as simulation, ThreadPoolExecutor(WORKERS) as workers:
        yield Storm(simulation, redis_url, workers, at=at)


@pytest.fixture
def storm(redis_url):
    with a_storm(redis_url) as storm:
        yield storm


def one_event(**more):
    return published(endpoints=tuple(hosts(SIZES.endpoints)), iocs=(), **more)


def many_events():
    all_hosts, each, threat = hosts(SIZES.endpoints), SIZES.endpoints_each, published().threat
    for n in range(SIZES.events):
        some = tuple(all_hosts[n * each : (n + 1) * each])
        yield published(id=f"e{n}", threat=threat.model_copy(update={"id": f"T-{n}"}), endpoints=some, iocs=())


def test_one_event_that_names_them_all(storm):
    storm.strike(one_event())
    storm.is_held_but_for(CAP, SIZES.endpoints)


def test_many_events_that_name_ten_each(storm):
    storm.strike(*many_events())
    storm.is_held_but_for(CAP, SIZES.events * SIZES.endpoints_each)


def test_it_stays_one_page_until_it_is_called_off(storm):
    storm.strike(one_event())
    storm.after(timedelta(hours=80), steps=40)
    assert len(storm.effects) == CAP
    assert {row.state for row in storm.ledger.rows("acme", "THREAT-1") if row.verb == "isolate"} == {State.DONE, State.CANCELLED}
    assert len({PAGES.render(note)["dedup_key"] for note in storm.needed("pagerduty")}) == 1
    assert f"{SIZES.endpoints - CAP} actions" in storm.needed("slack")[-1].headline
    assert [each for each in storm.services.channels["tre", "slack"].sent if each.notification.kind is Kind.NOT_CONTAINED] == []


@pytest.mark.parametrize(("word", "done"), [("approve", SIZES.endpoints), ("deny", CAP)])
def test_one_command_shows_all_and_one_decides_all(redis_url, monkeypatch, tmp_path, word, done):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    with a_storm(redis_url, at=datetime.now(UTC)) as storm:  # by the clock of the commands
        storm.strike(one_event())
        those = ("--hold", "blast_radius", "--customer", "acme")
        shown = CliRunner().invoke(arctl, ("holds", *those, "--json"))
        assert len(json.loads(shown.output)) == SIZES.endpoints - CAP
        said = CliRunner().invoke(arctl, (word, *those, "--reason", "by phone", "--json"))
        assert said.exit_code == 0, said.output
        storm.after(8 * MINUTE)
        assert (len(storm.effects), storm.ledger.held("acme")) == (done, [])


@pytest.mark.parametrize(("size", "done"), [(12, 5), (60, 12)])
def test_of_a_small_group_its_share(redis_url, size, done):
    with a_storm(redis_url, size) as storm:
        storm.strike(published(endpoints=tuple(hosts(size)), iocs=()))
        storm.is_held_but_for(done, size)


def test_the_largest_event_is_a_line_of_a_file():
    names = [an_endpoint(f"A-LONGER-NAME-{n}.corp.acme.example") for n in range(MOST_ENDPOINTS)]
    line = f"{published(endpoints=tuple(names)).model_dump_json()}\n".encode()
    assert [len(parse_event(each.payload).endpoints) for each in records(io.BytesIO(line))] == [FULL.endpoints]


IDS = ("*", "PC-*", "?", "", " ", "%", "all", "0", "null", "..", "a1,a2", "remediate", "Remediate")
#: What may stand where an event names its endpoints. A wildcard, an empty id or a group's name is refused, or is an id that no endpoint has.
SELECTORS = ([], None, "*", "all", {}, [None], [*IDS])
GROUPS = ("*", "Remed*", "?emediate", "", "remediate", "Remediate ")


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_what_names_no_endpoint_selects_none(vendor):
    with RIGS[vendor]() as rig:
        read = [event for number, each in enumerate(SELECTORS) for event in selecting(vendor, number, each)]
        assert max(len(event.endpoints) for event in read) > 1
        assert played(rig, *read) == []


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_a_group_is_meant_by_its_exact_name(vendor):
    with RIGS[vendor]() as rig:
        event = published(endpoints=(rig.endpoint().model_copy(update={"groups": None}),), iocs=())
        assert [played(rig, event, remediate_groups={vendor: frozenset({each})}) for each in GROUPS] == [[]] * len(GROUPS)
        assert len(played(rig, event)) == 1


def selecting(vendor, number, selector):
    """The event with this in place of its endpoints, if it is one."""
    named = {"edr": vendor, "hostname": "FIN-LT-07", "os": "windows", "groups": ["Remediate"]}
    told = [{**named, "agent_id": each} if isinstance(each, str) else each for each in selector] if isinstance(selector, list) else selector
    threat = published().threat.model_dump(mode="json")
    about = {"type": "threat_published", "id": f"e{number}", "customer": "acme", "occurred_at": NOON.isoformat(), "threat": threat}
    with suppress(InvalidEvent):
        yield parse_event({**about, "endpoints": told})


def played(rig, *events, **policy):
    """What the EDR was asked to change, after all that came of the events."""
    groups = {"remediate_groups": {rig.vendor: frozenset({"Remediate"})}}
    edrs = {("acme", rig.vendor): rig.adapter}
    services = some_services(policy=a_policy(**(groups | policy)), edrs=edrs, capabilities=capabilities())
    ingest(services.ledger, services.doorbell, events)
    for _ in range(2):
        services.doorbell.answer(services)
        services.clock.advance(10 * MINUTE)
        sweep(services)
    return rig.written()
