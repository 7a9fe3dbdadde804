"""What visits have in common: several rows in one go, written down in time, and never a write without leave."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.errors import NotSent, Throttled, VendorFault
from ar_workers.domain.indicators import FileHash
from ar_workers.domain.states import State
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.limits import declare_limits
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from ar_workers.pipeline.visits import CLAIMED_AT_ONCE
from tests.clocks import ManualClock, a_ledger
from tests.fakes import FakeEDR, some_services

from .building import DOMAIN, FIN, HASH, KILL, Ticking, a_flood, an_edr, published, row


def planned(iocs=(HASH, KILL, DOMAIN), **more):
    services = some_services(edr=more.pop("edr", None) or an_edr(), **more)
    ingest(services.ledger, services.doorbell, [published(iocs=iocs)])
    respond(services, [services.doorbell.rings.popleft().id])
    ids = {ring.id.split(":")[1]: ring.id for ring in services.doorbell.rings}
    services.doorbell.rings.clear()
    return services, ids


def test_one_message_may_visit_many_rows_and_goes_on_with_what_it_sets_free():
    services, ids = planned()
    execute(services, [ids["isolate"], ids["kill_process"], ids["ban_hash"], ids["ban_domain"]])
    assert {row(services, verb).state for verb in ("isolate", "kill_process", "ban_hash", "ban_domain")} == {State.DONE}
    assert [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects] == ["isolate", "ban_hash", "ban_domain", "kill_process"]
    assert not services.doorbell.rings


def test_what_is_set_free_elsewhere_is_rung_unless_somebody_else_does():
    services, ids = planned()
    execute(services, [ids["isolate"]])
    assert [ring.id for ring in services.doorbell.rings] == [ids["kill_process"]]
    services, ids = planned()
    execute(services, [ids["isolate"]], is_followed=True)
    assert not services.doorbell.rings


def test_what_waited_for_its_turn_is_rung_at_the_head_even_within_a_canvas():
    second = FIN.model_copy(update={"agent_id": "a2", "hostname": "FIN-2"})
    clock, edr = ManualClock(), an_edr(FIN, second)
    ledger = a_ledger(clock, most_visits=1)
    services = some_services(edr=edr, clock=clock, ledger=ledger)
    ingest(ledger, services.doorbell, [published(endpoints=(FIN, second), iocs=())])
    respond(services, services.doorbell.rings.popleft().ids)
    first, other = (ring.id for ring in services.doorbell.rings if ring.queue == "isolation")
    services.doorbell.rings.clear()
    seen = edr.observe

    def with_another_at_the_door(action, receipt):
        edr.observe = seen
        execute(services, [other])
        return seen(action, receipt)

    edr.observe = with_another_at_the_door
    execute(services, [first], is_followed=True)
    assert [verb for verb, _ in edr.effects] == ["isolate"]
    assert [(ring.id, ring.is_first) for ring in services.doorbell.rings] == [(other, True)]


def test_a_write_that_follows_its_claim_late_asks_for_leave_again():
    services, ids = planned(monotonic=Ticking(step=1.0))
    edr = services.edrs["acme", "crowdstrike"]
    seen = edr.observe

    def pausing(action, receipt):
        services.ledger.pause("acme", "*", "now")
        return seen(action, receipt)

    edr.observe = pausing
    execute(services, [ids["isolate"]])
    assert edr.effects == []
    assert row(services, "isolate").state == State.HELD


def test_findings_are_written_down_before_a_slow_neighbour_is_visited():
    services, ids = planned(monotonic=Ticking(step=1.0))
    edr = services.edrs["acme", "crowdstrike"]
    states = []
    seen = edr.observe

    def watching(action, receipt):
        states.append(row(services, "ban_hash").state)
        return seen(action, receipt)

    edr.observe = watching
    execute(services, [ids["ban_hash"], ids["ban_domain"]])
    assert states[-1] == State.DONE


def test_five_failures_open_the_breaker_and_the_rows_stay_pending():
    edr = FakeEDR(endpoints={"a1": FIN}, looks=deque([NotSent("down")] * 5))
    services, ids = planned(edr=edr)
    for _ in range(5):
        services.clock.advance(timedelta(minutes=6))
        execute(services, [ids["isolate"]])
    services.clock.advance(timedelta(seconds=1))
    execute(services, [ids["ban_hash"]])
    found = row(services, "ban_hash")
    assert (found.state, found.reason) == (State.PENDING, "crowdstrike does not answer: tried by one at a time")
    assert edr.effects == []


def test_a_remote_that_asks_to_be_left_alone_is_so_by_every_row():
    services, ids = planned()
    services.ledger.stay_away("acme", "crowdstrike", timedelta(minutes=3))  # as the gate does
    execute(services, [ids["isolate"]])
    assert row(services, "isolate").reason == "crowdstrike asked to be left alone"
    services.clock.advance(timedelta(minutes=4))
    execute(services, [ids["isolate"]])
    assert row(services, "isolate").state == State.DONE


def test_an_adapters_own_retry_after_delays_its_action_alone():
    edr = FakeEDR(endpoints={"a1": FIN}, looks=deque([Throttled("the sensor is not there yet", retry_after=timedelta(minutes=3))]))
    services, ids = planned(edr=edr)
    execute(services, [ids["ban_hash"]])
    execute(services, [ids["isolate"]])
    assert row(services, "isolate").state == State.DONE
    assert row(services, "ban_hash").state == State.PENDING


def test_a_vendor_that_is_down_for_an_hour_costs_few_requests_and_everything_is_done_after():
    edr = FakeEDR(endpoints={"a1": FIN})
    services, _ = planned(edr=edr)
    calls, seen, down = [], edr.observe, [True]

    def failing(action, receipt):
        calls.append(action.verb)
        if down[0]:
            raise VendorFault("503")
        return seen(action, receipt)

    edr.observe = failing
    for _ in range(360):
        services.clock.advance(timedelta(seconds=10))
        sweep(services)
        services.doorbell.answer(services)
    assert len(calls) < 130, "two a minute, and those until the breaker opened"
    down[0] = False
    for _ in range(60):
        services.clock.advance(timedelta(seconds=30))
        sweep(services)
        services.doorbell.answer(services)
    assert {each.state for each in services.ledger.rows("acme", "THREAT-1") if each.kind == "action"} == {State.DONE}


def test_declared_limits_hold_from_then_on():
    services, _ = planned()
    edr = services.edrs["acme", "crowdstrike"]
    edr.limits = edr.limits.model_copy(update={"rates": (edr.limits.rates[0].model_copy(update={"calls": 8}),)})
    declare_limits(services)
    answers = [services.ledger.spend("acme", "crowdstrike", may_use_reserve=True) for _ in range(3)]
    assert [answer is None for answer in answers] == [True, True, False]


class Noting(RedisLedger):
    """Remembers how many were claimed and recorded together, and how many were in hand before."""

    def __init__(self, client, **more):
        super().__init__(client, **more)
        self.claimed, self.recorded, self.in_hand = [], [], []

    def claim(self, row_ids, **options):
        self.claimed.append(len(row_ids))
        self.in_hand.append(sum(each.state is State.LEASED for each in self.rows("acme", "THREAT-1")))
        return super().claim(row_ids, **options)

    def record(self, plans, **options):
        self.recorded.append(len(plans))
        return super().record(plans, **options)


def a_long_message(**more):
    """Of more bans than are claimed at once."""
    services = some_services(edr=an_edr(), ledger=a_ledger(ManualClock(), kind=Noting), **more)
    hashes = tuple(HASH.model_copy(update={"indicator": FileHash(sha256=f"a{number:063x}")}) for number in range(2 * CLAIMED_AT_ONCE + 3))
    ingest(services.ledger, services.doorbell, [published(iocs=hashes)])
    respond(services, services.doorbell.rings.popleft().ids)
    return services, [ring.id for ring in services.doorbell.rings if ring.queue == Queue.IOC]


def test_a_long_message_is_claimed_in_parts_so_that_nothing_is_held_that_is_visited_late():
    services, ids = a_long_message(monotonic=Ticking(step=1.0))
    execute(services, ids)
    assert services.ledger.claimed == [CLAIMED_AT_ONCE, CLAIMED_AT_ONCE, 3]
    assert services.ledger.in_hand == [0, 1, 1], "a visit that lets go of everything loses its place at the remote"
    assert {services.ledger.row(name).state for name in ids} == {State.DONE}


def test_once_the_first_part_has_shown_that_it_goes_quickly_the_rest_is_claimed_together():
    services, ids = a_long_message(monotonic=Ticking(step=0.0))
    execute(services, ids)
    assert services.ledger.claimed == [CLAIMED_AT_ONCE, CLAIMED_AT_ONCE + 3]
    assert {services.ledger.row(name).state for name in ids} == {State.DONE}


@pytest.mark.parametrize(("step", "together"), [(0.0, [3]), (1.0, [1, 1, 1])], ids=["quick", "slow"])
def test_events_of_one_message_are_recorded_together_unless_planning_takes_long(step, together):
    services = some_services(edr=an_edr(), ledger=a_ledger(ManualClock(), kind=Noting), monotonic=Ticking(step=step))
    ingest(services.ledger, services.doorbell, a_flood()[:3])
    respond(services, [ring.id for ring in services.doorbell.rings])
    assert services.ledger.recorded == together


def test_a_message_that_rings_a_row_twice_visits_it_once():
    services, ids = planned()
    slack = next(ring for ring in services.ledger.unsettled("acme", "THREAT-1") if ":slack:" in ring.id).id
    deliver(services, [slack, slack])
    execute(services, [ids["ban_hash"], ids["ban_hash"]])
    assert sum(len(channel.sent) for channel in services.channels.values()) == 1
    assert [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects] == ["ban_hash"]


def lost(services, row_id, times):
    """So many workers took the row and were never heard of again."""
    for _ in range(times):
        services.ledger.claim([row_id], owner=f"lost at {services.clock.now()}", lease=timedelta(seconds=1), caps={})
        services.clock.advance(timedelta(seconds=2))


def test_a_row_with_which_worker_after_worker_is_lost_waits_longer_each_time_and_is_set_aside_at_last():
    services, ids = planned(iocs=())
    isolate = ids["isolate"]
    lost(services, isolate, 4)
    execute(services, [isolate])
    assert (row(services, "isolate").state, row(services, "isolate").reason) == (
        State.UNKNOWN,
        "waits: 4 workers were lost with it in hand",
    )
    first = row(services, "isolate").next_attempt_at - services.clock.now()
    services.clock.advance(timedelta(minutes=2))
    lost(services, isolate, 3)
    execute(services, [isolate])
    assert row(services, "isolate").next_attempt_at - services.clock.now() > 4 * first
    services.clock.advance(timedelta(minutes=2))
    lost(services, isolate, 4)
    execute(services, [isolate])
    assert row(services, "isolate").state is State.FAILED
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_a_row_that_has_waited_is_looked_at_again():
    services, ids = planned(iocs=())
    isolate = ids["isolate"]
    lost(services, isolate, 5)
    execute(services, [isolate])
    services.clock.advance(timedelta(minutes=2))
    execute(services, [isolate])
    assert row(services, "isolate").state is State.DONE


class Deadly(FakeEDR):
    """A look at it ends the worker."""

    def observe(self, action, receipt):
        raise KeyboardInterrupt


def test_what_waits_because_workers_were_lost_is_written_down_before_anything_is_looked_at():
    services, ids = planned(iocs=(HASH,), edr=Deadly(endpoints={"a1": FIN}))
    lost(services, ids["isolate"], 4)
    with pytest.raises(KeyboardInterrupt):
        execute(services, [ids["isolate"], ids["ban_hash"]])
    assert row(services, "isolate").state is State.UNKNOWN
    assert row(services, "ban_hash").state is State.LEASED
