"""What every ledger tells of a row that is to be undone: its order, who else wants the same, and what became of it since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ar_workers.domain.claims import VisitResult
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.facts import Receipt
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.states import State
from ar_workers.domain.undo import taken_back
from tests.builders import an_action
from tests.ledger.building import LEASE, a_delivery, an_event, begun, claimed, concluded, recorded, settle

BAN = an_action("ban_hash")
RECEIPT = Receipt(reference="7", detail={"made": "1"})


def planned(ledger, *actions, threat="THREAT-1", event=None):
    rows = [action_row(each, threat, after=(), life=LEASE) for each in actions]
    recorded(ledger, *rows, event=an_event(event or f"e-{threat}", threat))
    return [row.id for row in ledger.rows("acme", threat) if row.kind == "action"]


def carried_out(ledger, row_id, state=State.DONE):
    found = VisitResult(state=state, receipt=RECEIPT.model_dump_json(), reference="7")
    concluded(ledger, begun(ledger, claimed(ledger, row_id)), found)


def closed(ledger, threat):
    event = an_event(f"c-{threat}", threat)
    closing = ThreatClosed(id=event.id, customer="acme", occurred_at=event.occurred_at, threat=event.threat, reason="over")
    ledger.accept([closing])
    ledger.record([EventPlan(event=closing, rows=(), closes="over")])


def undone(ledger, action=BAN, by="kim", threat="THREAT-1"):
    undo = taken_back(action, by=by)
    ledger.accept([event := an_event(f"u-{by}-{threat}", threat)])
    ledger.record([EventPlan(event=event, rows=[action_row(undo, threat, after=(), life=LEASE)])])
    return next(row.id for row in ledger.rows("acme", threat) if row.verb == undo.verb)


def only(ledger, threat="THREAT-1", verb="ban_hash"):
    (found,) = [each for each in ledger.made("acme", threat) if each.row.verb == verb]
    return found


def packed(ledger):
    assert ledger.compact(datetime.now(UTC) + timedelta(hours=1), 10) == 1


def test_it_has_the_order_and_what_the_edr_signed_for(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id)
    found = only(ledger)
    assert (found.row.id, found.action, found.receipt, found.doubt) == (row_id, BAN, RECEIPT, "")
    assert (found.is_ours, found.wanted_by, found.undone, found.undo_state) == (True, (), "", None)


def test_a_packed_threat_tells_the_same(ledger):
    row_ids = planned(ledger, BAN, an_action("isolate"))
    for row_id in row_ids:
        carried_out(ledger, row_id)
    before = ledger.made("acme", "THREAT-1")
    packed(ledger)
    assert ledger.made("acme", "THREAT-1") == before
    assert {type(each.action) for each in before} == {type(BAN), type(an_action("isolate"))}


def test_what_was_undone_before_it_was_packed_stays_so(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id)
    settle(ledger, undone(ledger))
    packed(ledger)
    found = only(ledger)
    assert (found.undone, found.undo_state) == ("undone by kim", State.DONE)


def test_what_was_banned_anew_after_an_undo_and_packed_is_not_called_undone(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id)
    settle(ledger, undone(ledger))
    (again,) = planned(ledger, BAN, threat="THREAT-2")
    carried_out(ledger, again)
    assert ledger.compact(datetime.now(UTC) + timedelta(hours=1), 10) == 2
    assert (only(ledger).undone, only(ledger, "THREAT-2").undone) == ("undone by kim", "")


def test_an_order_that_was_changed_is_not_believed(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id)
    other = BAN.model_copy(update={"hash": BAN.hash.model_copy(update={"sha256": "0" * 63 + "1"})})
    ledger._redis.hset(f"ar:{{acme}}:row:{row_id}", "order", other.written())
    found = only(ledger)
    assert (found.action, found.doubt.startswith("its order is not believed, take it back in the EDR's console")) == (None, True)


def test_what_has_no_undo_and_what_is_a_message_is_told_without(ledger):
    recorded(ledger, action_row(an_action("kill_process"), "THREAT-1", after=(), life=LEASE), a_delivery())
    assert [(each.row.verb, each.action) for each in ledger.made("acme", "THREAT-1")] == [("kill_process", None), ("slack", None)]


def test_it_is_told_who_undid_it_and_where_that_is(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id)
    undo = undone(ledger)
    assert (only(ledger).undone, only(ledger).undo_state) == ("undone by kim", State.PENDING)
    settle(ledger, undo, State.FAILED)
    assert only(ledger).undo_state is State.FAILED


def test_of_an_isolation_the_release_is_its_undo(ledger):
    isolate = an_action("isolate")
    (row_id,) = planned(ledger, isolate)
    carried_out(ledger, row_id)
    settle(ledger, undone(ledger, isolate))
    found = only(ledger, verb="isolate")
    assert (found.undone, found.undo_state) == ("released by kim", State.DONE)


def test_what_stood_before_is_not_ours(ledger):
    (row_id,) = planned(ledger, BAN)
    carried_out(ledger, row_id, State.ALREADY)
    assert only(ledger).is_ours is False


def test_what_an_earlier_threat_of_ours_has_banned_is_ours_and_wanted_by_both(ledger):
    (first,) = planned(ledger, BAN)
    carried_out(ledger, first)
    (second,) = planned(ledger, BAN, threat="THREAT-2")
    carried_out(ledger, second, State.ALREADY)
    assert (only(ledger).wanted_by, only(ledger, "THREAT-2").wanted_by) == (("THREAT-2",), ("THREAT-1",))
    assert only(ledger, "THREAT-2").is_ours
    closed(ledger, "THREAT-2")
    assert only(ledger).wanted_by == ()


def test_what_two_threats_share_is_wanted_by_the_other(ledger):
    (row_id,) = planned(ledger, BAN)
    planned(ledger, BAN, threat="THREAT-2")
    carried_out(ledger, row_id)
    assert (only(ledger).wanted_by, only(ledger, "THREAT-2").wanted_by) == (("THREAT-2",), ("THREAT-1",))


def test_what_another_threat_wanted_before_the_undo_is_wanted_no_more(ledger):
    (first,) = planned(ledger, BAN)
    carried_out(ledger, first)
    (second,) = planned(ledger, BAN, threat="THREAT-2")
    carried_out(ledger, second, State.ALREADY)
    settle(ledger, undone(ledger))
    assert only(ledger, "THREAT-2").wanted_by == ()
    assert only(ledger, "THREAT-2").undone == "undone by kim"


def test_what_was_called_off_for_another_threat_is_not_wanted(ledger):
    (first,) = planned(ledger, BAN)
    carried_out(ledger, first)
    (second,) = planned(ledger, BAN, threat="THREAT-2")
    carried_out(ledger, second, State.SKIPPED)
    assert only(ledger).wanted_by == ()
