"""What every ledger promises of what holds actions back: kill switches and the blast radius."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis

from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.states import State
from ar_workers.domain.verbs import Cap
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.keys import SEALS
from tests.ledger.building import LEASE, a_row, an_event, asked, begun, claimed, concluded, recorded, refused, settle, state_of, wait


@pytest.mark.parametrize("scope", ["*", "edr:crowdstrike", "verb:isolate"])
def test_a_closed_kill_switch_holds_what_is_about_to_begin(ledger, scope):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    ledger.pause("acme", scope, "maintenance")
    assert ledger.begin(claim, caps={}) == Refusal(reason="held")
    assert ledger.row("acme:isolate:1").reason == f"paused ({scope}): maintenance"
    assert [ring.id for ring in ledger.resume("acme", scope)] == ["acme:isolate:1"]
    begun(ledger, claimed(ledger))


def test_what_waits_behind_a_row_that_must_not_begin_comes_with_the_next_sweep(ledger):
    recorded(ledger, a_row(), a_row("delete_file:1"))
    claim = claimed(ledger)
    assert {ring.id for ring in ledger.due(10, timedelta(hours=1))} == {"acme:delete_file:1"}
    assert refused(ledger, "acme:delete_file:1") == "endpoint busy"
    ledger.pause("acme", "verb:isolate", "maintenance")
    assert ledger.begin(claim, caps={}) == Refusal(reason="held")
    assert [ring.id for ring in ledger.due(10, timedelta(hours=1))] == ["acme:delete_file:1"]


def test_what_is_held_behind_a_row_that_must_not_begin_is_not_rung(ledger):
    recorded(ledger, a_row(), a_row("delete_file:1"))
    claimed(ledger, lease=timedelta(milliseconds=30))
    assert refused(ledger, "acme:delete_file:1") == "endpoint busy"
    wait(ledger, 0.05)
    ledger.pause("acme", "verb:delete_file", "maintenance")
    assert refused(ledger, "acme:delete_file:1") == State.HELD
    claim = claimed(ledger)
    ledger.pause("acme", "verb:isolate", "maintenance")
    assert ledger.begin(claim, caps={}) == Refusal(reason="held")
    assert ledger.due(10, timedelta(hours=1)) == []


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
    assert {name: pause.reason for name, pause in ledger.pauses("acme").items()} == {scope: "maintenance"}


def test_the_blast_radius_holds_the_isolation_after_the_last_allowed(ledger):
    rows = [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(3)]
    recorded(ledger, *rows)
    answers = [asked(ledger, row.id, most=2) for row in rows]
    assert [isinstance(answer, Claim) for answer in answers] == [True, True, False]
    assert answers[2] == Refusal(reason="held")
    ledger.requeue("acme:isolate:2", by="kim", life=LEASE)
    assert asked(ledger, "acme:isolate:2", most=2).is_cleared


def test_the_last_isolation_that_is_allowed_does_not_count_against_itself(ledger):
    recorded(ledger, a_row())
    claim = asked(ledger, most=1)
    assert ledger.begin(claim, caps={Cap.ISOLATIONS: 1}) is None


def test_an_isolation_that_was_not_needed_does_not_count(ledger):
    rows = [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(2)]
    recorded(ledger, *rows)
    concluded(ledger, asked(ledger, rows[0].id, most=1), VisitResult(state=State.ALREADY))
    assert isinstance(asked(ledger, rows[1].id, most=1), Claim)


@pytest.mark.parametrize("scope", ["*", "edr:crowdstrike", "verb:isolate"])
def test_a_switch_of_all_customers_holds_also_those_that_come_later(ledger, scope):
    ledger.pause(None, scope, "stop everything")
    assert {name: pause.reason for name, pause in ledger.pauses(None).items()} == {scope: "stop everything"}
    recorded(ledger, a_row(customer="initech"), event=an_event(customer="initech"))
    assert refused(ledger, "initech:isolate:1") == State.HELD
    assert ledger.row("initech:isolate:1").reason == f"paused for everyone ({scope}): stop everything"
    assert [ring.id for ring in ledger.resume(None, scope)] == ["initech:isolate:1"]
    assert ledger.pauses(None) == {}
    begun(ledger, claimed(ledger, "initech:isolate:1"))


def test_a_switch_of_all_customers_holds_what_is_about_to_begin(ledger):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    ledger.pause(None, "*", "stop everything")
    assert ledger.begin(claim, caps={}) == Refusal(reason="held")


def test_a_customers_own_switch_stays_closed_when_that_of_all_is_opened(ledger):
    recorded(ledger, a_row())
    ledger.pause(None, "*", "stop everything")
    ledger.pause("acme", "*", "change freeze")
    assert refused(ledger) == State.HELD
    assert [ring.id for ring in ledger.resume(None, "*")] == ["acme:isolate:1"]
    assert refused(ledger) == State.HELD
    assert ledger.row("acme:isolate:1").reason == "paused (*): change freeze"


def test_nothing_is_claimed_while_the_switch_of_all_cannot_be_read(real_redis, redis_url):
    client = connect(redis_url)
    ledger = RedisLedger(client, grace=timedelta(0), seals=SEALS)
    recorded(ledger, a_row())
    client.set("ar:paused", "spoiled")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        asked(ledger)
    client.delete("ar:paused")
    claimed(ledger)


def test_a_release_goes_through_every_switch(ledger):
    ledger.pause(None, "*", "stop everything")
    ledger.pause("acme", "edr:crowdstrike", "maintenance")
    recorded(ledger, a_row("release:1"))
    begun(ledger, claimed(ledger, "acme:release:1"))


def test_a_row_that_a_switch_holds_is_not_requeued_past_it(ledger):
    recorded(ledger, a_row())
    ledger.pause(None, "*", "stop everything")
    assert refused(ledger) == State.HELD
    refusal = ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert refusal == Refusal(reason="is held by the kill switch (everyone *): `arctl resume` brings it back")
    ledger.resume(None, "*")
    assert claimed(ledger).approved == frozenset()


def test_an_approval_of_the_blast_radius_is_none_for_a_protected_endpoint(ledger):
    recorded(ledger, a_row())
    assert asked(ledger, most=0) == Refusal(reason="held")
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    claim = asked(ledger, most=0)
    assert claim.approved == {Guard.BLAST_RADIUS}
    concluded(ledger, claim, VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert asked(ledger, most=0).approved == {Guard.BLAST_RADIUS, Guard.PROTECTED}


def test_an_approval_for_a_protected_endpoint_is_none_of_the_blast_radius(ledger):
    recorded(ledger, a_row())
    concluded(ledger, asked(ledger), VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert asked(ledger, most=0) == Refusal(reason="held")


def test_each_guard_that_holds_a_row_is_told_of(ledger):
    recorded(ledger, a_row())
    assert asked(ledger, most=0) == Refusal(reason="held")
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    concluded(ledger, asked(ledger, most=0), VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    events = {ring.id for ring in ledger.due(10, LEASE) if ":event/" in ring.id}
    assert events == {f"acme:event/.held-isolate-1-1-{guard}" for guard in ("blast_radius", "protected")}
