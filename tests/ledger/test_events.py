"""What every ledger promises of events and their plans: each once, and nothing written down twice."""

from __future__ import annotations

from datetime import timedelta

from ar_workers.domain.events import ActionStopped
from ar_workers.domain.new_rows import EventPlan
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import State
from tests.ledger.building import LEASE, NOON, a_delivery, a_row, an_event, recorded, settle


def test_an_event_is_accepted_once(ledger):
    assert ledger.accept([an_event(), an_event()]) == [Acceptance.NEW, Acceptance.DUPLICATE]
    assert ledger.accept([an_event()]) == [Acceptance.DUPLICATE]


def test_an_id_reused_with_other_content_is_a_conflict(ledger):
    ledger.accept([an_event()])
    assert ledger.accept([an_event(severity="low")]) == [Acceptance.CONFLICT]


def test_the_same_id_at_another_customer_is_another_event(ledger):
    assert ledger.accept([an_event(), an_event(customer="globex")]) == [Acceptance.NEW, Acceptance.NEW]


def test_an_accepted_event_is_due_until_it_is_planned(ledger):
    ledger.accept([an_event()])
    assert [ring.id for ring in ledger.due(10, LEASE)] == ["acme:event/e1"]
    assert ledger.events(["acme:event/e1", "acme:event/e2"]) == [an_event(), None]
    assert ledger.record([EventPlan(event=an_event(), rows=[])]) == [[]]
    assert ledger.events(["acme:event/e1"]) == [None]


def test_a_plan_is_recorded_once(ledger):
    recorded(ledger, a_row())
    assert ledger.record([EventPlan(event=an_event(), rows=[a_row("isolate:2")])]) == [None]
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1"]


def test_planning_that_fails_is_tried_again_and_then_set_aside(ledger):
    ledger.accept([an_event()])
    for _ in range(20):
        assert ledger.events(["acme:event/e1"]) != [None]
        ledger.event_failed("acme:event/e1", "no configuration", timedelta(0))
    assert ledger.events(["acme:event/e1"]) == [None]
    assert ledger.due(10, LEASE) == []
    assert ledger.threat("acme", "THREAT-1").timeline[-1].text == "failed: no configuration"


def test_an_action_that_a_plan_names_twice_is_one_row(ledger):
    recorded(ledger, a_row(), a_row(), a_row("kill_process:1", after=("acme:isolate:1",)))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1", "acme:kill_process:1"]
    (entry,) = [each for each in ledger.threat("acme", "THREAT-1").timeline if each.row == "acme:isolate:1"]
    assert entry.text == "new -> pending"


def test_the_same_action_of_another_threat_shares_the_row_while_it_is_unsettled(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    assert [row.id for row in ledger.rows("acme", "THREAT-2")] == ["acme:ban_hash:1"]


def test_the_same_action_after_it_was_settled_is_a_repeat(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    settle(ledger, "acme:ban_hash:1")
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    assert [(row.id, row.state) for row in ledger.rows("acme", "THREAT-2")] == [("acme:ban_hash:1.2", State.PENDING)]


def test_a_threat_published_again_repeats_nothing_of_its_own(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    settle(ledger, "acme:ban_hash:1")
    recorded(ledger, a_row("ban_hash:1"), a_row("ban_hash:2"), event=an_event("e2"))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:ban_hash:1", "acme:ban_hash:2"]


def test_of_what_the_ledger_itself_tells_nothing_else_of_the_threat_is_rung_again(ledger):
    recorded(ledger, a_row())
    own = ActionStopped(
        id=".failed-1",
        customer="acme",
        occurred_at=NOON,
        threat_ref="THREAT-1",
        verb="isolate",
        subject="FIN-1",
        state="failed",
        reason="no",
    )
    ledger.accept([own])
    (rings,) = ledger.record([EventPlan(event=own, rows=[a_delivery()])])
    assert [ring.id for ring in rings] == ["acme:slack:1"]
    ledger.accept([an_event("e2")])
    (rings,) = ledger.record([EventPlan(event=an_event("e2"), rows=[a_delivery("slack:2")])])
    assert [ring.id for ring in rings] == ["acme:isolate:1", "acme:slack:1", "acme:slack:2"]


def test_a_skip_is_settled_from_the_start(ledger):
    recorded(ledger, a_row("ban_hash:s", state=State.SKIPPED, reason="not in a remediate group"))
    row = ledger.row("acme:ban_hash:s")
    assert (row.state, row.reason) == (State.SKIPPED, "not in a remediate group")
    assert row.settled_at is not None
