"""What every ledger promises."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ReleaseRequested, ThreatClosed, ThreatPublished
from ar_workers.domain.notifications import Digest, Receiver
from ar_workers.domain.rows import Acceptance, Claim, Finding, NewRow, Refusal, delivery_row
from ar_workers.domain.scores import Queue
from ar_workers.domain.states import MOVES, TERMINAL, State
from ar_workers.domain.threats import Severity, Threat
from tests.builders import a_delivery as a_real_delivery

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
SHORT = timedelta(milliseconds=40)
_owners = itertools.count()


def an_event(event_id="e1", threat="THREAT-1", at=NOON, customer="acme", severity="high"):
    return ThreatPublished(
        id=event_id,
        customer=customer,
        occurred_at=at,
        threat=Threat(id=threat, severity=Severity(severity), classification="Ransomware", url="https://ar.example/t/1"),
        endpoints=(Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS),),
    )


def a_row(name="isolate:1", *, customer="acme", queue=Queue.ISOLATION, lane="crowdstrike/a1", **more):
    wish = {
        "id": f"{customer}:{name}",
        "kind": "action",
        "verb": name.partition(":")[0],
        "edr": "crowdstrike",
        "subject": "FIN-1",
        "queue": queue,
        "label": f"{name} FIN-1",
        "lane": lane,
        "order": "{}",
        "life": timedelta(days=1),
    }
    return NewRow(**(wish | more))


def a_delivery(name="slack:1", **more):
    return a_row(name, kind="delivery", queue=Queue.NOTIFY, lane=None, **more)


def recorded(ledger, *rows, event=None, closes=None):
    event = event or an_event()
    ledger.accept([event])
    assert ledger.record(event, list(rows), closes=closes) is not None


def asked(ledger, row_id="acme:isolate:1", *, owner=None, lease=LEASE, most=None):
    return ledger.claim([row_id], owner=owner or f"worker-{next(_owners)}", lease=lease, most_isolations=most)[0]


def concluded(ledger, claim, finding):
    (rings,) = ledger.conclude([(claim, finding)])
    assert rings is not None
    return rings


def claimed(ledger, row_id="acme:isolate:1", lease=LEASE):
    claim = asked(ledger, row_id, lease=lease)
    assert isinstance(claim, Claim), claim
    return claim


def refused(ledger, row_id="acme:isolate:1"):
    refusal = asked(ledger, row_id)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


def begun(ledger, claim):
    assert ledger.begin(claim, most_isolations=None) is None
    return claim


def settle(ledger, row_id, state=State.DONE, reason=""):
    return concluded(ledger, begun(ledger, claimed(ledger, row_id)), Finding(state=state, reason=reason))


def state_of(ledger, row_id="acme:isolate:1"):
    return ledger.row(row_id).state


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
    assert ledger.record(an_event(), [], closes=None) == []
    assert ledger.events(["acme:event/e1"]) == [None]


def test_a_plan_is_recorded_once(ledger):
    recorded(ledger, a_row())
    assert ledger.record(an_event(), [a_row("isolate:2")], closes=None) is None
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1"]


def test_planning_that_fails_is_tried_again_and_then_set_aside(ledger):
    ledger.accept([an_event()])
    for _ in range(20):
        assert ledger.events(["acme:event/e1"]) != [None]
        ledger.event_failed("acme:event/e1", "no configuration", timedelta(0))
    assert ledger.events(["acme:event/e1"]) == [None]
    assert ledger.due(10, LEASE) == []
    assert ledger.threat("acme", "THREAT-1").timeline[-1].text == "failed: no configuration"


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


@pytest.mark.parametrize("state", sorted(MOVES[State.LEASED]))
def test_a_visit_ends_in_any_legal_state(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state, "because")
    row = ledger.row("acme:isolate:1")
    assert (row.state, row.reason) == (state, "because")
    assert (row.settled_at is not None) == (state in TERMINAL)


def test_a_retry_waits_for_its_time(ledger):
    recorded(ledger, a_row())
    concluded(ledger, claimed(ledger), Finding(state=State.PENDING, after=SHORT, counts=True))
    assert refused(ledger) == "not due"
    assert ledger.due(10, LEASE) == []
    time.sleep(0.06)
    assert [ring.id for ring in ledger.due(10, LEASE)] == ["acme:isolate:1"]
    assert claimed(ledger).attempts == 1


def test_what_was_rung_is_not_due_again_at_once(ledger):
    recorded(ledger, a_row())
    assert len(ledger.due(10, SHORT)) == 1
    assert ledger.due(10, SHORT) == []
    time.sleep(0.06)
    assert len(ledger.due(10, SHORT)) == 1


def test_an_expired_lease_is_claimed_anew_and_the_old_fence_is_refused(ledger):
    recorded(ledger, a_row())
    old = claimed(ledger, lease=SHORT)
    time.sleep(0.06)
    new = claimed(ledger)
    assert new.fence > old.fence
    assert new.was == State.UNKNOWN
    assert ledger.begin(old, most_isolations=None) == Refusal(reason="stale")
    assert ledger.conclude([(old, Finding(state=State.DONE))]) == [None]
    assert state_of(ledger) == State.LEASED


def test_a_worker_lost_after_it_began_leaves_the_outcome_unknown(ledger):
    recorded(ledger, a_row())
    begun(ledger, claimed(ledger, lease=SHORT))
    time.sleep(0.06)
    claim = claimed(ledger)
    assert (claim.was, claim.crashes, claim.is_cleared) == (State.UNKNOWN, 1, False)


def test_a_lease_that_is_nearly_over_begins_nothing(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger, lease=SHORT)
    time.sleep(0.06)
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="stale")


def test_a_visit_may_be_concluded_late_if_nobody_took_over(ledger):
    recorded(ledger, a_row())
    claim = begun(ledger, claimed(ledger, lease=SHORT))
    time.sleep(0.06)
    concluded(ledger, claim, Finding(state=State.DONE))
    assert state_of(ledger) == State.DONE


def test_a_lost_look_leaves_the_row_performed(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    claimed(ledger, lease=SHORT)
    time.sleep(0.06)
    assert claimed(ledger).was == State.PERFORMED


def test_the_receipt_is_kept_for_the_next_look(ledger):
    recorded(ledger, a_row())
    concluded(ledger, claimed(ledger), Finding(state=State.PERFORMED, receipt="r-1", reference="vendor-7"))
    concluded(ledger, claimed(ledger), Finding(state=State.PERFORMED))
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


def test_a_wish_that_a_plan_names_twice_is_one_row(ledger):
    recorded(ledger, a_row(), a_row(), a_row("kill_process:1", after=("acme:isolate:1",)))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1", "acme:kill_process:1"]
    (entry,) = [each for each in ledger.threat("acme", "THREAT-1").timeline if each.row == "acme:isolate:1"]
    assert entry.text == "new -> pending"


def test_rows_of_one_visit_end_together_and_what_they_free_is_rung_once(ledger):
    both = ("acme:isolate:1", "acme:kill_process:1")
    recorded(ledger, a_row(), a_row("kill_process:1"), a_row("delete_file:1", after=both))
    claims = ledger.claim(both, owner="one", lease=LEASE, most_isolations=None)
    done, stale = Finding(state=State.DONE), replace(claims[0], fence=claims[0].fence + 1)
    first, second, third = ledger.conclude([(claims[0], done), (stale, done), (claims[1], done)])
    assert (first, second) == ([], None)
    assert [ring.id for ring in third] == ["acme:delete_file:1"]
    assert isinstance(claimed(ledger, "acme:delete_file:1"), Claim)


def test_an_endpoint_is_worked_on_by_one_row_at_a_time(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("kill_process:1"))
    first = claimed(ledger, "acme:delete_file:1")
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    rings = concluded(ledger, first, Finding(state=State.DONE))
    assert [ring.id for ring in rings] == ["acme:kill_process:1"]
    claimed(ledger, "acme:kill_process:1")


def test_other_endpoints_are_not_held_up(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("delete_file:2", lane="crowdstrike/a2"))
    claimed(ledger, "acme:delete_file:1")
    claimed(ledger, "acme:delete_file:2")


def test_a_lost_worker_lets_go_of_its_endpoint(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("kill_process:1"))
    claimed(ledger, "acme:delete_file:1", lease=SHORT)
    time.sleep(0.06)
    claimed(ledger, "acme:kill_process:1")


def test_the_same_wish_of_another_threat_shares_the_row_while_it_is_unsettled(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    assert [row.id for row in ledger.rows("acme", "THREAT-2")] == ["acme:ban_hash:1"]


def test_the_same_wish_after_it_was_settled_is_a_new_generation(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    settle(ledger, "acme:ban_hash:1")
    recorded(ledger, a_row("ban_hash:1"), event=an_event("e2", "THREAT-2"))
    assert [(row.id, row.state) for row in ledger.rows("acme", "THREAT-2")] == [("acme:ban_hash:1.2", State.PENDING)]


def test_a_threat_published_again_repeats_nothing_of_its_own(ledger):
    recorded(ledger, a_row("ban_hash:1"))
    settle(ledger, "acme:ban_hash:1")
    recorded(ledger, a_row("ban_hash:1"), a_row("ban_hash:2"), event=an_event("e2"))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:ban_hash:1", "acme:ban_hash:2"]


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
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="cancelled")
    assert state_of(ledger) == State.CANCELLED


def test_a_closed_threat_stops_a_retry_that_is_in_a_workers_hand(ledger):
    recorded(ledger, a_row())
    claim = begun(ledger, claimed(ledger))
    recorded(ledger, event=closing(), closes="threat closed")
    concluded(ledger, claim, Finding(state=State.PENDING))
    assert state_of(ledger) == State.CANCELLED


def test_a_closed_threat_still_watches_what_the_edr_accepted(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    recorded(ledger, event=closing(), closes="threat closed")
    settle_again = claimed(ledger)
    concluded(ledger, settle_again, Finding(state=State.DONE))
    assert state_of(ledger) == State.DONE


def test_an_event_older_than_the_closing_comes_too_late(ledger):
    recorded(ledger, event=closing(), closes="threat closed")
    recorded(ledger, a_row(), event=an_event(at=NOON - timedelta(minutes=1)))
    assert state_of(ledger) == State.CANCELLED


def test_a_threat_published_anew_after_its_closing_is_acted_on(ledger):
    recorded(ledger, event=closing(), closes="threat closed")
    recorded(ledger, a_row(), event=an_event(at=NOON + timedelta(minutes=1)))
    assert state_of(ledger) == State.PENDING


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
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    assert refused(ledger) == State.CANCELLED
    assert ledger.row("acme:isolate:1").reason == "superseded by a later release"


def test_a_release_supersedes_an_isolation_that_is_about_to_begin(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    assert claim.is_cleared
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="cancelled")


def test_a_release_supersedes_an_isolation_whose_outcome_is_unknown(ledger):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), Finding(state=State.UNKNOWN))
    recorded(ledger, a_row("release:1"), event=an_event("e2"))
    claim = claimed(ledger)
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="cancelled")


def test_a_release_that_is_asked_for_again_is_wished_anew_though_the_threat_is_the_same(ledger):
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


def a_release_event(event_id="r1", threat="THREAT-1"):
    endpoint = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS)
    wish = {"requested_by": "kim", "reason": "false alarm", "threat_ref": threat}
    return ReleaseRequested(id=event_id, customer="acme", occurred_at=NOON, endpoint=endpoint, **wish)


def test_the_timeline_says_who_asked_for_a_release_and_why(ledger):
    ledger.accept([an_event(), a_release_event()])
    assert ledger.threat("acme", "THREAT-1").timeline[1].text == "accepted: kim asks to release FIN-1: false alarm"


def test_an_isolation_planned_after_the_release_is_valid(ledger):
    recorded(ledger, a_row("release:1"))
    settle(ledger, "acme:release:1")
    recorded(ledger, a_row(), event=an_event("e2", "THREAT-2"))
    begun(ledger, claimed(ledger))


def test_a_failed_row_comes_back_with_a_new_generation(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.FAILED, "denied")
    ring = ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert (ring.id, ring.queue, ring.label) == ("acme:isolate:1", Queue.ISOLATION, "isolate:1 FIN-1")
    claim = claimed(ledger)
    assert (claim.generation, claim.attempts, claim.was) == (2, 0, State.PENDING)
    assert ledger.row("acme:isolate:1").settled_at is None


@pytest.mark.parametrize("state", [State.DONE, State.ALREADY, State.SKIPPED, State.CANCELLED])
def test_nothing_but_a_failed_row_is_requeued(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state)
    refusal = ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert refusal.reason.startswith(f"is {state}")
    assert state_of(ledger) == state


def test_of_many_parallel_requeues_one_counts(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.FAILED)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ledger.requeue("acme:isolate:1", by="kim", life=LEASE), range(20)))
    assert sum(not isinstance(answer, Refusal) for answer in answers) == 1
    assert ledger.row("acme:isolate:1").generation == 2


def test_a_held_row_that_a_person_requeues_is_approved(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.HELD, "protected")
    assert refused(ledger) == State.HELD
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert claimed(ledger).is_approved


@pytest.mark.parametrize("scope", ["*", "edr:crowdstrike", "verb:isolate"])
def test_a_closed_kill_switch_holds_what_is_about_to_begin(ledger, scope):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    ledger.pause("acme", scope, "maintenance")
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="held")
    assert ledger.row("acme:isolate:1").reason == f"paused ({scope}): maintenance"
    assert [ring.id for ring in ledger.resume("acme", scope)] == ["acme:isolate:1"]
    begun(ledger, claimed(ledger))


def test_a_closed_kill_switch_holds_what_nobody_has_yet(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", after=("acme:isolate:1",)))
    ledger.pause("acme", "*", "maintenance")
    assert refused(ledger) == State.HELD
    assert state_of(ledger, "acme:kill_process:1") == State.PENDING
    assert [ring.id for ring in ledger.resume("acme", "*")] == ["acme:isolate:1"]


def test_a_closed_kill_switch_lets_what_was_begun_be_looked_at(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    ledger.pause("acme", "*", "maintenance")
    assert claimed(ledger).was == State.PERFORMED


@pytest.mark.parametrize("scope", ["edr:defender", "verb:ban_hash"])
def test_a_kill_switch_holds_only_its_scope(ledger, scope):
    recorded(ledger, a_row())
    ledger.pause("acme", scope, "maintenance")
    ledger.pause("globex", "*", "maintenance")
    begun(ledger, claimed(ledger))
    assert ledger.pauses("acme") == {scope: "maintenance"}


def test_the_blast_radius_holds_the_isolation_after_the_last_allowed(ledger):
    rows = [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(3)]
    recorded(ledger, *rows)
    answers = [asked(ledger, row.id, most=2) for row in rows]
    assert [isinstance(answer, Claim) for answer in answers] == [True, True, False]
    assert answers[2] == Refusal(reason="held")
    ledger.requeue("acme:isolate:2", by="kim", life=LEASE)
    assert asked(ledger, "acme:isolate:2", most=2).is_cleared


def test_an_isolation_that_was_not_needed_does_not_count(ledger):
    rows = [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(2)]
    recorded(ledger, *rows)
    concluded(ledger, asked(ledger, rows[0].id, most=1), Finding(state=State.ALREADY))
    assert isinstance(asked(ledger, rows[1].id, most=1), Claim)


def test_what_is_told_once_is_told_again_only_after_it_was_forgotten(ledger):
    key = "unsupported_os/crowdstrike/a1/email/x@y.example"
    recorded(ledger, a_delivery(once=key))
    recorded(ledger, a_delivery("slack:2", once=key), event=an_event("e2"))
    assert ledger.row("acme:slack:2").state == State.SKIPPED
    assert ledger.knows("acme", "unsupported_os/") == {key}
    ledger.forget("acme", [key])
    recorded(ledger, a_delivery("slack:3", once=key), event=an_event("e3"))
    assert ledger.row("acme:slack:3").state == State.PENDING


def test_a_skip_is_settled_from_the_start(ledger):
    recorded(ledger, a_row("ban_hash:s", state=State.SKIPPED, reason="not in a remediate group"))
    row = ledger.row("acme:ban_hash:s")
    assert (row.state, row.reason) == (State.SKIPPED, "not in a remediate group")
    assert row.settled_at is not None


def test_a_claim_after_the_deadline_says_so(ledger):
    recorded(ledger, a_row(life=SHORT))
    assert not claimed(ledger, lease=SHORT).is_late
    time.sleep(0.06)
    assert claimed(ledger).is_late


def test_unsettled_rows_are_listed_in_plan_order(ledger):
    recorded(ledger, a_row(), a_row("ban_hash:1", lane=None, queue=Queue.IOC), a_delivery())
    settle(ledger, "acme:ban_hash:1")
    assert [ring.id for ring in ledger.unsettled("acme", "THREAT-1")] == ["acme:isolate:1", "acme:slack:1"]
    assert ledger.unsettled("acme", "THREAT-1")[0].lane == "crowdstrike/a1"


def test_one_tick_is_granted_per_window(ledger):
    assert [ledger.tick("sweep", SHORT) for _ in range(3)] == [True, False, False]
    assert ledger.tick("recheck", SHORT)
    time.sleep(0.06)
    assert ledger.tick("sweep", SHORT)


def test_the_timeline_tells_every_move_in_order(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.PERFORMED)
    concluded(ledger, claimed(ledger), Finding(state=State.DONE))
    texts = [(entry.row, entry.text) for entry in ledger.threat("acme", "THREAT-1").timeline]
    assert texts == [
        ("event/e1", "accepted"),
        ("acme:isolate:1", "new -> pending"),
        ("event/e1", "planned"),
        ("acme:isolate:1", "pending -> performed"),
        ("acme:isolate:1", "performed -> done"),
    ]


def test_looks_that_find_nothing_new_leave_no_line(ledger):
    recorded(ledger, a_row())
    for _ in range(3):
        concluded(ledger, claimed(ledger), Finding(state=State.PERFORMED))
    assert len(ledger.threat("acme", "THREAT-1").timeline) == 4


def test_threats_are_listed_newest_first(ledger):
    recorded(ledger, event=an_event("e1", "THREAT-1"))
    time.sleep(0.01)
    recorded(ledger, event=an_event("e2", "THREAT-2"))
    found = ledger.threats("acme", since=datetime.now(UTC) - timedelta(hours=1), limit=10)
    assert [record.id for record in found] == ["THREAT-2", "THREAT-1"]
    assert ledger.threats("acme", since=datetime.now(UTC) + timedelta(hours=1), limit=10) == []
    assert ledger.customers() == ["acme"]


def test_due_rows_of_all_customers_are_found(ledger):
    recorded(ledger, a_row())
    recorded(ledger, a_row(customer="globex"), event=an_event(customer="globex"))
    assert {ring.id for ring in ledger.due(10, LEASE)} == {"acme:isolate:1", "globex:isolate:1"}


def test_rows_that_are_claimed_together_are_granted_or_refused_each_for_itself(ledger):
    recorded(ledger, a_row("ban_hash:1", lane=None), a_row("ban_hash:2", lane=None))
    claimed(ledger, "acme:ban_hash:1")
    wanted = ["acme:ban_hash:1", "acme:ban_hash:2", "acme:ban_hash:3"]
    answers = ledger.claim(wanted, owner="me", lease=LEASE, most_isolations=None)
    assert [getattr(each, "reason", "granted") for each in answers] == ["leased", "granted", "no such row"]


def test_one_visitor_may_have_several_rows_of_an_endpoint(ledger):
    recorded(ledger, a_row("delete_file:1"), a_row("delete_file:2"), a_row("kill_process:1"))
    first, second = ledger.claim(["acme:delete_file:1", "acme:delete_file:2"], owner="me", lease=LEASE, most_isolations=None)
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    assert concluded(ledger, first, Finding(state=State.DONE)) == []
    assert refused(ledger, "acme:kill_process:1") == "endpoint busy"
    assert [ring.id for ring in concluded(ledger, second, Finding(state=State.DONE))] == ["acme:kill_process:1"]


def test_a_cursor_moves_from_where_it_is_expected(ledger):
    assert ledger.cursor("acme", "crowdstrike") == ""
    assert ledger.move_cursor("acme", "crowdstrike", "", "one")
    assert ledger.move_cursor("acme", "crowdstrike", "one", "two")
    assert ledger.cursor("acme", "crowdstrike") == "two"
    assert (ledger.cursor("acme", "defender"), ledger.cursor("globex", "crowdstrike")) == ("", "")


def test_a_slow_reader_does_not_move_a_cursor_backwards(ledger):
    ledger.move_cursor("acme", "crowdstrike", "", "one")
    ledger.move_cursor("acme", "crowdstrike", "one", "two")
    assert not ledger.move_cursor("acme", "crowdstrike", "", "one")
    assert not ledger.move_cursor("acme", "crowdstrike", "one", "three")
    assert ledger.cursor("acme", "crowdstrike") == "two"


def test_a_move_whose_reply_was_lost_may_be_repeated(ledger):
    assert [ledger.move_cursor("acme", "crowdstrike", "", "one") for _ in range(2)] == [True, True]


def test_of_many_readers_one_moves_the_cursor(ledger):
    def move(number):
        return ledger.move_cursor("acme", "crowdstrike", "", f"reader {number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(move, range(16))).count(True) == 1


def test_a_lease_is_prolonged_while_its_worker_lives(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger, lease=SHORT)
    ledger.renew([claim], LEASE)
    time.sleep(0.06)
    assert refused(ledger) == "leased"
    assert ledger.due(10, LEASE) == []
    concluded(ledger, claim, Finding(state=State.DONE))


def test_a_lease_that_has_ended_is_not_prolonged_because_its_endpoint_was_let_go(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", queue=Queue.IOC))
    asleep = claimed(ledger, lease=SHORT)
    time.sleep(0.06)
    ledger.renew([asleep], LEASE)
    assert ledger.begin(asleep, most_isolations=None) == Refusal(reason="stale")
    claimed(ledger, "acme:kill_process:1")
    assert refused(ledger) == "endpoint busy"


def test_a_lost_lease_is_not_prolonged(ledger):
    recorded(ledger, a_row())
    old = claimed(ledger, lease=SHORT)
    time.sleep(0.06)
    new = claimed(ledger, lease=SHORT)
    ledger.renew([old], LEASE)
    time.sleep(0.06)
    assert claimed(ledger).fence > new.fence


def test_a_claim_says_for_how_long_nobody_has_looked_at_what_was_begun(ledger):
    recorded(ledger, a_row())
    assert claimed(ledger, lease=SHORT).unseen_for < LEASE
    time.sleep(0.1)
    lost = claimed(ledger)
    assert lost.unseen_for >= timedelta(milliseconds=90)
    concluded(ledger, lost, Finding(state=State.UNKNOWN))
    assert claimed(ledger).unseen_for < lost.unseen_for


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
    assert ledger.record(event, [a_delivery()], closes=None)
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    settle(ledger, "acme:isolate:1", State.FAILED, "again")
    (event,) = raised(ledger)
    assert event.reason == "again"


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


def test_a_row_that_is_not_due_yet_is_not_rung_and_not_granted(ledger):
    row = a_delivery(wait=timedelta(milliseconds=60))
    ledger.accept([an_event()])
    ledger.record(an_event(), [row], closes=None)
    assert refused(ledger, row.id) == "not due"
    assert ledger.due(10, LEASE) == []
    time.sleep(0.08)
    assert [ring.id for ring in ledger.due(10, LEASE)] == [row.id]
    claimed(ledger, row.id)


def test_the_first_message_that_a_receiver_accepts_is_the_thread_of_the_next(ledger):
    recorded(ledger, a_delivery(remote="slack/C1"), a_delivery("slack:2", remote="slack/C1"), a_delivery("slack:3", remote="slack/C2"))
    first = claimed(ledger, "acme:slack:1")
    assert first.thread == ""
    concluded(ledger, first, Finding(state=State.DONE, reference="C1/1.0"))
    second = claimed(ledger, "acme:slack:2")
    assert second.thread == "C1/1.0"
    concluded(ledger, second, Finding(state=State.DONE, reference="C1/2.0"))
    assert claimed(ledger, "acme:slack:3").thread == ""
    recorded(ledger, a_delivery("slack:4", remote="slack/C1"), event=an_event("e2"))
    assert claimed(ledger, "acme:slack:4").thread == "C1/1.0"


def unknown(ledger):
    recorded(ledger, a_delivery())
    settle(ledger, "acme:slack:1", State.UNKNOWN, "may have been sent")


def test_a_delivery_in_doubt_that_was_sent_is_done_by_whose_word(ledger):
    unknown(ledger)
    assert ledger.resolve("acme:slack:1", by="kim", was_sent=True) == []
    row = ledger.row("acme:slack:1")
    assert (row.state, row.reason) == (State.DONE, "said to have been sent by kim")
    assert row.settled_at
    assert ledger.due(10, LEASE) == []


def test_a_delivery_in_doubt_that_was_not_sent_begins_anew(ledger):
    unknown(ledger)
    (ring,) = ledger.resolve("acme:slack:1", by="kim", was_sent=False)
    assert (ring.id, ring.queue) == ("acme:slack:1", Queue.NOTIFY)
    claim = claimed(ledger, "acme:slack:1")
    assert (claim.was, claim.attempts, claim.is_late) == (State.PENDING, 0, False)
    assert any(entry.text == "unknown -> pending: to be sent again, says kim" for entry in ledger.threat("acme", "THREAT-1").timeline)


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.PENDING])
def test_only_what_is_in_doubt_is_resolved(ledger, state):
    recorded(ledger, a_delivery())
    settle(ledger, "acme:slack:1", state)
    assert ledger.resolve("acme:slack:1", by="kim", was_sent=False) == Refusal(
        reason=f"is {state}: only unknown deliveries can be resolved"
    )
    assert ledger.resolve("acme:slack:9", by="kim", was_sent=True) == Refusal(reason="no such row")


def test_an_action_in_doubt_is_looked_at_and_not_resolved(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.UNKNOWN)
    assert isinstance(ledger.resolve("acme:isolate:1", by="kim", was_sent=True), Refusal)


def test_of_many_parallel_resolutions_one_counts(ledger):
    unknown(ledger)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: ledger.resolve("acme:slack:1", by=f"p{n}", was_sent=n % 2 == 0), range(20)))
    assert sum(not isinstance(answer, Refusal) for answer in answers) == 1


TWO_A_MINUTE = Digest(more_than=2, within=timedelta(minutes=1))


def seated(ledger, number, digest=TWO_A_MINUTE):
    seat = ledger.seat(f"acme:slack:{number}", "slack/tre/action_needed", digest)
    return seat and seat.carrier


def test_what_comes_after_the_first_few_is_sent_with_the_first_of_them(ledger):
    deliveries = [a_real_delivery(headline=f"no. {n}") for n in range(5)]
    recorded(ledger, *[a_delivery(f"slack:{n}", order=each.model_dump_json()) for n, each in enumerate(deliveries)])
    assert [seated(ledger, n) for n in range(5)] == [None, None, "acme:slack:2", "acme:slack:2", "acme:slack:2"]
    assert [seated(ledger, n) for n in range(5)] == [None, None, "acme:slack:2", "acme:slack:2", "acme:slack:2"]
    assert ledger.gathered("acme:slack:2") == deliveries[2:]
    assert ledger.gathered("acme:slack:3") == []
    assert timedelta(seconds=50) < ledger.seat("acme:slack:4", "slack/tre/action_needed", TWO_A_MINUTE).wait <= timedelta(minutes=1)


def test_another_kind_or_receiver_is_counted_for_itself(ledger):
    recorded(ledger, *[a_delivery(f"slack:{n}") for n in range(3)])
    one = TWO_A_MINUTE.model_copy(update={"more_than": 1})
    assert ledger.seat("acme:slack:0", "slack/a", one) is None
    assert ledger.seat("acme:slack:1", "slack/b", one) is None
    assert ledger.seat("acme:slack:2", "slack/a", one).carrier == "acme:slack:2"


def test_nobody_gets_a_seat_when_the_window_is_over(ledger):
    recorded(ledger, *[a_delivery(f"slack:{n}") for n in range(4)])
    short = Digest.model_construct(more_than=1, within=timedelta(milliseconds=60))
    assert [seated(ledger, n, short) for n in range(2)] == [None, "acme:slack:1"]
    time.sleep(0.08)
    assert [seated(ledger, n, short) for n in (2, 3)] == [None, "acme:slack:3"]
    assert ledger.seat("acme:slack:1", "slack/tre/action_needed", short).wait == timedelta(0)
