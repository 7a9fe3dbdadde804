"""The figures that the pipeline goes by, each seen at work: whoever changes one must change a test."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.errors import InvalidEvent, OutcomeUnknown
from ar_workers.domain.facts import Sight
from ar_workers.domain.states import State
from ar_workers.pipeline import recheck
from ar_workers.pipeline.compaction import compact
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.poll import read_feed
from ar_workers.pipeline.sweep import sweep
from ar_workers.ports import Page, Record
from tests.fakes import PLENTY, FakeEDR, InlineDoorbell, some_services

from .building import FIN, HASH, an_edr, play, published, row, states

SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)


class Standing(InlineDoorbell):
    """A doorbell with so many messages in each queue."""

    def __init__(self, **standing):
        super().__init__()
        self._standing = standing

    def backlog(self):
        return self._standing


def events(count, first=0):
    return [published(id=f"e{n}", threat=published().threat.model_copy(update={"id": f"THREAT-{n}"})) for n in range(first, first + count)]


def waiting(services, count, first=0):
    """Events that nobody rang for."""
    services.ledger.accept(events(count, first), unrung={"acme"})


def test_a_sweep_comes_nine_times_in_ten_seconds_at_most():
    services = some_services()
    waiting(services, 1)
    assert sweep(services) == 1
    waiting(services, 1, first=1)
    services.clock.advance(899 * MILLISECOND)
    assert sweep(services) == 0
    services.clock.advance(MILLISECOND)
    assert sweep(services) == 1


def test_a_ring_that_brought_nobody_is_repeated_after_fifteen_seconds():
    services = some_services()
    waiting(services, 1)
    assert sweep(services) == 1
    services.clock.advance(15 * SECOND - MILLISECOND)
    assert sweep(services) == 0
    services.clock.advance(SECOND)
    assert sweep(services) == 1


@pytest.mark.parametrize(("count", "pauses"), [(19, []), (20, [0.22])])
def test_twenty_rings_are_much(count, pauses):
    slept = []
    services = some_services(sleep=slept.append)
    waiting(services, count)
    assert sweep(services) == count
    assert slept == pauses


def test_while_a_queue_is_full_a_sweep_looks_four_times():
    slept = []
    sweep(some_services(doorbell=Standing(ioc=40), sleep=slept.append))
    assert slept == [0.22] * 3


def test_what_was_settled_three_days_ago_is_packed_every_eight_seconds():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    services.clock.advance(timedelta(days=3) - 8 * SECOND)
    assert compact(services) == 0
    services.clock.advance(8 * SECOND - MILLISECOND)
    assert compact(services) == 0
    services.clock.advance(2 * MILLISECOND)
    assert compact(services) == 1


def test_unsupported_systems_are_looked_for_every_four_minutes():
    services = some_services()
    assert list(recheck.whose_turn_it_is(services)) == [("acme", "crowdstrike")]
    services.clock.advance(timedelta(minutes=4) - MILLISECOND)
    assert list(recheck.whose_turn_it_is(services)) == []
    services.clock.advance(MILLISECOND)
    assert list(recheck.whose_turn_it_is(services)) == [("acme", "crowdstrike")]


def test_an_event_of_a_customer_without_a_file_comes_back_after_five_minutes():
    services = some_services()
    ingest(services.ledger, services.doorbell, [published(customer="globex")])
    services.doorbell.answer(services)
    services.clock.advance(timedelta(minutes=5) - SECOND)
    sweep(services)
    assert "globex:event/e1" not in [ring.id for ring in services.doorbell.rings]
    services.clock.advance(2 * SECOND)
    sweep(services)
    assert "globex:event/e1" in [ring.id for ring in services.doorbell.rings]


class Counting(FakeEDR):
    """An EDR that counts how often it is looked at, and asked for an endpoint."""

    def __init__(self, *endpoints, **more):
        super().__init__(endpoints={each.agent_id: each for each in endpoints}, **more)
        self.looked = self.asked = 0

    def observe(self, action, receipt):
        self.looked += 1
        return super().observe(action, receipt)

    def endpoint(self, agent_id):
        self.asked += 1
        return super().endpoint(agent_id)


def test_an_order_that_shows_no_trace_is_looked_at_sixteen_times():
    edr = Counting(FIN, takes_effect=False)
    services = some_services(edr=edr)
    play(services, published(iocs=()))
    assert row(services, "isolate").state is State.FAILED
    assert edr.looked == 1 + 1 + 16, "before the order, right after it, and then"


def test_of_the_endpoints_that_justify_a_ban_five_are_asked_for():
    outside = [FIN.model_copy(update={"agent_id": f"a{n}", "groups": frozenset()}) for n in range(6)]
    edr = Counting(*outside)
    services = some_services(edr=edr)
    named = tuple(each.model_copy(update={"groups": FIN.groups}) for each in outside)
    services.ledger.pause("acme", "verb:isolate", "not of interest here")
    ingest(services.ledger, services.doorbell, [published(endpoints=named, iocs=(HASH,))])
    services.doorbell.answer(services)
    assert states(services)["ban_hash"] == (State.SKIPPED, "no affected endpoint is in a remediate group")
    assert edr.asked == 5


@pytest.mark.parametrize(("unseen", "state"), [(timedelta(minutes=10), State.DONE), (timedelta(minutes=10, seconds=1), State.HELD)])
def test_an_isolation_in_doubt_waits_for_a_person_after_ten_minutes(unseen, state):
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    services.clock.advance(unseen)
    sweep(services)
    services.doorbell.answer(services)
    assert row(services, "isolate").state is state


def unreadable(record, *, customer):
    raise InvalidEvent("id", "Field required")


class Endless:
    """A feed whose every page says that more is there, each with one record that nobody can read."""

    name = reader = "feed"
    limits = PLENTY

    def page(self, cursor):
        return Page((Record("odd", None),), f"{cursor}.", is_more=True, begun=None)


def test_a_call_reads_twenty_pages_and_an_odd_record_is_reported_once():
    services = some_services(readers={"feed": unreadable}, feeds={("acme", "feed"): Endless()})
    for _ in range(2):
        report = read_feed(services, "acme", "feed")
        assert (report.pages, len(report.refused), report.is_more) == (20, 1, True)


def test_what_the_edr_shows_to_be_on_its_way_is_looked_at_again_in_half_a_second():
    services = some_services(edr=an_edr(looks=deque([Sight.PENDING])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    services.clock.advance(499 * MILLISECOND)
    assert sweep(services) == 0
    services.clock.advance(SECOND)
    assert sweep(services) == 1
