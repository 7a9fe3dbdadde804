"""Pages of a feed become events: what is older than the polling is told only, and what is over closes its threat."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.errors import EndpointOffline, VendorFault
from ar_workers.domain.events import ThreatClosed, ThreatPublished
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.poll import poll, read_feed, whose_turn_it_is
from ar_workers.ports import Page, Record
from ar_workers.sources import FORMATS
from tests.builders import NOON, a_threat_published, an_endpoint, an_ioc
from tests.edr.rigs import SAMPLES
from tests.fakes import PLENTY, FakeEDR, some_services

CROWDSTRIKE = SAMPLES["crowdstrike"].record

BEGUN = NOON
OLD = "created before polling began (2026-11-24 12:00 UTC): told, not acted on"


class Feed:
    """One page of one event, again and again."""

    name = reader = "feed"
    limits = PLENTY

    def __init__(self, event, begun):
        self.event, self.begun = event, begun

    def page(self, cursor):
        return Page((Record("1", self.event.model_dump(mode="json")),), f"{cursor}.", is_more=False, begun=self.begun)


def an_alert(age, **changes):
    return a_threat_published(occurred_at=BEGUN - age, iocs=(an_ioc(),), **changes)


def as_it_is(record, *, customer):
    return ThreatPublished.model_validate(record)


def services_with(event, begun=BEGUN):
    readers = {"feed": as_it_is}
    edr = FakeEDR({an_endpoint().agent_id: an_endpoint()})
    return some_services(edr=edr, readers=readers, feeds={("acme", "feed"): Feed(event, begun)})


def outcomes(services):
    services.doorbell.answer(services)
    rows = services.ledger.rows("acme", "THREAT-1042")
    return [(row.verb, row.state, row.reason) for row in rows if row.kind == "action"], [row.verb for row in rows if row.kind == "delivery"]


def test_an_alert_that_is_older_than_the_polling_is_told_and_not_acted_on():
    services = services_with(an_alert(timedelta(seconds=1)))
    assert read_feed(services, "acme", "feed").accepted == 1
    actions, told = outcomes(services)
    assert actions == [("isolate", State.SKIPPED, OLD), ("ban_hash", State.SKIPPED, OLD)]
    assert told == ["slack", "pagerduty"]
    assert services.edrs["acme", "crowdstrike"].effects == []


@pytest.mark.parametrize(("age", "begun"), [(timedelta(0), BEGUN), (-timedelta(days=1), BEGUN), (timedelta(days=999), None)])
def test_an_alert_of_the_time_of_polling_is_acted_on(age, begun):
    services = services_with(an_alert(age), begun)
    read_feed(services, "acme", "feed")
    assert [(verb, state) for verb, state, _ in outcomes(services)[0]] == [("isolate", State.DONE), ("ban_hash", State.DONE)]


def test_the_same_alert_that_a_person_brings_is_acted_on():
    event = an_alert(timedelta(days=1))
    services = services_with(event)
    read_feed(services, "acme", "feed")
    outcomes(services)
    ingest(services.ledger, services.doorbell, [event])
    actions, _ = outcomes(services)
    assert ("isolate", State.DONE, "") in actions


def test_what_is_told_only_is_told_once_even_if_polling_begins_anew():
    services = services_with(an_alert(timedelta(days=1)))
    assert read_feed(services, "acme", "feed").accepted == 1
    services.feeds["acme", "feed"].begun += timedelta(minutes=5)
    again = read_feed(services, "acme", "feed")
    assert (again.duplicates, again.refused) == (1, ())


class Console:
    """One CrowdStrike alert, which changes while it is read again and again."""

    name = reader = "crowdstrike"
    limits = PLENTY

    def __init__(self, **changes):
        self.alert = CROWDSTRIKE | {"device": CROWDSTRIKE["device"] | {"device_id": an_endpoint().agent_id}} | changes

    def page(self, cursor):
        return Page((Record("1", dict(self.alert)),), f"{cursor}.", is_more=False, begun=datetime(2020, 1, 1, tzinfo=UTC))


@dataclass
class Told:
    """A poller of that alert, and what comes of it. The endpoint is offline, so that its isolation stays queued."""

    console: Console = field(default_factory=Console)

    def __post_init__(self):
        self.edr = FakeEDR({an_endpoint().agent_id: an_endpoint()}, looks=deque([EndpointOffline("away")] * 50))
        feeds = {("acme", "crowdstrike"): self.console}
        self.services = some_services(edr=self.edr, readers=FORMATS, feeds=feeds)

    def read(self, *, status, minute):
        """The alert with this status, as it stood so many minutes after it came."""
        self.console.alert |= {"status": status, "updated_timestamp": f"2026-11-24T12:{minute:02}:00Z"}
        report = read_feed(self.services, "acme", "crowdstrike")
        self.services.doorbell.answer(self.services)
        self.services.clock.advance(timedelta(hours=1))
        return report.accepted

    def isolations(self):
        (threat,) = self.services.ledger.threats("acme", since=datetime(2000, 1, 1, tzinfo=UTC), limit=2)
        return [(row.state, row.reason) for row in self.services.ledger.rows("acme", threat.id) if row.verb == "isolate"]

    def headlines(self, channel):
        return [each.notification.headline.partition(":")[0] for each in self.services.channels["tre", channel].sent]


CLOSED = (State.CANCELLED, "threat closed: CrowdStrike shows it as closed")


def test_an_alert_that_is_closed_takes_back_what_it_had_given_and_the_tres_are_told_without_a_page():
    told = Told()
    assert told.read(status="new", minute=0) == 1
    assert [state for state, _ in told.isolations()] == [State.PENDING]
    assert [told.read(status="closed", minute=minute) for minute in (1, 1, 2)] == [1, 0, 0]
    assert told.isolations() == [CLOSED]
    assert told.headlines("slack") == ["HIGH threat published", "Threat closed"]
    assert told.headlines("pagerduty") == ["HIGH threat published"]
    assert told.edr.effects == []


def test_a_reopened_alert_is_acted_on_anew_and_told_anew():
    told = Told()
    for minute, status in enumerate(["new", "closed", "reopened"]):
        assert told.read(status=status, minute=minute) == 1
    assert [state for state, _ in told.isolations()] == [State.CANCELLED, State.PENDING]
    assert told.headlines("pagerduty") == ["HIGH threat published"] * 2
    assert told.read(status="in_progress", minute=3) == 0
    assert told.read(status="closed", minute=4) == 1
    assert told.isolations() == [CLOSED, CLOSED]


def test_a_page_from_before_the_closing_reopens_nothing():
    told = Told()
    told.read(status="new", minute=0)
    told.read(status="closed", minute=5)
    assert told.read(status="new", minute=4) == 0
    assert told.isolations() == [CLOSED]


def test_what_a_customer_closed_here_is_not_reopened_by_an_alert_that_only_was_touched():
    told = Told()
    told.read(status="new", minute=0)
    threat = told.services.ledger.threats("acme", since=datetime(2000, 1, 1, tzinfo=UTC), limit=1)[0].threat
    closing = ThreatClosed(id="c1", customer="acme", occurred_at=NOON + timedelta(minutes=2), threat=threat, reason="expected work")
    ingest(told.services.ledger, told.services.doorbell, [closing])
    told.services.doorbell.answer(told.services)
    assert told.read(status="in_progress", minute=9) == 0
    assert told.isolations() == [(State.CANCELLED, "threat closed: expected work")]


def test_an_alert_that_is_first_seen_closed_is_told_and_harmless():
    told = Told()
    assert told.read(status="closed", minute=0) == 1
    assert told.isolations() == []
    assert told.headlines("slack") == ["Threat closed"]


def test_many_alerts_that_are_closed_at_once_are_told_as_one():
    told = Told()
    for number in range(9):
        told.console.alert |= {"composite_id": f"cid:ind:{number}"}
        told.read(status="closed", minute=0)
        told.services.clock.advance(-timedelta(hours=1))
    for _ in range(3):
        told.services.clock.advance(timedelta(minutes=10))
        told.services.doorbell.ring(told.services.ledger.due(50, timedelta(seconds=1)))
        told.services.doorbell.answer(told.services)
    assert told.headlines("slack") == ["Threat closed"] * 5 + ["4 more notifications"]


def test_a_record_that_its_reader_fails_at_hides_none_behind_it():
    def read(record, *, customer):
        if record is None:
            raise KeyError("threat")
        return record

    services = services_with(an_alert(timedelta(0)))
    feed = services.feeds["acme", "feed"]
    feed.page = lambda cursor: Page((Record("1", None), Record("2", feed.event)), "c", is_more=False, begun=BEGUN)
    services.readers["feed"] = read
    report = read_feed(services, "acme", "feed")
    assert (report.accepted, [(each.id, each.field, each.reason) for each in report.refused]) == (
        1,
        [("1", "record", "the reader failed (KeyError)")],
    )


def test_an_error_of_the_vendor_ends_the_call_and_stands_in_its_report():
    services = services_with(an_alert(timedelta(0)))

    def page(cursor):
        raise VendorFault("503")

    services.feeds["acme", "feed"].page = page
    assert read_feed(services, "acme", "feed").error == "503"


def test_an_id_that_comes_again_with_other_content_is_refused():
    services = services_with(an_alert(timedelta(0)))
    read_feed(services, "acme", "feed")
    services.feeds["acme", "feed"].event = an_alert(-timedelta(days=1))
    (refused,) = read_feed(services, "acme", "feed").refused
    assert (refused.field, refused.reason) == ("id", "was used before for an event with other content")


def test_a_round_comes_after_nine_tenths_of_the_interval_and_a_feed_after_half():
    services = services_with(an_alert(timedelta(0)))
    every = services.poll_every
    assert list(whose_turn_it_is(services)) == [("acme", "feed")]
    assert not poll(services, "acme", "feed").is_early
    services.clock.advance(0.49 * every)
    assert poll(services, "acme", "feed").is_early
    services.clock.advance(0.02 * every)
    assert not poll(services, "acme", "feed").is_early
    services.clock.advance(0.38 * every)
    assert list(whose_turn_it_is(services)) == []
    services.clock.advance(0.02 * every)
    assert list(whose_turn_it_is(services)) == [("acme", "feed")]
