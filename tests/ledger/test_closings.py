"""What every ledger promises of what is called off: by the closing of a threat, or by a release."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.claims import Refusal, VisitResult
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.guards import Guard
from ar_workers.domain.states import State
from tests.ledger.building import LEASE, NOON, a_delivery, a_row, an_event, begun, claimed, concluded, recorded, refused, settle, state_of


def closing(at=NOON, threat="THREAT-1", event_id="c1"):
    published = an_event(threat=threat)
    return ThreatClosed(id=event_id, customer="acme", occurred_at=at, threat=published.threat, reason="remediated")


def test_closing_a_threat_cancels_what_is_queued_and_not_its_deliveries(ledger):
    waiting = a_row("kill_process:1", after=("acme:isolate:1",))
    recorded(ledger, a_row(), waiting, a_row("ban_hash:1", lane=None), a_delivery())
    settle(ledger, "acme:ban_hash:1")
    recorded(ledger, event=closing(), closes="threat closed: remediated")
    states = {row.id: row.state for row in ledger.rows("acme", "THREAT-1")}
    assert states == {
        "acme:isolate:1": State.CANCELLED,
        "acme:kill_process:1": State.CANCELLED,
        "acme:ban_hash:1": State.DONE,
        "acme:slack:1": State.PENDING,
    }


def test_a_closed_threat_stops_a_worker_that_has_not_begun(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    recorded(ledger, event=closing(), closes="threat closed")
    assert ledger.begin(claim, caps={}) == Refusal(reason="cancelled")
    assert state_of(ledger) == State.CANCELLED


def test_a_closed_threat_stops_a_retry_that_is_in_a_workers_hand(ledger):
    recorded(ledger, a_row())
    claim = begun(ledger, claimed(ledger))
    recorded(ledger, event=closing(), closes="threat closed")
    concluded(ledger, claim, VisitResult(state=State.PENDING))
    assert state_of(ledger) == State.CANCELLED


def test_a_closed_threat_still_watches_what_the_edr_accepted(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    recorded(ledger, event=closing(), closes="threat closed")
    settle_again = claimed(ledger)
    concluded(ledger, settle_again, VisitResult(state=State.DONE))
    assert state_of(ledger) == State.DONE


def test_an_event_older_than_the_closing_comes_too_late(ledger):
    recorded(ledger, event=closing(), closes="threat closed")
    recorded(ledger, a_row(), event=an_event(at=NOON - timedelta(minutes=1)))
    assert state_of(ledger) == State.CANCELLED


def test_a_threat_published_anew_after_its_closing_is_acted_on(ledger):
    recorded(ledger, event=closing(), closes="threat closed")
    recorded(ledger, a_row(), event=an_event(at=NOON + timedelta(minutes=1)))
    assert state_of(ledger) == State.PENDING


@pytest.mark.parametrize("state", [None, State.DONE])
def test_a_threat_that_is_published_anew_asks_anew_for_what_it_asked_before(ledger, state):
    recorded(ledger, a_row(), a_row("ban_hash:1", lane=None))
    if state:
        settle(ledger, "acme:isolate:1", state)
    recorded(ledger, event=closing(), closes="threat closed")
    again = (a_row(), a_row("ban_hash:1", lane=None), a_row("kill_process:1", after=("acme:isolate:1",)))
    recorded(ledger, *again, event=an_event("e2", at=NOON + timedelta(minutes=1)))
    states = {row.id: row.state for row in ledger.rows("acme", "THREAT-1")}
    assert states == {
        "acme:isolate:1": state or State.CANCELLED,
        "acme:ban_hash:1": State.CANCELLED,
        "acme:isolate:1.2": State.PENDING,
        "acme:ban_hash:1.2": State.PENDING,
        "acme:kill_process:1": State.WAITING,
    }
    assert ledger.threat("acme", "THREAT-1").closed == ""


def test_a_threat_that_grows_after_it_was_published_anew_asks_for_nothing_twice(ledger):
    recorded(ledger, event=closing(), closes="threat closed")
    for number in (1, 2):
        recorded(ledger, a_row(), event=an_event(f"e{number}", at=NOON + timedelta(minutes=number)))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1"]


def test_what_was_to_be_called_off_at_its_next_step_goes_on_if_its_threat_is_published_anew(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    recorded(ledger, event=closing(), closes="threat closed")
    recorded(ledger, a_row(), event=an_event("e2", at=NOON + timedelta(minutes=1)))
    assert ledger.begin(claim, caps={}) is None
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1"]


@pytest.mark.parametrize(("is_reopened", "state"), [(True, State.PENDING), (False, State.CANCELLED)])
def test_an_order_that_was_taken_back_while_its_threat_was_reopened_is_given_anew(ledger, is_reopened, state):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.PERFORMED, receipt="{}"))
    recorded(ledger, event=closing(), closes="threat closed")
    claim = claimed(ledger)
    assert (claim.called_off, claim.receipt) == ("threat closed", "{}")
    if is_reopened:
        recorded(ledger, a_row(), event=an_event("e2", at=NOON + timedelta(minutes=1)))
    concluded(ledger, claim, VisitResult(state=State.CANCELLED, reason="threat closed; the order was taken back"))
    assert state_of(ledger) == state
    if is_reopened:
        again = claimed(ledger)
        assert (again.receipt, again.called_off, again.was) == ("", "", State.PENDING)


@pytest.mark.parametrize("times", [1, 2])
def test_a_row_that_was_left_to_another_threat_is_wanted_again_by_the_one_that_was_published_anew(ledger, times):
    recorded(ledger, a_row("ban_hash:1"))
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    for number in range(times):
        recorded(ledger, event=closing(NOON + timedelta(minutes=2 * number), event_id=f"c{number}"), closes="threat closed")
        anew = an_event(f"e3{number}", at=NOON + timedelta(minutes=2 * number + 1))
        recorded(ledger, a_row("ban_hash:1"), event=anew)
    recorded(ledger, event=closing(threat="THREAT-2", event_id="c9"), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.PENDING
    recorded(ledger, event=closing(NOON + timedelta(hours=1), event_id="c10"), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.CANCELLED


def test_a_closed_threat_that_shares_a_row_too_late_and_is_published_anew_shares_it_once(ledger):
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    recorded(ledger, event=closing(), closes="threat closed")
    for number in (-1, 1):
        recorded(ledger, a_row("ban_hash:1"), event=an_event(f"e{number}", at=NOON + timedelta(minutes=number)))
    recorded(ledger, event=closing(NOON + timedelta(minutes=2), event_id="c2"), closes="threat closed")
    recorded(ledger, event=closing(threat="THREAT-2", event_id="c3"), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.CANCELLED


def as_of(minutes, event):
    return event.model_copy(update={"as_of": NOON + timedelta(minutes=minutes)})


@pytest.mark.parametrize(("minutes", "state"), [(1, State.CANCELLED), (2, State.CANCELLED), (3, State.PENDING)])
def test_which_came_first_is_told_by_the_sources_own_time_where_it_tells_one(ledger, minutes, state):
    recorded(ledger, event=as_of(2, closing(NOON - timedelta(days=1))), closes="threat closed")
    recorded(ledger, a_row(), event=as_of(minutes, an_event(at=NOON - timedelta(days=2))))
    assert state_of(ledger) == state


def test_a_source_that_says_the_same_again_is_heard_only_after_it_said_otherwise(ledger):
    opened, closed = an_event(), closing(NOON - timedelta(days=1))
    said = [as_of(1, opened), as_of(2, opened), as_of(3, closed), as_of(2, opened), as_of(3, opened), as_of(4, opened), as_of(5, closed)]
    answers = [ledger.accept([event])[0] for event in said[:6]]
    assert answers == ["accepted", "duplicate", "accepted", "duplicate", "duplicate", "turned"]
    assert ledger.accept([said[5].said_again(), said[5].said_again()]) == ["accepted", "duplicate"]
    assert ledger.accept([said[5], said[6], said[3]]) == ["duplicate", "turned", "duplicate"]


def test_what_no_source_tells_again_is_the_same_event_for_ever(ledger):
    opened, closed = an_event(), closing(NOON + timedelta(minutes=1))
    assert ledger.accept([opened, closed, opened, closed]) == ["accepted", "accepted", "duplicate", "duplicate"]
    assert ledger.accept([as_of(9, opened)]) == ["duplicate"]


def test_a_row_that_two_threats_want_outlives_the_closing_of_one(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    recorded(ledger, event=closing(), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.PENDING
    recorded(ledger, event=closing(threat="THREAT-2", event_id="c2"), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.CANCELLED


def test_a_sharing_threat_that_closes_first_does_not_inherit(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    recorded(ledger, event=closing(threat="THREAT-2", event_id="c2"), closes="threat closed")
    recorded(ledger, event=closing(), closes="threat closed")
    assert state_of(ledger, "acme:ban_hash:1") == State.CANCELLED


def test_a_release_supersedes_an_isolation_that_is_still_queued(ledger):
    recorded(ledger, a_row())
    recorded(ledger, a_row("release:1", asked_by="kim"), event=an_event("e2"))
    assert refused(ledger) == State.CANCELLED
    assert ledger.row("acme:isolate:1").reason == "released by kim"


def test_a_release_supersedes_an_isolation_that_is_about_to_begin(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    assert claim.is_cleared
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    assert ledger.begin(claim, caps={}) == Refusal(reason="cancelled")


@pytest.mark.parametrize("state", [State.UNKNOWN, State.PERFORMED])
def test_a_release_ends_an_isolation_that_is_under_way(ledger, state):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=state))
    recorded(ledger, a_row("release:1", asked_by="kim"), event=an_event("e2"))
    assert refused(ledger) == State.CANCELLED
    assert ledger.row("acme:isolate:1").reason == "released by kim"


@pytest.mark.parametrize("state", [State.PENDING, State.PERFORMED, State.UNKNOWN, State.HELD, State.FAILED])
def test_an_isolation_that_does_not_come_about_while_its_endpoint_is_released_needs_nobody(ledger, state):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    recorded(ledger, a_row("release:1", asked_by="kim"), event=an_event("e2"))
    concluded(ledger, claim, VisitResult(state=state, reason="denied", guard=Guard.PROTECTED))
    assert ledger.row("acme:isolate:1").reason == "released by kim"
    assert state_of(ledger) == State.CANCELLED
    assert not [ring.id for ring in ledger.due(10, LEASE) if ":event/" in ring.id]


@pytest.mark.parametrize("state", [State.DONE, State.ALREADY, State.SKIPPED])
def test_what_the_edr_shows_of_an_isolation_is_kept_though_its_endpoint_is_released(ledger, state):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    concluded(ledger, claim, VisitResult(state=state))
    assert state_of(ledger) == state


def test_an_endpoint_has_a_record_of_its_own_whatever_threat_moved_it(ledger):
    lane = "crowdstrike/a1"
    recorded(ledger, a_row())
    assert ledger.containments("acme", [lane]) == {}
    settle(ledger, "acme:isolate:1")
    assert ledger.containments("acme", [lane, "crowdstrike/a2"])[lane].is_isolated
    recorded(ledger, a_row("release:1"), event=an_event("e2", "THREAT-2"))
    settle(ledger, "acme:release:1", State.ALREADY)
    assert not ledger.containments("acme", [lane])[lane].is_isolated
    assert ledger.containments("globex", [lane]) == {}


def test_a_release_that_is_asked_for_again_is_wanted_anew_though_the_threat_is_the_same(ledger):
    recorded(ledger, a_row("release:1"))
    settle(ledger, "acme:release:1")
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    assert state_of(ledger, "acme:release:1.2") == State.PENDING


def test_a_release_that_is_asked_for_again_while_the_first_is_open_supersedes_what_came_between(ledger):
    recorded(ledger, a_row("release:1"))
    recorded(ledger, a_row(lane="crowdstrike/a1"), event=an_event("e2", "THREAT-2"))
    recorded(ledger, a_row("release:1"), event=an_event("e3", "THREAT-3"))
    settle(ledger, "acme:release:1")
    assert refused(ledger) == State.CANCELLED
    assert [row.id for row in ledger.rows("acme", "THREAT-3")] == ["acme:release:1"]


def test_an_isolation_planned_after_the_release_is_valid(ledger):
    recorded(ledger, a_row("release:1"))
    settle(ledger, "acme:release:1")
    recorded(ledger, a_row(), event=an_event("e2", "THREAT-2"))
    begun(ledger, claimed(ledger))
