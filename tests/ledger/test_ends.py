"""What every ledger promises of how a visit ends: its state, what it frees, and what comes in again as an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.new_rows import EventPlan, delivery_row
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.states import MOVES, TERMINAL, State
from tests.builders import a_delivery as a_real_delivery
from tests.ledger.building import LEASE, a_delivery, a_row, an_event, asked, begun, claimed, concluded, recorded, refused, settle, state_of


@pytest.mark.parametrize("state", sorted(MOVES[State.LEASED]))
def test_a_visit_ends_in_any_legal_state(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state, "because")
    row = ledger.row("acme:isolate:1")
    assert (row.state, row.reason) == (state, "because")
    assert (row.settled_at is not None) == (state in TERMINAL)


def test_the_receipt_is_kept_for_the_next_look(ledger):
    recorded(ledger, a_row())
    concluded(ledger, claimed(ledger), VisitResult(state=State.PERFORMED, receipt="r-1", reference="vendor-7"))
    concluded(ledger, claimed(ledger), VisitResult(state=State.PERFORMED))
    claim = claimed(ledger)
    assert (claim.receipt, claim.looks) == ("r-1", 2)
    assert ledger.row("acme:isolate:1").reference == "vendor-7"


@pytest.mark.parametrize("state", [State.PERFORMED, State.HELD, *sorted(TERMINAL)])
def test_what_waits_for_an_isolation_is_freed_when_it_is_submitted_or_settled(ledger, state):
    waiting = a_row("ban_hash:1", queue=Queue.IOC, lane=None, after=("acme:isolate:1",))
    recorded(ledger, a_row(), waiting)
    assert refused(ledger, "acme:ban_hash:1") == State.WAITING
    rings = settle(ledger, "acme:isolate:1", state)
    assert [(ring.id, ring.queue) for ring in rings] == [("acme:ban_hash:1", Queue.IOC)]
    claimed(ledger, "acme:ban_hash:1")


def test_a_retried_isolation_keeps_its_dependents_waiting(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", queue=Queue.IOC, after=("acme:isolate:1",)))
    assert settle(ledger, "acme:isolate:1", State.PENDING) == []
    assert state_of(ledger, "acme:kill_process:1") == State.WAITING


def test_rows_of_one_visit_end_together_and_what_they_free_is_rung_once(ledger):
    both = ("acme:isolate:1", "acme:kill_process:1")
    recorded(ledger, a_row(), a_row("kill_process:1"), a_row("delete_file:1", after=both))
    claims = ledger.claim(both, owner="one", lease=LEASE, caps={})
    done, stale = VisitResult(state=State.DONE), replace(claims[0], fence=claims[0].fence + 1)
    first, second, third = ledger.conclude([(claims[0], done), (stale, done), (claims[1], done)])
    assert (first, second) == ([], None)
    assert [ring.id for ring in third] == ["acme:delete_file:1"]
    assert isinstance(claimed(ledger, "acme:delete_file:1"), Claim)


def raised(ledger):
    """The events that the ledger has brought in itself, and that nobody has planned yet."""
    refs = [ring.id for ring in ledger.due(50, timedelta(0)) if ":event/." in ring.id]
    return ledger.events(refs)


@pytest.mark.parametrize("state", [State.FAILED, State.HELD])
def test_a_stopped_action_comes_in_again_as_an_event_once_per_generation(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state, 'denied: "no"')
    (event,) = raised(ledger)
    assert (event.type, event.verb, event.subject, event.state, event.reason) == (
        "action_stopped",
        "isolate",
        "FIN-1",
        state,
        'denied: "no"',
    )
    assert (event.customer, event.threat_id, event.threat) == ("acme", "THREAT-1", an_event().threat)
    assert ledger.record([EventPlan(event=event, rows=[a_delivery()])]) != [None]
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    settle(ledger, "acme:isolate:1", State.FAILED, "again")
    (event,) = raised(ledger)
    assert event.reason == "again"


def test_a_stopped_action_says_which_row_it_is_who_holds_it_and_why_it_failed(ledger):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.HELD, reason="no", guard=Guard.PROTECTED))
    (event,) = raised(ledger)
    assert (event.row, event.edr, event.guard, event.cause) == ("acme:isolate:1", "crowdstrike", "protected", "")
    assert ledger.record([EventPlan(event=event, rows=[a_delivery()])]) != [None]
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.FAILED, reason="403", cause="permission POST /x"))
    (event,) = raised(ledger)
    assert (event.row, event.guard, event.cause) == ("acme:isolate:1", "", "permission POST /x")


def test_a_receiver_that_takes_nothing_any_more_comes_in_again_though_it_has_no_fallback(ledger):
    row = delivery_row(a_real_delivery(), "e1", "THREAT-1", life=LEASE)
    recorded(ledger, row)
    concluded(ledger, begun(ledger, claimed(ledger, row.id)), VisitResult(state=State.FAILED, reason="gone", cause="receiver mend it"))
    (event,) = raised(ledger)
    assert (event.type, event.cause) == ("delivery_failed", "receiver mend it")


def test_what_the_blast_radius_holds_comes_in_again_and_what_the_kill_switch_holds_does_not(ledger):
    recorded(ledger, a_row(), a_row("isolate:2", lane="crowdstrike/a2"))
    ledger.pause("acme", "verb:isolate", "freeze")
    assert refused(ledger) == State.HELD
    assert raised(ledger) == []
    ledger.resume("acme", "verb:isolate")
    asked(ledger, most=0)
    (event,) = raised(ledger)
    assert (event.state, event.reason.partition(":")[0]) == ("held", "blast radius")


def test_a_failed_delivery_with_a_fallback_comes_in_again_whole(ledger):
    delivery = a_real_delivery(fallback=Receiver(name="boss", channel="email", address="boss@acme.example"))
    row = delivery_row(delivery, "e1", "THREAT-1", life=LEASE)
    recorded(ledger, row)
    settle(ledger, row.id, State.FAILED, "gone")
    (event,) = raised(ledger)
    assert (event.type, event.delivery, event.reason) == ("delivery_failed", delivery, "gone")


def test_other_outcomes_are_told_to_nobody(ledger):
    recorded(ledger, a_row(), a_delivery(), a_delivery("slack:2"))
    settle(ledger, "acme:isolate:1", State.DONE)
    settle(ledger, "acme:slack:1", State.FAILED)
    settle(ledger, "acme:slack:2", State.UNKNOWN)
    assert raised(ledger) == []
