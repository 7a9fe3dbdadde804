"""What every ledger promises of claims: who gets a row, when it is due, and one worker per endpoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ar_workers.domain.claims import Claim, VisitResult
from ar_workers.domain.new_rows import EventPlan
from ar_workers.domain.states import TERMINAL, State
from tests.ledger.building import (
    LEASE,
    SHORT,
    a_delivery,
    a_row,
    an_event,
    asked,
    claimed,
    concluded,
    outlast_short,
    recorded,
    refused,
    settle,
    wait,
)


def test_a_claim_carries_the_order_and_refuses_everybody_else(ledger):
    recorded(ledger, a_row(order='{"x": 1}'))
    claim = claimed(ledger)
    assert (claim.order, claim.was, claim.threat_id) == ('{"x": 1}', State.PENDING, "THREAT-1")
    assert refused(ledger) == "leased"


def test_the_same_owner_may_repeat_its_claim(ledger):
    recorded(ledger, a_row())
    first = asked(ledger, owner="me")
    assert isinstance(first, Claim)
    assert asked(ledger, owner="me").fence == first.fence


def test_of_many_parallel_claims_one_is_granted(ledger):
    recorded(ledger, a_row())
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: asked(ledger, owner=f"w{n}"), range(24)))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1


def test_an_unknown_row_is_refused(ledger):
    assert refused(ledger, "acme:isolate:nope") == "no such row"


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_settled_row_is_never_claimed_again(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state)
    assert refused(ledger) == state
    assert "acme:isolate:1" not in [ring.id for ring in ledger.due(10, LEASE)]


def test_a_retry_waits_for_its_time(ledger):
    recorded(ledger, a_row())
    concluded(ledger, claimed(ledger), VisitResult(state=State.PENDING, after=SHORT, counts=True))
    assert refused(ledger) == "not due"
    assert ledger.due(10, LEASE) == []
    outlast_short(ledger)
    assert [ring.id for ring in ledger.due(10, LEASE)] == ["acme:isolate:1"]
    assert claimed(ledger).attempts == 1


def test_what_was_rung_is_not_due_again_at_once(ledger):
    recorded(ledger, a_row())
    assert len(ledger.due(10, SHORT)) == 1
    assert ledger.due(10, SHORT) == []
    outlast_short(ledger)
    assert len(ledger.due(10, SHORT)) == 1


def test_an_endpoint_is_worked_on_by_one_row_at_a_time(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("kill_process:1"))
    first = claimed(ledger, "acme:delete_file:1")
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    rings = concluded(ledger, first, VisitResult(state=State.DONE))
    assert [ring.id for ring in rings] == ["acme:kill_process:1"]
    claimed(ledger, "acme:kill_process:1")


def test_other_endpoints_are_not_held_up(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("delete_file:2", lane="crowdstrike/a2"))
    claimed(ledger, "acme:delete_file:1")
    claimed(ledger, "acme:delete_file:2")


def test_a_lost_worker_lets_go_of_its_endpoint(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("kill_process:1"))
    claimed(ledger, "acme:delete_file:1", lease=SHORT)
    outlast_short(ledger)
    claimed(ledger, "acme:kill_process:1")


def test_a_claim_after_the_deadline_says_so(ledger):
    recorded(ledger, a_row(life=SHORT))
    assert not claimed(ledger, lease=SHORT).is_late
    outlast_short(ledger)
    assert claimed(ledger).is_late


def test_rows_that_are_claimed_together_are_granted_or_refused_each_for_itself(ledger):
    recorded(ledger, a_row("ban_hash:1", lane=None), a_row("ban_hash:2", lane=None))
    claimed(ledger, "acme:ban_hash:1")
    wanted = ["acme:ban_hash:1", "acme:ban_hash:2", "acme:ban_hash:3"]
    answers = ledger.claim(wanted, owner="me", lease=LEASE, caps={})
    assert [getattr(each, "reason", "granted") for each in answers] == ["leased", "granted", "no such row"]


def test_one_visitor_may_have_several_rows_of_an_endpoint(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("delete_file:2"), a_row("kill_process:1"))
    first, second = ledger.claim(["acme:delete_file:1", "acme:delete_file:2"], owner="me", lease=LEASE, caps={})
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    assert concluded(ledger, first, VisitResult(state=State.DONE)) == []
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    assert [ring.id for ring in concluded(ledger, second, VisitResult(state=State.DONE))] == ["acme:kill_process:1"]


def test_a_row_that_is_not_due_yet_is_not_rung_and_not_granted(ledger):
    row = a_delivery(wait=timedelta(milliseconds=60))
    ledger.accept([an_event()])
    ledger.record([EventPlan(event=an_event(), rows=[row])])
    assert refused(ledger, row.id) == "not due"
    assert ledger.due(10, LEASE) == []
    wait(ledger, 0.08)
    assert [ring.id for ring in ledger.due(10, LEASE)] == [row.id]
    claimed(ledger, row.id)
