"""What guards hold: counted per cap, shown together, and decided by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.states import State
from tests.clocks import ManualClock, a_ledger
from tests.ledger.building import LEASE, a_row, asked, begun, claimed, concluded, recorded, refused, state_of

DAY = timedelta(days=1)
BAN = {"lane": None, "remote": "crowdstrike", "queue": Queue.IOC}


def bans(number):
    return [a_row(f"{('ban_hash', 'ban_domain')[n % 2]}:{n}", **BAN) for n in range(number)]


def held_by_the_cap(ledger, number=1):
    recorded(ledger, *(a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(number)))
    for n in range(number):
        assert asked(ledger, f"acme:isolate:{n}", most=0) == Refusal(reason="held")
    return [f"acme:isolate:{n}" for n in range(number)]


@pytest.mark.parametrize(("after", "is_held"), [(DAY - timedelta(minutes=1), True), (DAY, False)])
def test_bans_of_hashes_and_domains_count_together_in_any_day(after, is_held):
    clock = ManualClock()
    ledger = a_ledger(clock)
    rows = bans(3)
    recorded(ledger, *rows)
    assert [isinstance(asked(ledger, row.id, most=2), Claim) for row in rows[:2]] == [True, True]
    clock.advance(after)
    assert (asked(ledger, rows[2].id, most=2) == Refusal(reason="held")) is is_held
    assert (ledger.row(rows[2].id).reason == "blast radius: 2 bans in the last 24 h; a TRE decides") is is_held


def test_a_ban_that_was_so_already_does_not_count(ledger):
    first, second = bans(2)
    recorded(ledger, first, second)
    concluded(ledger, asked(ledger, first.id, most=1), VisitResult(state=State.ALREADY))
    assert isinstance(asked(ledger, second.id, most=1), Claim)


def test_what_has_no_cap_is_never_too_much(ledger):
    recorded(ledger, a_row("kill_process:1", queue=Queue.IOC))
    assert isinstance(asked(ledger, "acme:kill_process:1", most=0), Claim)


def test_what_is_held_is_listed_with_its_guard_until_somebody_decides(ledger):
    first, second = held_by_the_cap(ledger, 2)
    assert [(row.id, row.held_by) for row in ledger.held("acme")] == [(first, "blast_radius"), (second, "blast_radius")]
    assert ledger.approve(first, by="kim", reason="outbreak", life=LEASE).id == first
    assert [row.id for row in ledger.held("acme")] == [second]
    assert ledger.row(first).held_by == ""
    assert ledger.threat("acme", "THREAT-1").timeline[-1].text == "held -> pending: approved by kim: outbreak"


def test_what_is_approved_passes_that_guard_alone(ledger):
    (row_id,) = held_by_the_cap(ledger)
    ledger.approve(row_id, by="kim", reason="outbreak", life=LEASE)
    claim = asked(ledger, row_id, most=0)
    assert claim.approved == {"blast_radius"}
    concluded(ledger, claim, VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))
    assert [row.held_by for row in ledger.held("acme")] == ["protected"]


def test_what_is_denied_is_called_off_and_frees_what_waited_for_it(ledger):
    row, after = a_row("isolate:0"), a_row("kill_process:1", queue=Queue.IOC, after=("acme:isolate:0",))
    recorded(ledger, row, after)
    asked(ledger, row.id, most=0)
    assert ledger.deny(row.id, by="kim", reason="authorized testing") == []  # what waits for an isolation goes on when it is held
    found = ledger.row(row.id)
    assert (found.state, found.reason) == (State.CANCELLED, "denied by kim: authorized testing")
    assert ledger.held("acme") == []
    assert state_of(ledger, after.id) is State.PENDING
    assert ledger.requeue(row.id, by="kim", life=LEASE) == Refusal(reason="is cancelled: only failed or held rows can be requeued")


@pytest.mark.parametrize("word", ["approve", "deny"])
def test_a_word_on_what_is_not_held_is_refused(ledger, word):
    recorded(ledger, a_row())
    more = {"life": LEASE} if word == "approve" else {}
    decide = getattr(ledger, word)
    assert decide("acme:isolate:9", by="kim", reason="no", **more) == Refusal(reason="no such row")
    assert "only held rows" in decide("acme:isolate:1", by="kim", reason="no", **more).reason
    begun(ledger, claimed(ledger))
    assert "only held rows" in decide("acme:isolate:1", by="kim", reason="no", **more).reason


@pytest.mark.parametrize("word", ["approve", "deny"])
@pytest.mark.parametrize("customer", [None, "acme"])
def test_what_the_kill_switch_holds_is_nobodys_to_decide_one_by_one(ledger, word, customer):
    recorded(ledger, a_row())
    ledger.pause(customer, "*", "stop")
    assert refused(ledger) == State.HELD
    (row,) = ledger.held("acme")
    assert row.held_by == ("*" if customer else "everyone *")
    more = {"life": LEASE} if word == "approve" else {}
    assert "kill switch" in getattr(ledger, word)(row.id, by="kim", reason="no", **more).reason
    assert state_of(ledger) is State.HELD
