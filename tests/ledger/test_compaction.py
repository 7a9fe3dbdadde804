"""What every ledger promises of a threat that was packed: it is shown and recognised as ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.claims import VisitResult
from ar_workers.domain.states import State
from tests.ledger.building import a_delivery, a_row, an_event, asked, claimed, concluded, recorded, settle

LATER = timedelta(hours=1)


def packed(ledger, limit=10):
    return ledger.compact(datetime.now(UTC) + LATER, limit)


def a_settled_threat(ledger):
    recorded(ledger, a_row(), a_delivery())
    concluded(ledger, claimed(ledger), VisitResult(state=State.DONE, evidence="contained", reference="vendor-7"))
    settle(ledger, "acme:slack:1")


def test_a_packed_threat_is_shown_as_before(ledger):
    a_settled_threat(ledger)
    before = ledger.rows("acme", "THREAT-1"), ledger.threat("acme", "THREAT-1"), ledger.row("acme:isolate:1")
    assert packed(ledger) == 1
    assert (ledger.rows("acme", "THREAT-1"), ledger.threat("acme", "THREAT-1"), ledger.row("acme:isolate:1")) == before
    assert packed(ledger) == 0


def test_what_is_younger_is_left_alone(ledger):
    a_settled_threat(ledger)
    assert ledger.compact(datetime.now(UTC) - LATER, 10) == 0


@pytest.mark.parametrize("state", [State.PERFORMED, State.HELD, State.UNKNOWN, State.PENDING, State.FAILED])
def test_nothing_that_is_unsettled_or_failed_is_packed(ledger, state):
    recorded(ledger, a_row(), a_delivery())
    settle(ledger, "acme:slack:1")
    settle(ledger, "acme:isolate:1", state)
    assert packed(ledger) == 0
    assert ledger.row("acme:isolate:1").state == state


def test_a_threat_that_failed_keeps_none_behind_it_from_being_packed(ledger):
    for number, state in enumerate((State.FAILED, State.DONE, State.DONE, State.DONE)):
        recorded(ledger, a_row(f"isolate:{number}", lane=f"crowdstrike/a{number}"), event=an_event(f"e{number}", f"THREAT-{number}"))
        settle(ledger, f"acme:isolate:{number}", state)
    rounds = [packed(ledger, limit=2) for _ in range(4)]
    assert sum(rounds) == 3
    assert rounds[-1] == 0


def test_threats_that_failed_take_nobodys_place_and_are_packed_once_they_are_done(ledger):
    for number, state in enumerate((State.FAILED, State.FAILED, State.DONE)):
        recorded(ledger, a_row(f"isolate:{number}", lane=f"crowdstrike/a{number}"), event=an_event(f"e{number}", f"THREAT-{number}"))
        settle(ledger, f"acme:isolate:{number}", state)
    assert sum(packed(ledger, limit=2) for _ in range(2)) == 1
    ledger.requeue("acme:isolate:0", by="jane", life=timedelta(days=1))
    settle(ledger, "acme:isolate:0")
    assert packed(ledger) == 1


def test_a_threat_that_shares_a_failed_row_of_another_is_packed_once_that_is_done(ledger):
    recorded(ledger, a_row())
    recorded(ledger, a_row(), a_row("ban_hash:2", lane=None), event=an_event("e2", "THREAT-2"))
    settle(ledger, "acme:isolate:1", State.FAILED)
    settle(ledger, "acme:ban_hash:2")
    assert packed(ledger) == 0
    ledger.requeue("acme:isolate:1", by="jane", life=timedelta(days=1))
    settle(ledger, "acme:isolate:1")
    assert packed(ledger) == 2


def test_a_packed_row_of_the_same_threat_is_not_repeated(ledger):
    a_settled_threat(ledger)
    packed(ledger)
    recorded(ledger, a_row(), a_row("ban_hash:2", lane=None), event=an_event("e2"))
    assert [row.id for row in ledger.rows("acme", "THREAT-1")] == ["acme:isolate:1", "acme:slack:1", "acme:ban_hash:2"]
    assert asked(ledger).reason == State.DONE


def test_what_was_packed_is_a_repeat_when_another_threat_wants_it(ledger):
    a_settled_threat(ledger)
    packed(ledger)
    recorded(ledger, a_row(), event=an_event("e2", "THREAT-2"))
    assert [(row.id, row.state) for row in ledger.rows("acme", "THREAT-2")] == [("acme:isolate:1.2", State.PENDING)]


def test_a_packed_event_is_still_a_duplicate(ledger):
    a_settled_threat(ledger)
    packed(ledger)
    assert [str(each) for each in ledger.accept([an_event()])] == ["duplicate"]


def test_a_threat_that_goes_on_after_it_was_packed_is_packed_again(ledger):
    a_settled_threat(ledger)
    packed(ledger)
    recorded(ledger, a_row("ban_hash:2", lane=None), event=an_event("e2"))
    assert packed(ledger) == 0
    settle(ledger, "acme:ban_hash:2")
    rows = ledger.rows("acme", "THREAT-1")
    assert packed(ledger) == 1
    assert ledger.rows("acme", "THREAT-1") == rows


def test_no_more_are_packed_than_asked_for(ledger):
    for number in range(3):
        recorded(ledger, a_row(f"ban_hash:{number}", lane=None), event=an_event(f"e{number}", f"THREAT-{number}"))
        settle(ledger, f"acme:ban_hash:{number}")
    assert [packed(ledger, 2), packed(ledger, 2)] == [2, 1]
