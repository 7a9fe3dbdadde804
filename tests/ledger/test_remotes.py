"""What every ledger promises of an EDR or receiver that is slow, throttles or does not answer, and of its allowance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, Health, Refusal, VisitResult
from ar_workers.domain.limits import Limits, Rate
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.keys import SEALS
from tests.ledger.building import a_row, an_event, asked, claimed, concluded, recorded, wait

SECOND = timedelta(seconds=1)


def bans(count, *, first=0, **more):
    return [a_row(f"ban_hash:{n}", lane=None, remote="crowdstrike", **more) for n in range(first, first + count)]


def limited(ledger, calls, per=SECOND):
    ledger.limit("acme", "crowdstrike", Limits(rates=(Rate(calls=calls, per=per),), on_429="none", source="made up"))


def spent(ledger, *, may_use_reserve=False, most=200):
    """How many requests are allowed at once."""
    for number in range(most):
        if ledger.spend("acme", "crowdstrike", may_use_reserve=may_use_reserve):
            return number
    return most


def test_a_quarter_of_the_allowance_may_be_spent_at_once_less_what_is_left_to_isolations(ledger):
    limited(ledger, 40, timedelta(hours=1))
    assert spent(ledger) == 8
    assert spent(ledger, may_use_reserve=True) == 2
    assert timedelta(0) < ledger.spend("acme", "crowdstrike", may_use_reserve=True) < timedelta(minutes=3)


def test_the_allowance_trickles_back(ledger):
    limited(ledger, 40, timedelta(seconds=2))
    assert 8 <= spent(ledger) <= 9
    wait(ledger, 0.2)
    assert 1 <= spent(ledger) <= 5


def test_a_remote_without_limits_may_be_asked_at_will(ledger):
    assert spent(ledger) == 200


def test_every_rate_holds(ledger):
    rates = (Rate(calls=1000, per=SECOND), Rate(calls=16, per=timedelta(hours=1)))
    ledger.limit("acme", "crowdstrike", Limits(rates=rates, on_429="none", source="made up"))
    assert spent(ledger, may_use_reserve=True) == 4


def test_a_row_whose_remote_has_nothing_left_stays_pending_until_its_turn(ledger):
    limited(ledger, 40, timedelta(hours=1))
    recorded(ledger, *bans(2), a_row(remote="crowdstrike"))
    spent(ledger)
    assert asked(ledger, "acme:ban_hash:0").reason == "the allowance of crowdstrike is used up for now"
    first, second = (ledger.row(f"acme:ban_hash:{n}") for n in (0, 1))
    assert (first.state, first.reason) == (State.PENDING, "the allowance of crowdstrike is used up for now")
    assert ledger.due(10, SECOND) == []
    second = ledger.row("acme:ban_hash:1")
    assert second.next_attempt_at > first.next_attempt_at


def test_an_isolation_outranks_what_has_to_wait(ledger):
    limited(ledger, 40, timedelta(hours=1))
    recorded(ledger, *bans(1), a_row(remote="crowdstrike"))
    for _ in range(5):
        ledger.spend("acme", "crowdstrike", may_use_reserve=False)
    assert isinstance(asked(ledger, "acme:ban_hash:0"), Refusal)
    assert isinstance(asked(ledger, "acme:isolate:1"), Claim)


def test_a_remote_that_asked_to_be_left_alone_is_asked_by_nobody(ledger):
    recorded(ledger, *bans(2), a_row(remote="crowdstrike"))
    concluded(ledger, claimed(ledger, "acme:ban_hash:0"), VisitResult(state=State.PENDING, after=SECOND, health=Health.OK))
    ledger.stay_away("acme", "crowdstrike", timedelta(milliseconds=150))
    ledger.stay_away("acme", "crowdstrike", timedelta(milliseconds=10))  # the longer one holds
    assert asked(ledger, "acme:ban_hash:1").reason == "crowdstrike asked to be left alone"
    assert asked(ledger, "acme:isolate:1").reason == "crowdstrike asked to be left alone"
    assert ledger.spend("acme", "crowdstrike", may_use_reserve=True) > timedelta(0)
    assert ledger.due(10, SECOND) == []
    wait(ledger, 0.2)
    assert ledger.spend("acme", "crowdstrike", may_use_reserve=True) is None
    assert isinstance(asked(ledger, "acme:isolate:1"), Claim)


def test_isolations_that_a_remote_kept_waiting_come_back_oldest_first_and_what_was_asked_before_all(ledger):
    for number in (3, 1, 2):
        row = a_row(f"isolate:{number}", lane=f"crowdstrike/a{number}", remote="crowdstrike")
        recorded(ledger, row, event=an_event(f"e{number}", f"THREAT-{number}"))
        wait(ledger, 0.2)
    concluded(ledger, claimed(ledger, "acme:isolate:2"), VisitResult(state=State.UNKNOWN))
    ledger.stay_away("acme", "crowdstrike", timedelta(milliseconds=200))
    for number in (1, 2, 3):
        assert asked(ledger, f"acme:isolate:{number}").reason == "crowdstrike asked to be left alone"
    wait(ledger, 0.3)
    assert [ring.id for ring in ledger.due(10, SECOND)] == ["acme:isolate:2", "acme:isolate:3", "acme:isolate:1"]


def test_an_isolation_that_is_younger_than_it_may_be_comes_back_as_soon(real_redis, redis_url):
    """A replica whose clock is a minute behind has been made the primary."""
    ledger = RedisLedger(connect(redis_url), seals=SEALS)
    recorded(ledger, a_row(remote="crowdstrike"))
    seconds, micros = real_redis.time()
    real_redis.hset("ar:{acme}:row:acme:isolate:1", "created_at", seconds * 1000 + micros // 1000 + 60_950)
    ledger.stay_away("acme", "crowdstrike", timedelta(milliseconds=50))
    assert isinstance(asked(ledger), Refusal)
    wait(ledger, 0.2)
    assert [ring.id for ring in ledger.due(10, SECOND)] == ["acme:isolate:1"]


def test_another_customers_remote_is_another(ledger):
    ledger.stay_away("globex", "crowdstrike", timedelta(minutes=1))
    recorded(ledger, *bans(1))
    assert isinstance(asked(ledger, "acme:ban_hash:0"), Claim)


BAD = VisitResult(state=State.PENDING, health=Health.BAD)


def broken(ledger, row_id="acme:ban_hash:0"):
    for _ in range(5):
        concluded(ledger, claimed(ledger, row_id), BAD)


def test_after_five_failures_the_breaker_lets_nobody_through(ledger):
    recorded(ledger, *bans(2), a_row(remote="crowdstrike"))
    broken(ledger)
    refusals = {asked(ledger, name).reason for name in ("acme:ban_hash:0", "acme:ban_hash:1", "acme:isolate:1")}
    assert refusals == {"crowdstrike does not answer: tried by one at a time"}
    assert {row.state for row in ledger.rows("acme", "THREAT-1")} == {State.PENDING}


def test_an_answer_closes_the_breaker(ledger):
    recorded(ledger, *bans(2))
    for _ in range(4):
        concluded(ledger, claimed(ledger, "acme:ban_hash:0"), BAD)
    concluded(ledger, claimed(ledger, "acme:ban_hash:0"), VisitResult(state=State.PENDING, health=Health.OK))
    concluded(ledger, claimed(ledger, "acme:ban_hash:0"), BAD)
    assert isinstance(asked(ledger, "acme:ban_hash:1"), Claim)


def test_however_long_it_was_away_a_remote_that_is_back_is_tried_within_half_a_minute(ledger):
    recorded(ledger, *bans(17))
    for claim in [claimed(ledger, f"acme:ban_hash:{n}") for n in range(16)]:
        concluded(ledger, claim, BAD)
    assert isinstance(asked(ledger, "acme:ban_hash:16"), Refusal)
    wait = ledger.row("acme:ban_hash:16").next_attempt_at - datetime.now(UTC)
    assert timedelta(seconds=20) < wait <= timedelta(seconds=30)


def test_what_a_closed_remote_keeps_waiting_is_not_rung(ledger):
    recorded(ledger, *bans(3))
    broken(ledger)
    assert ledger.due(10, SECOND) == []
    waiting = [ledger.row(f"acme:ban_hash:{n}").next_attempt_at for n in range(3)]
    assert len(set(waiting)) == 3


def test_a_customer_takes_only_so_many_workers(ledger):
    recorded(ledger, *bans(17), a_row(remote="crowdstrike"))
    claims = [claimed(ledger, f"acme:ban_hash:{n}") for n in range(16)]
    assert asked(ledger, "acme:ban_hash:16").reason == "crowdstrike busy"
    assert isinstance(asked(ledger, "acme:isolate:1"), Claim)
    rings = concluded(ledger, claims[0], VisitResult(state=State.DONE))
    assert [ring.id for ring in rings] == ["acme:ban_hash:16"]
    claimed(ledger, "acme:ban_hash:16")


def test_a_visit_that_still_holds_rows_has_not_left(ledger):
    recorded(ledger, *bans(19))
    both = ledger.claim(["acme:ban_hash:0", "acme:ban_hash:1"], owner="both", lease=timedelta(seconds=30), caps={})
    for number in range(2, 17):
        claimed(ledger, f"acme:ban_hash:{number}")
    assert asked(ledger, "acme:ban_hash:17").reason == "crowdstrike busy"
    assert concluded(ledger, both[0], VisitResult(state=State.DONE)) == []
    assert asked(ledger, "acme:ban_hash:18").reason == "crowdstrike busy"
    assert [ring.id for ring in concluded(ledger, both[1], VisitResult(state=State.DONE))] == ["acme:ban_hash:17"]


def crowded(ledger, waiting):
    """A full remote, and so many that found it full. The claims of those who are with it."""
    recorded(ledger, *bans(16 + waiting))
    claims = [claimed(ledger, f"acme:ban_hash:{n}") for n in range(16)]
    assert {asked(ledger, f"acme:ban_hash:{n}").reason for n in range(16, 16 + waiting)} == {"crowdstrike busy"}
    return claims


def test_who_was_served_while_standing_in_the_queue_is_not_called_again(ledger):
    claims = crowded(ledger, 3)
    assert [ring.id for ring in concluded(ledger, claims[0], VisitResult(state=State.DONE))] == ["acme:ban_hash:16"]
    before_its_turn = claimed(ledger, "acme:ban_hash:17")
    rings = concluded(ledger, before_its_turn, VisitResult(state=State.PENDING, after=timedelta(hours=1)))
    assert [ring.id for ring in rings] == ["acme:ban_hash:18"]


def test_who_was_put_off_while_standing_in_the_queue_is_passed_over_twenty_at_once(ledger):
    claims = crowded(ledger, 22)
    ledger.stay_away("acme", "crowdstrike", timedelta(minutes=1))
    for number in range(16, 37):
        asked(ledger, f"acme:ban_hash:{number}")
    assert concluded(ledger, claims[0], VisitResult(state=State.DONE)) == []
    assert [ring.id for ring in concluded(ledger, claims[1], VisitResult(state=State.DONE))] == ["acme:ban_hash:37"]


def test_what_a_beset_remote_could_not_take_is_not_rung(ledger):
    recorded(ledger, *bans(230), a_row(remote="crowdstrike"))
    for number in range(16):
        claimed(ledger, f"acme:ban_hash:{number}")
    assert len(ledger.due(1_000, timedelta(milliseconds=100))) == 215
    for number in range(16, 216):
        asked(ledger, f"acme:ban_hash:{number}")
    wait(ledger, 0.2)
    assert [ring.id for ring in ledger.due(1_000, SECOND)] == ["acme:isolate:1"]
    assert ledger.row("acme:ban_hash:229").state is State.PENDING


def test_for_the_empty_places_at_a_beset_remote_no_more_are_rung_than_these(ledger):
    recorded(ledger, *bans(230), a_row(remote="crowdstrike"))
    claims = [claimed(ledger, f"acme:ban_hash:{number}") for number in range(16)]
    for number in range(16, 220):
        asked(ledger, f"acme:ban_hash:{number}")
    for claim in claims[:2]:
        concluded(ledger, claim, VisitResult(state=State.DONE))
    assert len(ledger.due(1_000, SECOND)) == 3, "two bans, and the isolation"


def test_events_and_isolations_do_not_wait_behind_what_a_beset_remote_cannot_take(ledger):
    recorded(ledger, *bans(700))
    for number in range(16):
        claimed(ledger, f"acme:ban_hash:{number}")
    for number in range(16, 216):
        asked(ledger, f"acme:ban_hash:{number}")
    recorded(ledger, a_row(remote="crowdstrike"), event=an_event("e2"))
    ledger.accept([an_event("e3")])
    wait(ledger, 0.1)
    recorded(ledger, *bans(1_400, first=700), event=an_event("e4"))
    assert {ring.id for ring in ledger.due(5_000, SECOND)} == {"acme:isolate:1", "acme:event/e3"}


def test_events_that_nobody_has_room_for_leave_something_of_a_look_to_the_rest(ledger):
    recorded(ledger, *bans(2, queue=Queue.IOC))
    ledger.accept([an_event(f"more-{number}") for number in range(10)])
    assert [ring.queue for ring in ledger.due(4, SECOND, room={"respond": 0})] == [Queue.IOC]


def test_what_a_full_queue_could_not_take_is_not_rung(ledger):
    recorded(ledger, *bans(3, queue=Queue.IOC), a_row(remote="crowdstrike"))
    rung = [ring.id for ring in ledger.due(10, SECOND, room={"ioc": 2, "isolation": 1})]
    assert sorted(rung) == ["acme:ban_hash:0", "acme:ban_hash:1", "acme:isolate:1"]


def test_what_has_just_become_due_does_not_wait_behind_a_flood(ledger):
    recorded(ledger, *bans(20))
    wait(ledger, 0.05)
    recorded(ledger, a_row("ban_hash:late", lane=None), event=an_event("e2"))
    rung = [ring.id for ring in ledger.due(4, SECOND)]
    assert len(rung) == len(set(rung)) == 4
    assert "acme:ban_hash:late" in rung


def test_what_a_lost_worker_held_is_rung_first_whatever_else_waits(ledger):
    recorded(ledger, *bans(30, queue=Queue.IOC))
    claimed(ledger, "acme:ban_hash:7", lease=timedelta(milliseconds=30))
    wait(ledger, 0.1)
    first, *others = ledger.due(10, SECOND, room={"ioc": 0})
    assert (first.id, first.is_first, others) == ("acme:ban_hash:7", True, [])


def test_at_a_full_remote_what_a_lost_worker_held_is_called_first(ledger):
    recorded(ledger, *bans(18))
    claimed(ledger, "acme:ban_hash:17", lease=timedelta(milliseconds=30))
    claims = [claimed(ledger, f"acme:ban_hash:{n}") for n in range(15)]
    wait(ledger, 0.1)
    claimed(ledger, "acme:ban_hash:15")
    assert asked(ledger, "acme:ban_hash:16").reason == asked(ledger, "acme:ban_hash:17").reason == "crowdstrike busy"
    assert [ring.id for ring in concluded(ledger, claims[0], VisitResult(state=State.DONE))] == ["acme:ban_hash:17"]


def test_every_customer_has_its_share_of_what_is_rung(ledger):
    recorded(ledger, *bans(20))
    recorded(ledger, a_row("ban_hash:1", customer="globex", lane=None), event=an_event(customer="globex"))
    rung = [ring.id for ring in ledger.due(10, SECOND)]
    assert "globex:ban_hash:1" in rung
    assert len(rung) == 6


@pytest.mark.parametrize("verb", ["release", "isolate"])
def test_containment_has_workers_of_its_own_even_at_a_full_remote(ledger, verb):
    recorded(ledger, *bans(16), a_row(f"{verb}:9", lane="crowdstrike/a9", remote="crowdstrike"))
    for number in range(16):
        claimed(ledger, f"acme:ban_hash:{number}")
    assert isinstance(asked(ledger, f"acme:{verb}:9"), Claim)
