"""A lease lasts as long as its worker lives, and not longer than a visit may take."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from ar_workers.domain import leases
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.states import State
from ar_workers.pipeline.heartbeat import LONGEST_VISIT, Heartbeat
from ar_workers.pipeline.ingest import ingest
from tests.fakes import some_services

from .building import an_edr, published

MINUTE = timedelta(minutes=1)


def claimed(services):
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    event = services.ledger.events(["acme:event/e1"])[0]
    services.doorbell.rings.clear()
    from ar_workers.pipeline.respond import respond

    respond(services, [f"acme:event/{event.id}"])
    row_id = next(ring.id for ring in services.doorbell.rings if ":isolate:" in ring.id)
    (claim,) = services.ledger.claim([row_id], owner="me", lease=MINUTE, caps={})
    assert isinstance(claim, Claim)
    return claim


def a_heart(services):
    """And its clock, which is set by hand."""
    now = [0.0]
    return Heartbeat(services.ledger, MINUTE, monotonic=lambda: now[0]), now


def others_answer(services, claim):
    return services.ledger.claim([claim.row_id], owner="other", lease=MINUTE, caps={})[0]


def test_a_held_claim_outlives_its_lease():
    services = some_services(edr=an_edr())
    claim = claimed(services)
    with services.heartbeat.holding([claim], time.monotonic()):
        for _ in range(5):
            services.clock.advance(timedelta(seconds=50))
            assert services.heartbeat.renew() == 1
        assert others_answer(services, claim) == Refusal(reason="leased")
    services.clock.advance(timedelta(seconds=61))
    assert services.heartbeat.renew() == 0
    assert isinstance(others_answer(services, claim), Claim)


def test_a_visit_that_hangs_is_given_up():
    services = some_services(edr=an_edr())
    claim = claimed(services)
    heartbeat, now = a_heart(services)
    with heartbeat.holding([claim], 0.0):
        now[0] = LONGEST_VISIT + 1
        assert heartbeat.renew() == 0


def test_a_claim_that_was_lost_meanwhile_is_not_taken_back():
    services = some_services(edr=an_edr())
    claim = claimed(services)
    with services.heartbeat.holding([claim], time.monotonic()):
        services.clock.advance(timedelta(minutes=2))
        taken = others_answer(services, claim)
        services.heartbeat.renew()
        assert services.ledger.conclude([(claim, VisitResult(state=State.DONE))]) == [None]
        assert taken.fence > claim.fence


def test_what_is_sent_while_claims_are_held_is_sent_under_their_lease():
    services = some_services(edr=an_edr())
    claim = claimed(services)
    heartbeat, now = a_heart(services)
    with heartbeat.holding([claim], 0.0):
        now[0] = 50.0
        heartbeat.renew()
        now[0] = 109.0
        assert not leases.is_over()
        now[0] = 110.0
        heartbeat.renew()
        assert leases.is_over(), "it was asleep, and somebody else may have the row"
    assert not leases.is_over()


def test_the_heart_beats_by_itself():
    beaten = threading.Event()

    class Ledger:
        def renew(self, claims, lease):
            beaten.set()

    heartbeat = Heartbeat(Ledger(), timedelta(milliseconds=30))
    with heartbeat.holding([object()], time.monotonic()):
        assert beaten.wait(5)
