"""What is done by the clock: the sweep rings for what nobody rings for, and what is settled for long is packed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ar_workers.domain.backpressure import FULL, MOST_TOGETHER, SMALL
from ar_workers.domain.canvas import Queue
from ar_workers.domain.new_rows import EventPlan, skip_row
from ar_workers.domain.plans import Skip
from ar_workers.domain.states import State
from ar_workers.pipeline.compaction import MOST_AT_ONCE, compact
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import AGAIN, LOOKS, sweep
from tests.fakes import InlineDoorbell, some_services

from .building import Ticking, a_flood, an_edr, published, states


def test_lost_rings_are_made_up_for_by_the_sweep():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    for _ in range(40):
        services.doorbell.rings.clear()
        services.clock.advance(timedelta(minutes=6))
        sweep(services)
        services.doorbell.answer(services)
    assert {state for state, _ in states(services).values()} == {State.DONE}


class Full(InlineDoorbell):
    """A doorbell of which one queue is long."""

    def __init__(self, queue):
        super().__init__()
        self._queue = queue

    def backlog(self):
        return {self._queue: FULL[self._queue]}


def test_behind_a_long_queue_of_bans_an_isolation_is_rung_at_once_even_for_who_flooded_it():
    services = some_services(edr=an_edr(), doorbell=Full("ioc"))
    services.ledger.accept(a_flood())
    ingest(services.ledger, services.doorbell, [published(id="one-more")])
    (ring,) = services.doorbell.rings
    services.doorbell.rings.clear()
    respond(services, ring.ids)
    assert {ring.queue for ring in services.doorbell.rings} == {"isolation", "notify"}
    bans = [row.id for row in services.ledger.rows("acme", "THREAT-1") if row.queue == "ioc" and row.state is State.PENDING]
    assert bans
    assert not {ring.id for ring in services.ledger.due(10_000, AGAIN, room={"ioc": 0})} & set(bans)


def test_a_flooding_customer_is_left_to_the_sweep_and_a_small_one_is_rung_for():
    services = some_services(edr=an_edr(), doorbell=Full("respond"))
    ingest(services.ledger, services.doorbell, a_flood())
    assert len(services.doorbell.rings) == SMALL
    services.doorbell.rings.clear()
    ingest(services.ledger, services.doorbell, [published(id="one-more")])
    assert not services.doorbell.rings
    ingest(services.ledger, services.doorbell, [published(id="other", customer="globex")])
    assert [ring.id for ring in services.doorbell.rings] == ["globex:event/other"]


def test_what_nobody_rang_for_is_due_at_once():
    services = some_services(edr=an_edr())
    services.ledger.accept([published()], unrung={"acme"})
    assert sweep(services) == 1


def test_a_sweep_looks_again_within_its_tick_while_there_is_much_to_ring():
    doorbell = InlineDoorbell()
    rung = []

    def drained(seconds):
        services.clock.advance(timedelta(seconds=seconds))
        rung.append(len(doorbell.rings))
        doorbell.rings.clear()

    services = some_services(edr=an_edr(), doorbell=doorbell, sleep=drained)
    threats = 2 * FULL[Queue.RESPOND] * MOST_TOGETHER[Queue.RESPOND]
    services.ledger.accept([published(id=f"e{number}") for number in range(threats)], unrung={"acme"})
    assert sweep(services) == threats
    assert rung[0] == FULL[Queue.RESPOND] * MOST_TOGETHER[Queue.RESPOND]
    assert len(rung) < LOOKS


def test_a_sweep_with_little_to_ring_looks_once():
    services = some_services(edr=an_edr(), sleep=pytest.fail)
    services.ledger.accept([published()], unrung={"acme"})
    assert sweep(services) == 1


def test_what_is_settled_for_long_is_packed_and_shown_as_before():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.answer(services)
    before = services.ledger.rows("acme", "THREAT-1")
    assert compact(services) == 0
    services.clock.advance(timedelta(days=4))
    assert compact(services) == 1
    assert services.ledger.rows("acme", "THREAT-1") == before


def test_of_many_who_ask_in_one_tick_one_sweeps_and_one_packs():
    services = some_services(edr=an_edr())
    services.ledger.accept([published()], unrung={"acme"})
    assert [sweep(services), sweep(services)] == [1, 0]
    services.doorbell.answer(services)
    services.clock.advance(timedelta(days=4))
    assert [compact(services), compact(services)] == [1, 0]


def test_packing_goes_on_within_a_tick_until_nothing_is_left_or_it_has_taken_long():
    services = some_services(monotonic=Ticking(step=3.0))
    for number in range(3 * MOST_AT_ONCE + 7):
        event = published(id=f"e{number}", threat=published().threat.model_copy(update={"id": f"THREAT-{number}"}))
        services.ledger.accept([event])
        skipped = skip_row(Skip(verb="isolate", subject="FIN-1", reason="not wanted"), "acme", event.id, 0)
        services.ledger.record([EventPlan(event=event, rows=[skipped])])
    services.clock.advance(timedelta(days=4))
    assert compact(services) == 2 * MOST_AT_ONCE
    services.clock.advance(timedelta(seconds=10))
    assert compact(replace(services, monotonic=Ticking(step=0.1))) == MOST_AT_ONCE + 7
