"""A hold waits for a person and not for ever: when it ends, what is noted, and of what people are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Refusal, VisitResult
from ar_workers.domain.events import HoldExpired, HoldWaits
from ar_workers.domain.guards import Guard
from ar_workers.domain.holds import HoldTerms
from ar_workers.domain.states import State
from tests.clocks import ManualClock, a_ledger
from tests.ledger.building import LEASE, a_row, an_event, asked, concluded, recorded, refused, state_of

DAY, HOUR, QUARTER = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
TERMS = HoldTerms(life=3 * DAY, remind_after=QUARTER)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def ledger(clock):
    return a_ledger(clock)


def minded(ledger, terms=TERMS, *, most=100, customer="acme"):
    return ledger.mind_holds({customer: terms}, most=most)


def held(ledger, number=2, verb="isolate", first=0, **more):
    rows = [a_row(f"{verb}:{n}", lane=f"crowdstrike/a{n}", subject=f"PC-{n}", **more) for n in range(first, first + number)]
    recorded(ledger, *rows, event=an_event(f"e-{verb}-{first}"))
    for row in rows:
        assert asked(ledger, row.id, most=0) == Refusal(reason="held")
    return [row.id for row in rows]


def told(ledger):
    """The events that tell of holds, in the order of their planning, and the ids of those that were told before are left out."""
    refs = [ring.id for ring in ledger.due(1000, timedelta(days=30)) if "event/.hold" in ring.id]
    return ledger.events(refs)


def after(ledger, clock, *spans, terms=TERMS):
    """How many events each span brings, looked at every five minutes."""
    counts = []
    for span in spans:
        end, seen = clock.now() + span, 0
        while clock.now() < end:
            clock.advance(min(timedelta(minutes=5), end - clock.now()))
            minded(ledger, terms)
            seen += len(told(ledger))
        counts.append(seen)
    return counts


def test_what_nobody_decides_in_time_is_called_off_and_the_timeline_says_so(ledger, clock):
    ids = held(ledger)
    clock.advance(3 * DAY - timedelta(seconds=1))
    minded(ledger)
    assert [state_of(ledger, each) for each in ids] == [State.HELD] * 2
    clock.advance(timedelta(seconds=1))
    minded(ledger)
    rows = [ledger.row(each) for each in ids]
    assert {(row.state, row.reason) for row in rows} == {
        (State.CANCELLED, "denied by expiry: nobody decided within 72 h (held by blast_radius)")
    }
    assert (ledger.held("acme"), ledger._redis.exists("ar:{acme}:held")) == ([], 0)
    line = "held -> cancelled: denied by expiry: nobody decided within 72 h (held by blast_radius)"
    assert [entry.text for entry in ledger.threat("acme", "THREAT-1").timeline][-2:] == [line, line]


def test_all_that_ends_together_is_one_event_that_names_some_of_it(ledger, clock):
    held(ledger, 14)
    minded(ledger)
    clock.advance(4 * DAY)
    minded(ledger)
    (event,) = told(ledger)
    assert isinstance(event, HoldExpired)
    assert (event.guard, event.cap, event.number, event.after, len(event.named)) == ("blast_radius", "isolations", 14, 3 * DAY, 10)
    assert all(name.startswith("isolate PC-") for name in event.named)


def test_what_has_ended_is_over_for_good_and_is_no_more_anybodys_to_decide(ledger, clock):
    (row_id,) = held(ledger, 1)
    clock.advance(4 * DAY)
    minded(ledger)
    assert "only held rows" in ledger.approve(row_id, by="kim", reason="late", life=LEASE).reason
    assert "only failed or held" in ledger.requeue(row_id, by="kim", life=LEASE).reason
    minded(ledger)
    assert len(told(ledger)) == 1


@pytest.mark.parametrize("is_packed", [False, True])
def test_what_has_ended_is_asked_for_anew_when_the_threat_is_published_again(ledger, clock, is_packed):
    (row_id,) = held(ledger, 1)
    clock.advance(4 * DAY)
    minded(ledger)
    if is_packed:
        clock.advance(DAY)
        assert ledger.compact(clock.now(), 10) == 1
    recorded(ledger, a_row("isolate:0"), event=an_event("again"))
    assert state_of(ledger, f"{row_id}.2") is State.PENDING


def test_what_a_person_has_denied_is_not_asked_for_anew(ledger):
    (row_id,) = held(ledger, 1)
    ledger.deny(row_id, by="kim", reason="no")
    recorded(ledger, a_row("isolate:0"), event=an_event("again"))
    assert ledger.row(f"{row_id}.2") is None


def test_no_more_ends_at_once_than_redis_may_be_kept_busy_with(ledger, clock):
    held(ledger, 5)
    clock.advance(4 * DAY)
    left = []
    for _ in range(4):
        minded(ledger, most=2)
        left.append(len(ledger.held("acme")))
    assert left == [3, 1, 0, 0]


def test_a_hold_that_is_kept_never_ends(ledger, clock):
    held(ledger)
    keep = TERMS._replace(life=None)
    assert after(ledger, clock, 10 * DAY, terms=keep) == [11]
    assert len(ledger.held("acme")) == 2


def test_of_a_customer_without_a_file_nothing_ends(ledger, clock):
    held(ledger)
    clock.advance(40 * DAY)
    minded(ledger, customer="globex")
    assert len(ledger.held("acme")) == 2


def test_people_are_told_again_after_a_quarter_of_an_hour_an_hour_and_daily_and_an_hour_before_the_end(ledger, clock):
    held(ledger)
    spans = (timedelta(minutes=14), 2 * timedelta(minutes=1), timedelta(minutes=58), timedelta(minutes=5), 22 * HOUR, 3 * HOUR, 24 * HOUR)
    assert after(ledger, clock, *spans) == [0, 1, 0, 1, 0, 1, 1]
    assert after(ledger, clock, 20 * HOUR, HOUR) == [0, 1]
    assert len(ledger.held("acme")) == 2


def test_the_reminder_says_how_many_since_when_and_until_when(ledger, clock):
    held(ledger, 12)
    held_at = clock.now()
    minded(ledger)
    clock.advance(QUARTER)
    minded(ledger)
    (event,) = told(ledger)
    assert isinstance(event, HoldWaits)
    assert (event.guard, event.number, len(event.named)) == ("blast_radius", 12, 10)
    assert (event.since, event.ends) == (held_at, held_at + 3 * DAY)


def test_each_guard_and_each_cap_is_a_hold_of_its_own(ledger, clock):
    held(ledger, 2)
    held(ledger, 3, "ban_hash", first=10, queue=Queue.IOC)
    recorded(ledger, a_row("delete_file:1", queue=Queue.IOC), event=an_event("e9"))
    claim = asked(ledger, "acme:delete_file:1")
    concluded(ledger, claim, VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    clock.advance(QUARTER)
    minded(ledger)
    found = sorted((event.guard, event.cap, event.number) for event in told(ledger))
    assert found == [("blast_radius", "bans", 3), ("blast_radius", "isolations", 2), ("protected", "", 1)]


def test_a_dry_run_is_a_hold_of_its_own_and_says_so(ledger, clock):
    held(ledger, 1)
    held(ledger, 1, first=5, is_dry=True)
    clock.advance(QUARTER)
    minded(ledger)
    assert sorted((event.dry_run, event.number) for event in told(ledger)) == [(False, 1), (True, 1)]


def test_a_hold_that_was_decided_begins_anew(ledger, clock):
    first = held(ledger)
    after(ledger, clock, 2 * HOUR)
    for row_id in first:
        ledger.deny(row_id, by="kim", reason="no")
    minded(ledger)
    assert after(ledger, clock, DAY) == [0]
    held(ledger, 1, first=5)
    assert after(ledger, clock, timedelta(minutes=10), timedelta(minutes=10), 2 * HOUR) == [0, 1, 1]


def test_what_is_held_anew_by_another_guard_has_its_time_anew(ledger, clock):
    (row_id,) = held(ledger, 1)
    clock.advance(2 * DAY)
    ledger.approve(row_id, by="kim", reason="yes", life=7 * DAY)
    claim = asked(ledger, row_id, most=0)
    concluded(ledger, claim, VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    clock.advance(2 * DAY)
    minded(ledger)
    assert state_of(ledger, row_id) is State.HELD
    clock.advance(DAY)
    minded(ledger)
    assert ledger.row(row_id).reason.endswith("(held by protected)")


def test_what_the_kill_switch_holds_waits_for_the_switch(ledger, clock):
    recorded(ledger, a_row())
    ledger.pause("acme", "*", "stop")
    assert refused(ledger) == State.HELD
    assert after(ledger, clock, 5 * DAY) == [0]
    assert state_of(ledger) is State.HELD


def test_what_a_version_before_has_held_has_its_time_from_now_on(ledger, clock):
    (row_id,) = held(ledger, 1)
    ledger._redis.hdel(f"ar:{{acme}}:row:{row_id}", "held_at")
    clock.advance(10 * DAY)
    minded(ledger)
    assert state_of(ledger, row_id) is State.HELD
    clock.advance(3 * DAY)
    minded(ledger)
    assert state_of(ledger, row_id) is State.CANCELLED


def test_of_an_acknowledged_isolation_nobody_is_reminded_and_it_ends_all_the_same(ledger, clock):
    (row_id,) = held(ledger, 1)
    ledger.acknowledge(row_id, by="kim", reason="the owner is asked")
    assert after(ledger, clock, 2 * DAY) == [0]
    assert after(ledger, clock, 2 * DAY) == [1]
    assert state_of(ledger, row_id) is State.CANCELLED


def test_of_what_the_blast_radius_holds_nobody_is_told_one_by_one_until_it_is_let_pass(ledger, clock):
    first, _ = held(ledger, 2, watch=QUARTER)
    clock.advance(2 * HOUR)
    assert ledger.remind(100) == 0
    ledger.approve(first, by="kim", reason="yes", life=DAY)
    clock.advance(QUARTER)
    assert ledger.remind(100) == 1


def test_of_an_isolation_that_another_guard_holds_people_are_told_by_itself_and_not_twice(ledger, clock):
    recorded(ledger, a_row(watch=QUARTER))
    concluded(ledger, asked(ledger), VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    clock.advance(QUARTER)
    minded(ledger)
    assert (told(ledger), ledger.remind(100)) == ([], 1)


def test_the_threats_of_holds_are_listed_and_read_as_any_other(ledger, clock):
    held(ledger)
    clock.advance(QUARTER)
    minded(ledger)
    assert ledger.threat("acme", "holds").timeline[-1].text == "accepted"
    assert {each.id for each in ledger.threats("acme", since=clock.now() - DAY, limit=9)} == {"THREAT-1", "holds"}
