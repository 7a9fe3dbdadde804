"""Red Canary's detections: no order, wrong totals, pages that repeat, and twenty requests a minute."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from pydantic import ValidationError

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.indicators import FileHash
from ar_workers.feeds import redcanary
from ar_workers.feeds.gated import GatedFeed
from ar_workers.feeds.redcanary import Config, RedCanary
from ar_workers.feeds.walk import instant
from ar_workers.pipeline.limits import declare_limits
from ar_workers.pipeline.poll import read_feed
from ar_workers.simulator import Fault
from ar_workers.sources import FORMATS
from tests.builders import agent_id, sha256
from tests.edr.test_feeds import Dying, Killed
from tests.fakes import some_services
from tests.simulator.redcanary import KEY, a_detection, a_file, ago, an_endpoint_of, portal

ROOT = "/openapi/v3"


@dataclasses.dataclass
class Bench:
    simulation: object
    services: object

    def poll(self):
        return read_feed(self.services, "acme", "redcanary")

    def accepted(self):
        ledger = self.services.ledger
        known = ledger.threats("acme", since=self.services.clock.now() - timedelta(days=1), limit=1000)
        lines = {each.id: ledger.threat("acme", each.id).timeline for each in known}
        return {int(name.removeprefix("THREAT-")): sum(line.text == "accepted" for line in found) for name, found in lines.items()}

    def events(self):
        refs = [f"acme:{line.row}" for name in self.accepted() for line in self.services.ledger.threat("acme", f"THREAT-{name}").timeline]
        return self.services.ledger.events(refs)

    def asked(self):
        return [each["path"].removeprefix(ROOT) for each in self.simulation.journal.requests()]


def feed_at(simulation, **config):
    defaults = {"base_url": simulation.twins["redcanary"].url, "api_key": KEY, "read_timeout": 1.5, "sensor_product": "crowdstrike"}
    return RedCanary(Config(**(defaults | config)))


def services_at(simulation, **config):
    services = some_services(readers={"redcanary": FORMATS["redcanary"]})
    feed = GatedFeed(feed_at(simulation, **config), services.ledger, "acme")
    return dataclasses.replace(services, feeds={("acme", "redcanary"): feed})


@contextmanager
def a_bench(detections=(), *, config=None, **world):
    with portal(detections, **world) as simulation:
        yield Bench(simulation, services_at(simulation, **(config or {})))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(redcanary, "PAGE", 2)


FIVE = [a_detection(number, seconds_ago=300 - number % 2) for number in range(1, 6)]


@pytest.mark.parametrize("order", ["arrival", "newest first", "by id"])
@pytest.mark.parametrize("behind_the_last", ["empty", "repeats"])
def test_every_detection_is_read_once_whatever_the_portal_does(order, behind_the_last):
    with a_bench(FIVE, order=order, behind_the_last=behind_the_last) as bench:
        report = bench.poll()
        assert (report.accepted, report.error, report.is_more) == (5, "", False)
        before = len(bench.asked())
        assert bench.poll().accepted == 0
        assert set(bench.asked()[before:]) == {"/detections"}
        assert bench.accepted() == dict.fromkeys(range(1, 6), 1)


def test_a_detection_brings_its_marked_indicators_and_its_endpoint():
    world = {"marked": {"1": a_file("evil")}, "endpoints": {"7": an_endpoint_of("PC-1")}}
    with a_bench([a_detection(1, endpoint=7)], **world) as bench:
        assert bench.poll().refused == ()
        (event,) = bench.events()
        (endpoint,) = event.endpoints
        assert (endpoint.edr, endpoint.agent_id) == (Vendor.CROWDSTRIKE, agent_id("PC-1"))
        assert [each.indicator.sha256 for each in event.iocs if isinstance(each.indicator, FileHash)] == [sha256("evil")]


@pytest.mark.parametrize(
    ("endpoint", "endpoints", "product"),
    [
        (None, {}, "crowdstrike"),
        (7, {}, "crowdstrike"),
        (7, {"7": an_endpoint_of("PC-1")}, None),
        (7, {"7": {"type": "Endpoint", "attributes": {"hostname": None}}}, "crowdstrike"),
    ],
)
def test_without_an_endpoint_that_can_be_acted_on_the_threat_is_told_of_all_the_same(endpoint, endpoints, product):
    config = {"sensor_product": product}
    with a_bench([a_detection(1, endpoint=endpoint)], endpoints=endpoints, config=config) as bench:
        assert bench.poll().accepted == 1
        (event,) = bench.events()
        assert event.endpoints == ()
        assert "nothing can be isolated" in event.threat.summary


def test_the_portals_own_word_on_the_product_counts():
    with a_bench([a_detection(1, endpoint=7)], endpoints={"7": an_endpoint_of("PC-1", product="defender")}) as bench:
        bench.poll()
        assert bench.events()[0].endpoints[0].edr is Vendor.DEFENDER


@pytest.mark.parametrize("behind_the_last", ["empty", "repeats"])
def test_indicators_are_read_to_their_end(behind_the_last):
    marked = {"1": [*a_file("a"), *a_file("b"), *a_file("c")]}
    with a_bench([a_detection(1)], marked=marked, behind_the_last=behind_the_last) as bench:
        bench.poll()
        hashes = [each.indicator.sha256 for each in bench.events()[0].iocs if isinstance(each.indicator, FileHash)]
        assert hashes == [sha256(name) for name in "abc"]


def test_a_detection_that_changed_is_another_event_of_its_threat():
    with a_bench(FIVE) as bench:
        bench.poll()
        bench.simulation.world.tenant("acme").alerts[0]["attributes"]["last_activity_seen_at"] = ago(0)
        assert bench.poll().accepted == 1
        assert bench.accepted() == {1: 2, 2: 1, 3: 1, 4: 1, 5: 1}


def mark(bench, state, reason=None, *, seconds_ago=0):
    status = {"remediation_state": state, "reason": reason, "marked_at": ago(seconds_ago)}
    alerts = bench.simulation.world.tenant("acme").alerts
    alerts[0] = alerts[0] | {"attributes": alerts[0]["attributes"] | {"last_remediated_status": status}}


def test_a_later_mark_closes_the_threat_and_without_it_the_detection_is_acted_on_anew():
    with a_bench(FIVE) as bench:
        bench.poll()
        for state, reason in (("not_remediated", "false_positive"), ("Not remediated", None), ("remediated", "removed")):
            bench.services.clock.advance(timedelta(minutes=1))
            mark(bench, state, reason)
            assert (bench.poll().accepted, bench.poll().accepted) == (1, 0)
        first = [event for event in bench.events() if event.threat.id == "THREAT-1"]
        assert [event.type for event in first] == ["threat_published", "threat_closed"] * 2
        assert first[1].reason == "Red Canary shows it as not remediated: false positive"


def test_a_detection_that_was_marked_before_it_was_read_is_never_acted_on():
    with a_bench([a_detection(1, endpoint=7)], endpoints={"7": an_endpoint_of("PC-1")}) as bench:
        mark(bench, "not_remediated", "authorized_testing", seconds_ago=100)
        assert bench.poll().accepted == 1
        assert [event.type for event in bench.events()] == ["threat_closed"]


def test_ids_may_be_text():
    detection = a_detection("1", endpoint="7")
    with a_bench([detection], endpoints={"7": an_endpoint_of("PC-1")}) as bench:
        assert (bench.poll().refused, bench.poll().accepted) == ((), 0)
        (event,) = bench.events()
        assert (event.threat.id, [each.agent_id for each in event.endpoints]) == ("THREAT-1", [agent_id("PC-1")])


def test_a_detection_that_comes_late_with_an_older_time_is_read():
    with a_bench([a_detection(1, seconds_ago=60)]) as bench:
        bench.poll()
        bench.simulation.world.tenant("acme").add_alert(a_detection(2, seconds_ago=7200))
        assert bench.poll().accepted == 1


def test_what_was_confirmed_before_polling_began_is_told_only_in_every_process():
    with a_bench([a_detection(1, seconds_ago=60)]) as bench:
        bench.poll()
        bench.simulation.world.tenant("acme").add_alert(a_detection(2, seconds_ago=-1))
        bench.simulation.world.tenant("acme").add_alert(a_detection(3, seconds_ago=60))
        bench.services = dataclasses.replace(bench.services, feeds=services_at(bench.simulation).feeds)
        assert bench.poll().accepted == 2
        assert {event.threat.id: bool(event.told_only) for event in bench.events()} == {
            "THREAT-1": True,
            "THREAT-2": False,
            "THREAT-3": True,
        }


def test_a_cursor_of_version_0_1_0_began_at_its_newest_instant():
    with a_bench() as bench:
        page = feed_at(bench.simulation).page(json.dumps({"newest": ago(100), "page": 1, "last": "", "done": {}, "met": []}))
        again = feed_at(bench.simulation).page(page.cursor)
        assert instant(ago(102)) < page.begun == again.begun < instant(ago(98))


def test_an_endpoint_whose_number_is_a_text_is_found():
    detection = a_detection(1, endpoint="7")
    with a_bench([detection], endpoints={"7": an_endpoint_of("PC-1")}) as bench:
        bench.poll()
        assert [each.agent_id for each in bench.events()[0].endpoints] == [agent_id("PC-1")]


def test_history_is_not_acted_on():
    with a_bench([a_detection(1, seconds_ago=3 * 86_400)]) as bench:
        assert bench.poll().accepted == 0


@pytest.mark.parametrize("point", ["after page", "before accept", "after accept", "before move_cursor", "after move_cursor"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_poller_killed_anywhere_loses_and_doubles_nothing(point, nth):
    when, method = point.split()
    with a_bench(FIVE) as bench:
        fatal = {"method": method, "nth": nth, "after": when == "after"}
        key, feed = next(iter(bench.services.feeds.items()))
        dying = {"feeds": {key: Dying(feed, **fatal)}} if method == "page" else {"ledger": Dying(bench.services.ledger, **fatal)}
        with pytest.raises(Killed):
            read_feed(dataclasses.replace(bench.services, **dying), "acme", "redcanary")
        assert bench.poll().error == ""
        assert bench.accepted() == dict.fromkeys(range(1, 6), 1)


def test_twenty_requests_a_minute_are_enough_and_never_exceeded():
    several = [a_detection(number, endpoint=7) for number in range(1, 8)]
    with a_bench(several, endpoints={"7": an_endpoint_of("PC-1")}) as bench:
        declare_limits(dataclasses.replace(bench.services, edrs={}))
        asked = [0]
        for _ in range(24):
            bench.poll()
            bench.services.clock.advance(timedelta(seconds=30))
            asked.append(len(bench.asked()))
        assert bench.accepted() == dict.fromkeys(range(1, 8), 1)
        assert max(late - early for early, late in zip(asked, asked[2:], strict=False)) <= 20


def test_a_detection_with_more_indicators_than_the_burst_allows_is_read_in_the_end():
    marked = {"1": [item for number in range(9) for item in a_file(f"evil{number}")]}
    with a_bench([a_detection(1)], marked=marked) as bench:
        declare_limits(dataclasses.replace(bench.services, edrs={}))
        for _ in range(6):
            bench.poll()
            bench.services.clock.advance(timedelta(seconds=30))
        assert bench.accepted() == {1: 1}


def test_a_detection_that_cannot_be_read_is_named_and_stops_no_other():
    broken = a_detection(1, confirmed_at=None)
    with a_bench([a_detection(2), broken, a_detection(3)], order="arrival") as bench:
        report = bench.poll()
        assert report.accepted == 2
        assert [(each.id, each.field) for each in report.refused] == [("1", "attributes.confirmed_at")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(action="reply", status=403, body='{"error":{"message":"bad key"}}'), "403 bad key"),
        (Fault(action="reply", status=404, body="<!DOCTYPE html><html>"), "is the name in base_url that of the portal?"),
        (Fault(action="reply", status=429, body='{"error":{"message":"slow down"}}'), "429 slow down"),
        (Fault(action="reply", status=406, body='{"error":{"message":"Not Acceptable"}}'), "406 Not Acceptable"),
        (Fault(action="reply", status=200, body='{"meta":{}}'), "no data in the reply"),
        (Fault(action="truncate"), "unreadable"),
    ],
)
def test_an_error_is_told_and_the_next_call_goes_on(fault, words):
    with a_bench(FIVE) as bench:
        bench.simulation.faults.add(dataclasses.replace(fault, calls=(2,)))
        report = bench.poll()
        assert words in report.error
        assert bench.poll().error == ""
        assert bench.accepted() == dict.fromkeys(range(1, 6), 1)


def test_what_was_complete_before_a_429_is_accepted_and_nothing_more_is_asked():
    with a_bench(FIVE) as bench:
        bench.simulation.faults.add(Fault(action="reply", status=429, body="{}", calls=(3,)))
        report = bench.poll()
        assert (report.accepted, len(bench.asked())) == (1, 3)
        bench.poll()
        assert bench.accepted() == dict.fromkeys(range(1, 6), 1)


@pytest.mark.parametrize(
    "url",
    ["https://acme.redcanary.example", "http://acme.my.redcanary.co", "https://evil.example/.my.redcanary.co", "https://my.redcanary.co"],
)
def test_a_key_goes_to_a_portal_only(url):
    with pytest.raises(ValidationError, match=r"my\.redcanary\.co"):
        Config(base_url=url, api_key="k")


def test_the_key_is_in_no_repr_and_no_cursor():
    with a_bench(FIVE) as bench:
        bench.poll()
        feed = feed_at(bench.simulation)
        assert KEY not in repr(feed) + repr(vars(feed)) + bench.services.ledger.cursor("acme", "redcanary")
