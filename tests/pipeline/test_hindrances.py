"""What often passes by itself: a look that is refused for seconds, and a file that is locked for minutes."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.errors import AuthRefused, EndpointOffline, OutcomeUnknown, Unreadable
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import IOC, File
from ar_workers.domain.retries import PATIENCE, Hindrance
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.orders import STANDS
from ar_workers.pipeline.sweep import sweep
from tests.fakes import some_services

from .building import an_edr, play, published, row

NO_TOKEN = AuthRefused("GET /x: 401 token revoked", is_unauthenticated=True)
NO_ROLE = AuthRefused("GET /x: 403 no role")
DELETE = IOC(indicator=File(path=r"C:\Users\evil.exe", sha256="b" * 64), confirmed_malicious=True, safe_to_act=True, agent_id="a1")
LOCKED = Unreadable("the file is locked or cannot be read")
#: Longer than what hinders may last, at any backoff.
FOR_GOOD = 200


def begun(*looks, iocs=(), **more):
    """One order on one endpoint, on which the EDR shows first what `looks` say."""
    services = some_services(edr=an_edr(looks=deque(looks), **more))
    ingest(services.ledger, services.doorbell, [published(iocs=iocs)])
    services.doorbell.answer(services)
    return services


def within(services, time, step=timedelta(seconds=5)):
    """Let so much of the ledger's time pass, with all that falls due in it."""
    for _ in range(int(time / step)):
        services.clock.advance(step)
        sweep(services)
        services.doorbell.answer(services)


def asked(services):
    return [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects]


@pytest.mark.parametrize("refusal", [NO_TOKEN, NO_ROLE], ids=["401", "403"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_few_seconds_of_refusal_end_no_verification(refusal, times):
    services = begun(Sight.ABSENT, Sight.PENDING, *[refusal] * times)
    within(services, timedelta(minutes=3))
    assert (row(services, "isolate").state, asked(services)) == (State.DONE, ["isolate"])


def test_a_few_seconds_of_refusal_after_a_lost_answer_are_waited_for_and_nothing_is_asked_twice():
    services = begun(Sight.ABSENT, NO_TOKEN, NO_TOKEN, Sight.PRESENT, answers=deque([OutcomeUnknown("timeout")]))
    within(services, timedelta(minutes=3))
    assert (row(services, "isolate").state, asked(services)) == (State.DONE, [])


@pytest.mark.parametrize("refusal", [NO_TOKEN, NO_ROLE], ids=["401", "403"])
def test_a_refusal_that_lasts_fails_and_names_what_is_refused(refusal):
    services = begun(Sight.ABSENT, Sight.PENDING, *[refusal] * FOR_GOOD)
    within(services, PATIENCE[Hindrance.REFUSED] - timedelta(minutes=1))
    assert row(services, "isolate").state is State.PERFORMED
    within(services, timedelta(minutes=4))
    found = row(services, "isolate")
    assert found.state is State.FAILED
    assert found.reason == f"accepted by the EDR, and cannot be verified: AuthRefused: {refusal}; {STANDS}"


def test_a_refusal_today_and_one_next_week_are_two_short_ones():
    services = begun(Sight.ABSENT, Sight.PENDING, NO_TOKEN, Sight.PENDING, *[EndpointOffline("away")] * 3, NO_TOKEN, NO_TOKEN)
    play(services, rounds=20)
    assert row(services, "isolate").state is State.DONE


def test_what_was_not_yet_asked_for_is_told_at_once_when_the_credential_is_refused():
    services = begun(NO_TOKEN)
    found = row(services, "isolate")
    assert (found.state, found.reason, asked(services)) == (State.FAILED, f"AuthRefused: {NO_TOKEN}", [])


def test_a_write_that_was_refused_was_not_carried_out_and_may_be_asked_for_again():
    services = begun(answers=deque([NO_TOKEN]))
    found = row(services, "isolate")
    assert (found.state, asked(services)) == (State.FAILED, [])
    services.doorbell.ring([services.ledger.requeue(found.id, by="kim", life=timedelta(days=1))])
    services.doorbell.answer(services)
    assert (row(services, "isolate").state, asked(services)) == (State.DONE, ["isolate"])


#: The isolation before it is done already.
ISOLATED = Sight.PRESENT


def test_a_file_that_is_locked_for_minutes_is_deleted_then():
    services = begun(ISOLATED, *[LOCKED] * 5, iocs=(DELETE,))
    assert (row(services, "delete_file").state, row(services, "delete_file").reason) == (State.PENDING, f"Unreadable: {LOCKED}")
    within(services, timedelta(minutes=10))
    assert (row(services, "delete_file").state, asked(services)) == (State.DONE, ["delete_file"])


def test_an_order_that_ended_at_a_locked_file_is_given_once_more_and_done():
    run = [Sight.UNKNOWABLE, Sight.PENDING, Sight.LOCKED]
    services = begun(ISOLATED, *run, *run, Sight.UNKNOWABLE, iocs=(DELETE,))
    within(services, timedelta(minutes=10))
    assert (row(services, "delete_file").state, asked(services)) == (State.DONE, ["delete_file"] * 3)


def locked_for_good(how):
    if how == "before":
        return [LOCKED] * FOR_GOOD
    return [Sight.UNKNOWABLE, Sight.PENDING, Sight.LOCKED] * FOR_GOOD


@pytest.mark.parametrize("how", ["before", "by the order"])
def test_a_file_that_stays_locked_fails_and_says_what_to_do(how):
    services = begun(ISOLATED, *locked_for_good(how), iocs=(DELETE,), takes_effect=False)
    within(services, PATIENCE[Hindrance.LOCKED] - timedelta(minutes=6), step=timedelta(seconds=30))
    assert row(services, "delete_file").state in {State.PENDING, State.PERFORMED}
    within(services, timedelta(minutes=30), step=timedelta(seconds=30))
    found = row(services, "delete_file")
    assert found.state is State.FAILED
    assert found.reason.startswith("Unreadable: ")
    assert "End what holds the file open" in found.reason
    assert STANDS not in found.reason


def test_an_accepted_order_at_which_nobody_can_look_because_of_a_lock_is_not_given_twice():
    services = begun(ISOLATED, Sight.ABSENT, Sight.PENDING, *[LOCKED] * FOR_GOOD, iocs=(DELETE,))
    within(services, timedelta(hours=2), step=timedelta(seconds=30))
    found = row(services, "delete_file")
    assert (found.state, asked(services)) == (State.FAILED, ["delete_file"])
    assert STANDS in found.reason


def test_an_endpoint_that_is_away_for_a_day_has_no_locked_file():
    services = begun(ISOLATED, LOCKED, *[EndpointOffline("away")] * 20, LOCKED, LOCKED, iocs=(DELETE,))
    within(services, timedelta(days=1), step=timedelta(minutes=10))
    assert row(services, "delete_file").state is State.DONE
