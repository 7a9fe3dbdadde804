"""What every ledger promises of what holds actions back: kill switches and the blast radius."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from ar_workers.domain.rows import Claim, Finding, Refusal
from ar_workers.domain.states import State
from tests.ledger.building import LEASE, a_row, asked, begun, claimed, concluded, recorded, refused, settle, state_of


@pytest.mark.parametrize("scope", ["*", "edr:crowdstrike", "verb:isolate"])
def test_a_closed_kill_switch_holds_what_is_about_to_begin(ledger, scope):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    ledger.pause("acme", scope, "maintenance")
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="held")
    assert ledger.row("acme:isolate:1").reason == f"paused ({scope}): maintenance"
    assert [ring.id for ring in ledger.resume("acme", scope)] == ["acme:isolate:1"]
    begun(ledger, claimed(ledger))


def test_what_waits_behind_a_row_that_must_not_begin_comes_with_the_next_sweep(ledger):
    recorded(ledger, a_row(), a_row("delete_file:1"))
    claim = claimed(ledger)
    assert {ring.id for ring in ledger.due(10, timedelta(hours=1))} == {"acme:delete_file:1"}
    assert refused(ledger, "acme:delete_file:1") == "endpoint busy"
    ledger.pause("acme", "verb:isolate", "maintenance")
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="held")
    assert [ring.id for ring in ledger.due(10, timedelta(hours=1))] == ["acme:delete_file:1"]


def test_what_is_held_behind_a_row_that_must_not_begin_is_not_rung(ledger):
    recorded(ledger, a_row(), a_row("delete_file:1"))
    claimed(ledger, lease=timedelta(milliseconds=30))
    assert refused(ledger, "acme:delete_file:1") == "endpoint busy"
    time.sleep(0.05)
    ledger.pause("acme", "verb:delete_file", "maintenance")
    assert refused(ledger, "acme:delete_file:1") == State.HELD
    claim = claimed(ledger)
    ledger.pause("acme", "verb:isolate", "maintenance")
    assert ledger.begin(claim, most_isolations=None) == Refusal(reason="held")
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
