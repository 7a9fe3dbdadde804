"""What every ledger promises of leases: prolonged while the worker lives, taken over once it is lost."""

from __future__ import annotations

from datetime import timedelta

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Refusal, VisitResult
from ar_workers.domain.states import State
from tests.ledger.building import (
    LEASE,
    SHORT,
    a_row,
    an_event,
    begun,
    claimed,
    concluded,
    outlast_short,
    recorded,
    refused,
    settle,
    state_of,
    wait,
)


def test_an_expired_lease_is_claimed_anew_and_the_old_fence_is_refused(ledger):
    recorded(ledger, a_row())
    old = claimed(ledger, lease=SHORT)
    outlast_short(ledger)
    new = claimed(ledger)
    assert new.fence > old.fence
    assert new.was == State.UNKNOWN
    assert ledger.begin(old, caps={}) == Refusal(reason="stale")
    assert ledger.conclude([(old, VisitResult(state=State.DONE))]) == [None]
    assert state_of(ledger) == State.LEASED


def test_a_worker_lost_after_it_began_leaves_the_outcome_unknown(ledger):
    recorded(ledger, a_row())
    begun(ledger, claimed(ledger, lease=SHORT))
    outlast_short(ledger)
    claim = claimed(ledger)
    assert (claim.was, claim.crashes, claim.is_lost, claim.is_cleared) == (State.UNKNOWN, 1, True, False)


def test_the_timeline_tells_of_a_lost_worker_before_what_became_of_its_row(ledger):
    recorded(ledger, a_row())
    begun(ledger, claimed(ledger, lease=SHORT))
    outlast_short(ledger)
    recorded(ledger, a_row("release:1", asked_by="kim"), event=an_event("e2"))
    assert refused(ledger) == State.CANCELLED
    told = [entry.text for entry in ledger.threat("acme", "THREAT-1").timeline if entry.row == "acme:isolate:1"]
    assert told[-2:] == ["lease expired: its worker was lost", "unknown -> cancelled: released by kim"]


def test_a_row_whose_worker_was_lost_is_told_as_such_only_once(ledger):
    recorded(ledger, a_row())
    assert not claimed(ledger, lease=SHORT).is_lost
    outlast_short(ledger)
    concluded(ledger, claimed(ledger), VisitResult(state=State.UNKNOWN))
    claim = claimed(ledger)
    assert (claim.crashes, claim.is_lost) == (1, False)


def test_a_lease_that_is_nearly_over_begins_nothing(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger, lease=SHORT)
    outlast_short(ledger)
    assert ledger.begin(claim, caps={}) == Refusal(reason="stale")


def test_a_visit_may_be_concluded_late_if_nobody_took_over(ledger):
    recorded(ledger, a_row())
    claim = begun(ledger, claimed(ledger, lease=SHORT))
    outlast_short(ledger)
    concluded(ledger, claim, VisitResult(state=State.DONE))
    assert state_of(ledger) == State.DONE


def test_a_lost_look_leaves_the_row_performed(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    claimed(ledger, lease=SHORT)
    outlast_short(ledger)
    assert claimed(ledger).was == State.PERFORMED


def test_a_lease_is_prolonged_while_its_worker_lives(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger, lease=timedelta(milliseconds=300))
    ledger.renew([claim], LEASE)
    wait(ledger, 0.32)
    assert refused(ledger) == "leased"
    assert ledger.due(10, LEASE) == []
    concluded(ledger, claim, VisitResult(state=State.DONE))


def test_a_lease_that_has_ended_is_not_prolonged_because_its_endpoint_was_let_go(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", queue=Queue.IOC))
    asleep = claimed(ledger, lease=SHORT)
    outlast_short(ledger)
    ledger.renew([asleep], LEASE)
    assert ledger.begin(asleep, caps={}) == Refusal(reason="stale")
    claimed(ledger, "acme:kill_process:1")
    assert refused(ledger) == "endpoint busy"


def test_a_lost_lease_is_not_prolonged(ledger):
    recorded(ledger, a_row())
    old = claimed(ledger, lease=SHORT)
    outlast_short(ledger)
    new = claimed(ledger, lease=SHORT)
    ledger.renew([old], LEASE)
    outlast_short(ledger)
    assert claimed(ledger).fence > new.fence


def test_a_claim_says_for_how_long_nobody_has_looked_at_what_was_begun(ledger):
    recorded(ledger, a_row())
    assert claimed(ledger, lease=SHORT).unseen_for < LEASE
    outlast_short(ledger)
    lost = claimed(ledger)
    assert lost.unseen_for >= SHORT
    concluded(ledger, lost, VisitResult(state=State.UNKNOWN))
    assert claimed(ledger).unseen_for < lost.unseen_for
