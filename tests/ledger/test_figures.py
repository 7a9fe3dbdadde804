"""The figures that the ledger's scripts go by, each seen at work: whoever changes one must change a test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.backpressure import MOST_VISITS
from ar_workers.domain.claims import Claim, Health, Refusal, VisitResult
from ar_workers.domain.limits import Limits, Rate
from ar_workers.domain.states import State
from ar_workers.domain.verbs import CAP_WINDOWS, Cap
from ar_workers.ledger.redis import GRACE, LEAST_REMAINING
from tests.clocks import ManualClock, a_ledger
from tests.ledger.building import LEASE, a_row, an_event, asked, claimed, concluded, recorded

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BAD = VisitResult(state=State.PENDING, health=Health.BAD)


@pytest.fixture
def clock():
    return ManualClock()


def bans(count, **more):
    return [a_row(f"ban_hash:{n}", **({"lane": None, "remote": "crowdstrike"} | more)) for n in range(count)]


@pytest.mark.parametrize(("after", "is_held"), [(59 * MINUTE, True), (HOUR, False)])
def test_the_blast_radius_looks_back_one_hour(clock, after, is_held):
    ledger = a_ledger(clock)
    recorded(ledger, *(a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(2)))
    assert isinstance(asked(ledger, "acme:isolate:0", most=1), Claim)
    clock.advance(after)
    assert (asked(ledger, "acme:isolate:1", most=1) == Refusal(reason="held")) is is_held
    assert CAP_WINDOWS[Cap.ISOLATIONS] == HOUR


def failing(ledger, times):
    for _ in range(times):
        concluded(ledger, claimed(ledger, "acme:ban_hash:0"), BAD)


def test_the_fifth_failure_in_a_row_opens_the_breaker(clock):
    ledger = a_ledger(clock)
    recorded(ledger, *bans(2))
    failing(ledger, 4)
    concluded(ledger, claimed(ledger, "acme:ban_hash:1"), BAD)
    assert asked(ledger, "acme:ban_hash:0").reason == "crowdstrike does not answer: tried by one at a time"


@pytest.mark.parametrize(("failures", "seconds"), [(5, 5), (6, 10), (7, 20), (8, 30), (9, 30)])
def test_the_breaker_opens_for_longer_each_time_and_never_for_more_than_half_a_minute(clock, failures, seconds):
    ledger = a_ledger(clock)
    recorded(ledger, *bans(1))
    for _ in range(failures):
        concluded(ledger, claimed(ledger, "acme:ban_hash:0"), BAD)
        clock.advance(HOUR)
    clock.advance(-HOUR)
    clock.advance(timedelta(seconds=seconds - 0.001))
    assert isinstance(asked(ledger, "acme:ban_hash:0"), Refusal)
    clock.advance(timedelta(seconds=0.001))
    assert asked(ledger, "acme:ban_hash:0") != Refusal(reason="crowdstrike does not answer: tried by one at a time")


def test_when_the_breaker_is_over_one_tries_and_the_others_wait_for_half_a_minute(clock):
    ledger = a_ledger(clock)
    recorded(ledger, *bans(3))
    failing(ledger, 5)
    clock.advance(5 * SECOND)
    probe, *others = ledger.claim([f"acme:ban_hash:{n}" for n in range(3)], owner="one", lease=LEASE, caps={})
    assert isinstance(probe, Claim)
    closed = Refusal(reason="crowdstrike does not answer: tried by one at a time")
    assert others == [closed, closed]
    clock.advance(30 * SECOND)
    assert isinstance(asked(ledger, "acme:ban_hash:1"), Claim)


def test_a_write_is_begun_only_with_ten_seconds_of_the_lease_left(clock):
    ledger = a_ledger(clock, least_remaining=LEAST_REMAINING)
    recorded(ledger, a_row())
    claim = claimed(ledger, lease=MINUTE)
    clock.advance(timedelta(seconds=50))
    assert ledger.begin(claim, caps={}) is None
    clock.advance(timedelta(milliseconds=1))
    assert ledger.begin(claim, caps={}) == Refusal(reason="stale")


def test_a_timeline_keeps_its_last_two_thousand_moves(clock):
    ledger = a_ledger(clock)
    recorded(ledger, *bans(2001))
    concluded(ledger, claimed(ledger, "acme:ban_hash:0"), VisitResult(state=State.PENDING, reason="not yet"))
    timeline = ledger.threat("acme", "THREAT-1").timeline
    assert len(timeline) == 2000
    assert timeline[-1].text == "pending -> pending: not yet"


def test_a_ring_is_awaited_for_five_seconds(clock):
    ledger = a_ledger(clock, grace=GRACE)
    recorded(ledger, a_row())
    clock.advance(timedelta(seconds=4.999))
    assert ledger.due(10, MINUTE) == []
    clock.advance(timedelta(milliseconds=1))
    assert [ring.id for ring in ledger.due(10, MINUTE)] == ["acme:isolate:1"]


def test_sixteen_visits_at_once_are_with_a_remote_and_isolations_have_as_many_of_their_own(clock):
    ledger = a_ledger(clock, most_visits=MOST_VISITS)
    recorded(ledger, *bans(17), a_row(remote="crowdstrike"))
    answers = [asked(ledger, f"acme:ban_hash:{n}") for n in range(17)]
    assert [isinstance(answer, Claim) for answer in answers] == [True] * 16 + [False]
    assert isinstance(asked(ledger, "acme:isolate:1"), Claim)


def limited(ledger, calls, per):
    ledger.limit("acme", "crowdstrike", Limits(rates=(Rate(calls=calls, per=per),), on_429="none", source="made up"))


def spent(ledger, *, may_use_reserve=False):
    return next(n for n in range(1000) if ledger.spend("acme", "crowdstrike", may_use_reserve=may_use_reserve))


def test_a_quarter_of_an_allowance_is_spent_at_once_and_the_rest_trickles_in(clock):
    ledger = a_ledger(clock)
    limited(ledger, 400, HOUR)
    assert spent(ledger, may_use_reserve=True) == 100
    clock.advance(30 * MINUTE)
    assert spent(ledger, may_use_reserve=True) == 100  # of 150 that have trickled in
    clock.advance(6 * MINUTE)
    assert spent(ledger, may_use_reserve=True) == 30


def test_a_fifth_of_what_may_be_spent_at_once_is_left_to_isolations(clock):
    ledger = a_ledger(clock)
    limited(ledger, 400, HOUR)
    assert (spent(ledger), spent(ledger, may_use_reserve=True)) == (80, 20)


def test_a_visit_is_begun_only_if_four_requests_are_left_for_it(clock):
    ledger = a_ledger(clock)
    limited(ledger, 400, HOUR)
    recorded(ledger, *bans(2))
    for _ in range(76):
        ledger.spend("acme", "crowdstrike", may_use_reserve=False)
    assert isinstance(asked(ledger, "acme:ban_hash:0"), Claim)
    ledger.spend("acme", "crowdstrike", may_use_reserve=False)
    assert asked(ledger, "acme:ban_hash:1").reason == "the allowance of crowdstrike is used up for now"


def test_what_a_remote_keeps_waiting_comes_back_one_after_the_other(clock):
    ledger = a_ledger(clock)
    recorded(ledger, *bans(3))
    ledger.stay_away("acme", "crowdstrike", SECOND)
    for number in range(3):
        asked(ledger, f"acme:ban_hash:{number}")
    at = [ledger.row(f"acme:ban_hash:{number}").next_attempt_at - clock.now() for number in range(3)]
    assert at == [timedelta(milliseconds=each) for each in (1000, 1050, 1100)]


def test_with_a_rate_they_come_back_as_fast_as_that_allows_visits(clock):
    ledger = a_ledger(clock)
    limited(ledger, 40, MINUTE)
    recorded(ledger, *bans(2))
    ledger.stay_away("acme", "crowdstrike", SECOND)
    for number in range(2):
        asked(ledger, f"acme:ban_hash:{number}")
    first, second = (ledger.row(f"acme:ban_hash:{number}").next_attempt_at for number in range(2))
    assert second - first == 6 * SECOND  # four requests of forty a minute


def test_who_left_the_queue_meanwhile_is_passed_over_twenty_times(clock):
    ledger = a_ledger(clock, most_visits=1)
    recorded(ledger, *bans(24))
    busy = claimed(ledger, "acme:ban_hash:0")
    for number in range(1, 24):
        asked(ledger, f"acme:ban_hash:{number}")
        clock.advance(timedelta(milliseconds=1))
    for number in range(1, 20):
        key = f"ar:{{acme}}:row:acme:ban_hash:{number}"
        ledger._redis.hset(key, "state", "cancelled")
    assert [ring.id for ring in concluded(ledger, busy, VisitResult(state=State.DONE))] == ["acme:ban_hash:20"]
    busy = claimed(ledger, "acme:ban_hash:20")
    assert asked(ledger, "acme:ban_hash:21").reason == "crowdstrike busy"


def test_events_and_isolations_get_three_quarters_of_a_sweep(clock):
    ledger = a_ledger(clock)
    for number in range(100):
        ledger.accept([an_event(f"e{number}", f"THREAT-{number}")])
    recorded(ledger, *bans(100, remote=""), event=an_event("bans", "BANS"))
    rings = [ring.id for ring in ledger.due(100, MINUTE)]
    assert sum(":event/" in each for each in rings) == 75
    assert len(rings) == 100


@pytest.mark.parametrize(("waiting", "rung"), [(199, 229), (200, 0)])
def test_a_full_remote_for_which_two_hundred_wait_is_rung_for_no_more(clock, waiting, rung):
    ledger = a_ledger(clock, most_visits=1)
    recorded(ledger, *bans(230))
    claimed(ledger, "acme:ban_hash:0")
    ledger.claim([f"acme:ban_hash:{n}" for n in range(1, waiting + 1)], owner="two", lease=LEASE, caps={})
    assert len(ledger.due(1_000, MINUTE)) == rung
