"""Pages of a feed become events: what is older than the polling is told only, and by an id of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.poll import read_feed
from ar_workers.ports import Page, Record
from tests.builders import NOON, a_threat_published, an_endpoint, an_ioc
from tests.fakes import PLENTY, FakeEDR, some_services

BEGUN = NOON
OLD = "created before polling began (2026-11-24 12:00 UTC): told, not acted on"


class Feed:
    """One page of one event, again and again."""

    name = reader = "feed"
    limits = PLENTY

    def __init__(self, event, begun):
        self.event, self.begun = event, begun

    def page(self, cursor):
        return Page((Record("1", self.event),), f"{cursor}.", is_more=False, begun=self.begun)


def an_alert(age, **changes):
    return a_threat_published(occurred_at=BEGUN - age, iocs=(an_ioc(),), **changes)


def services_with(event, begun=BEGUN):
    readers = {"feed": lambda record, *, customer: record}
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
