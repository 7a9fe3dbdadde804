"""What becomes at the EDR of an order that is given up or called off: it is taken back, or it is said that it stands."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.errors import AuthRefused
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.facts import Sight
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from tests.builders import NOON
from tests.fakes import some_services

from .building import THREAT, an_edr, play, published, row

STANDS = "the order still stands at the EDR, and may yet take effect"


def accepted(*, looks, withdrawn=None):
    services = some_services(edr=an_edr(takes_effect=False, looks=deque([Sight.ABSENT, *looks]), withdrawn=withdrawn))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state is State.PERFORMED
    return services


def closed(services):
    event = ThreatClosed(id="c1", customer="acme", occurred_at=NOON + timedelta(minutes=1), threat=THREAT, reason="remediated")
    play(services, event, rounds=8)
    return row(services, "isolate")


def asked(services):
    return [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects]


def given_up(services):
    services.clock.advance(timedelta(days=8))
    play(services, rounds=2)
    return row(services, "isolate")


def test_past_its_deadline_the_order_is_taken_back():
    services = accepted(looks=[Sight.PENDING] * 50, withdrawn=Sight.ABSENT)
    found = given_up(services)
    assert found.state is State.FAILED
    assert found.reason == "accepted by the EDR, but not in effect: seen pending; the order was taken back: seen absent"
    assert asked(services) == ["isolate", "withdraw"]


def test_where_it_cannot_be_taken_back_the_reason_says_that_it_stands():
    found = given_up(accepted(looks=[Sight.PENDING] * 50))
    assert (found.state, found.reason.endswith(f"{STANDS}: it takes no order back")) == (State.FAILED, True)


def test_an_order_that_is_still_shown_after_it_was_to_be_taken_back_stands():
    found = given_up(accepted(looks=[Sight.PENDING] * 50, withdrawn=Sight.PENDING))
    assert STANDS in found.reason


def test_an_order_that_took_effect_while_it_was_taken_back_is_done():
    assert given_up(accepted(looks=[Sight.PENDING] * 50, withdrawn=Sight.PRESENT)).state is State.DONE


def test_an_accepted_order_that_nobody_can_look_at_any_more_may_stand():
    services = accepted(looks=[Sight.PENDING, *[AuthRefused("403")] * 20])
    play(services, rounds=20)
    found = row(services, "isolate")
    assert found.reason == f"accepted by the EDR, and cannot be verified: AuthRefused: 403; {STANDS}"


@pytest.mark.parametrize("seen", [Sight.ABSENT, Sight.UNKNOWABLE])
def test_a_closed_threat_takes_its_order_back(seen):
    services = accepted(looks=[Sight.PENDING] * 50, withdrawn=seen)
    found = closed(services)
    assert found.state is State.CANCELLED
    assert found.reason.startswith("threat closed: remediated; the ")
    assert asked(services) == ["isolate", "withdraw"]


def test_a_closed_threat_whose_order_cannot_be_taken_back_is_watched_and_says_that_it_stands():
    services = accepted(looks=[Sight.PENDING] * 50)
    found = closed(services)
    assert (found.state, STANDS in found.reason) == (State.PERFORMED, True)
    services.edrs["acme", "crowdstrike"].looks = deque([Sight.PRESENT])
    play(services, rounds=2)
    assert row(services, "isolate").state is State.DONE


def test_it_is_asked_once_to_take_an_order_back_and_watched_until_it_shows():
    services = accepted(looks=[Sight.PENDING] * 6, withdrawn=Sight.PENDING)
    found = closed(services)
    assert (found.state, found.reason) == (State.CANCELLED, "threat closed: remediated; the order was taken back: seen absent")
    assert asked(services) == ["isolate", "withdraw"]


def test_an_order_that_was_taken_back_is_given_anew_if_its_threat_is_reopened_meanwhile():
    services = accepted(looks=[Sight.PENDING] * 9, withdrawn=Sight.PENDING)
    closing = ThreatClosed(id="c1", customer="acme", occurred_at=NOON + timedelta(minutes=1), threat=THREAT, reason="closed")
    play(services, closing, rounds=2)
    assert (asked(services), row(services, "isolate").state) == (["isolate", "withdraw"], State.PERFORMED)
    edr = services.edrs["acme", "crowdstrike"]
    edr.looks, edr.takes_effect = deque(), True
    services.ledger.accept([published(id="e2", occurred_at=NOON + timedelta(minutes=2), iocs=())])
    respond(services, ["acme:event/e2"])  # before anybody looks at the order again
    play(services, rounds=4)
    assert (asked(services), row(services, "isolate").state) == (["isolate", "withdraw", "isolate"], State.DONE)


def test_an_endpoint_that_comes_back_after_days_has_as_many_looks_as_another():
    services = accepted(looks=[*[Sight.PENDING] * 100, *[Sight.ABSENT] * 3, Sight.PRESENT])
    play(services, rounds=130)
    assert row(services, "isolate").state is State.DONE
