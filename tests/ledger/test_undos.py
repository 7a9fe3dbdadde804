"""What every ledger promises of an order and its undo: the later one counts, and they are never worked on at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.states import State
from tests.ledger.building import (
    LEASE,
    SHORT,
    a_row,
    an_event,
    asked,
    claimed,
    concluded,
    outlast_short,
    recorded,
    refused,
    settle,
    state_of,
)

BAN, UNBAN, TAKE, GIVE = "acme:ban_hash:1", "acme:unban_hash:1", "acme:quarantine_file:1", "acme:unquarantine_file:1"
BUSY = "its order or its undo is being worked on"
PAIRS = [(BAN, UNBAN), (TAKE, GIVE)]
pairs = pytest.mark.parametrize(("order", "undo"), PAIRS, ids=["for the tenant", "on an endpoint"])


def a_pair_row(row_id, **more):
    lane = "crowdstrike/a1" if "quarantine" in row_id else None
    return a_row(row_id.removeprefix("acme:"), queue=Queue.IOC, lane=lane, **more)


def ordered(ledger, order=BAN, threat="THREAT-1", event="e1"):
    recorded(ledger, a_pair_row(order), event=an_event(event, threat))


def undone(ledger, undo=UNBAN, event="u1", **more):
    recorded(ledger, a_pair_row(undo, asked_by="kim", **more), event=an_event(event, "THREAT-9"))


@pairs
@pytest.mark.parametrize("state", [State.PENDING, State.PERFORMED, State.UNKNOWN])
def test_an_order_that_is_older_than_its_undo_ends_at_its_next_claim(ledger, order, undo, state):
    ordered(ledger, order)
    if state is not State.PENDING:
        settle(ledger, order, state)
    undone(ledger, undo)
    assert refused(ledger, order) == "cancelled"
    assert (state_of(ledger, order), ledger.row(order).reason) == (State.CANCELLED, "undone by kim")


@pairs
def test_an_order_that_is_undone_while_it_is_worked_on_may_begin_no_write(ledger, order, undo):
    ordered(ledger, order)
    claim = claimed(ledger, order)
    undone(ledger, undo)
    assert ledger.begin(claim, caps={}) == Refusal(reason="cancelled")
    assert state_of(ledger, order) is State.CANCELLED


@pairs
@pytest.mark.parametrize("found", [State.PENDING, State.PERFORMED, State.UNKNOWN, State.HELD, State.FAILED])
def test_what_a_visit_finds_of_an_order_that_was_undone_meanwhile_calls_it_off(ledger, order, undo, found):
    ordered(ledger, order)
    claim = claimed(ledger, order)
    undone(ledger, undo)
    concluded(ledger, claim, VisitResult(state=found))
    assert state_of(ledger, order) is State.CANCELLED


@pairs
@pytest.mark.parametrize("state", [State.FAILED, State.HELD])
def test_no_person_brings_back_what_is_older_than_its_undo(ledger, order, undo, state):
    ordered(ledger, order)
    settle(ledger, order, state)
    undone(ledger, undo)
    answer = ledger.requeue(order, by="sam", life=LEASE)
    assert answer == Refusal(reason="is older than its undo: it was undone by kim")


@pairs
def test_an_order_and_its_undo_are_never_worked_on_at_once(ledger, order, undo):
    ordered(ledger, order)
    working = claimed(ledger, order)
    undone(ledger, undo)
    assert refused(ledger, undo) == (BUSY if order == BAN else "endpoint busy")
    assert [ring.id for ring in concluded(ledger, working, VisitResult(state=State.DONE))] == [undo]
    undoing = claimed(ledger, undo)
    ordered(ledger, order, "THREAT-2", "e2")
    again = f"{order}.2"
    assert refused(ledger, again) == (BUSY if order == BAN else "endpoint busy")
    assert [ring.id for ring in concluded(ledger, undoing, VisitResult(state=State.DONE))] == [again]
    assert isinstance(asked(ledger, again), Claim)


def test_two_orders_for_the_tenant_do_not_wait_for_each_other(ledger):
    ordered(ledger)
    recorded(ledger, a_row("ban_hash:2", queue=Queue.IOC, lane=None), event=an_event("e2", "THREAT-2"))
    claimed(ledger, BAN)
    assert isinstance(asked(ledger, "acme:ban_hash:2"), Claim)


def test_what_a_lost_worker_held_does_not_keep_its_undo_waiting(ledger):
    ordered(ledger)
    claimed(ledger, BAN, lease=SHORT)
    undone(ledger)
    outlast_short(ledger)
    assert isinstance(asked(ledger, UNBAN), Claim)


def test_a_living_worker_keeps_its_undo_waiting(ledger):
    ordered(ledger)
    claim = claimed(ledger, BAN, lease=SHORT)
    ledger.renew([claim], LEASE)
    undone(ledger)
    outlast_short(ledger)
    assert refused(ledger, UNBAN) == BUSY


def test_a_write_that_is_called_off_lets_the_undo_pass(ledger):
    ordered(ledger)
    claim = claimed(ledger, BAN)
    undone(ledger)
    ledger.begin(claim, caps={})
    assert isinstance(asked(ledger, UNBAN), Claim)


@pairs
@pytest.mark.parametrize("state", [State.PENDING, State.PERFORMED, State.DONE])
def test_what_another_threat_wants_after_the_undo_is_an_order_of_its_own(ledger, order, undo, state):
    ordered(ledger, order)
    if state is not State.PENDING:
        settle(ledger, order, state)
    undone(ledger, undo)
    settle(ledger, undo)
    ordered(ledger, order, "THREAT-2", "e2")
    assert isinstance(asked(ledger, f"{order}.2"), Claim)


def test_an_isolation_that_another_threat_wants_after_the_release_is_one_of_its_own(ledger):
    recorded(ledger, a_row())
    recorded(ledger, a_row("release:1", asked_by="kim"), event=an_event("r1", "THREAT-9"))
    recorded(ledger, a_row(), event=an_event("e2", "THREAT-2"))
    settle(ledger, "acme:release:1")
    assert refused(ledger) == "cancelled"
    assert isinstance(asked(ledger, "acme:isolate:1.2"), Claim)


def test_what_another_threat_wants_while_the_first_one_calls_it_off_is_one_of_its_own(ledger):
    ordered(ledger)
    working = claimed(ledger, BAN)
    at = an_event().occurred_at + timedelta(hours=1)
    recorded(ledger, event=an_event("c1", "THREAT-1", at=at), closes="closed")
    ordered(ledger, threat="THREAT-2", event="e2")
    concluded(ledger, working, VisitResult(state=State.PENDING))
    assert state_of(ledger, BAN) is State.CANCELLED
    assert isinstance(asked(ledger, f"{BAN}.2"), Claim)


def test_the_same_threat_does_not_ask_again_for_what_was_undone(ledger):
    ordered(ledger)
    settle(ledger, BAN)
    undone(ledger)
    ordered(ledger, event="e2")
    assert ledger.row(f"{BAN}.2") is None


def test_every_undo_is_one_of_its_own_once_the_last_is_settled(ledger):
    undone(ledger)
    settle(ledger, UNBAN)
    undone(ledger, event="u2")
    assert state_of(ledger, f"{UNBAN}.2") is State.PENDING


def test_of_what_was_never_asked_for_the_undo_asks_nobody(ledger):
    ordered(ledger)
    undone(ledger, undoes=BAN)
    row = ledger.row(UNBAN)
    assert (row.state, row.reason) == (State.SKIPPED, "the EDR was never asked for what is to be undone")
    assert refused(ledger, BAN) == "cancelled"


@pytest.mark.parametrize("state", [State.DONE, State.PERFORMED, State.UNKNOWN, State.FAILED])
def test_of_what_may_be_in_effect_the_undo_looks(ledger, state):
    ordered(ledger)
    settle(ledger, BAN, state)
    undone(ledger, undoes=BAN)
    assert isinstance(asked(ledger, UNBAN), Claim)


def test_an_undo_of_what_is_worked_on_now_looks_after_it(ledger):
    ordered(ledger)
    claim = claimed(ledger, BAN)
    undone(ledger, undoes=BAN)
    concluded(ledger, claim, VisitResult(state=State.DONE))
    assert isinstance(asked(ledger, UNBAN), Claim)


@pytest.mark.parametrize("more", [{"is_dry": True}, {"state": State.SKIPPED, "reason": "stays"}], ids=["rehearsed", "a no"])
def test_what_undoes_nothing_outdates_nothing(ledger, more):
    ordered(ledger)
    undone(ledger, **more)
    assert isinstance(asked(ledger, BAN), Claim)


def test_an_undo_passes_the_kill_switch_and_outlives_its_threat(ledger):
    undone(ledger)
    ledger.pause("acme", "*", "maintenance")
    recorded(ledger, event=an_event("c1", "THREAT-9", at=an_event().occurred_at + timedelta(hours=1)), closes="closed")
    assert isinstance(asked(ledger, UNBAN), Claim)
