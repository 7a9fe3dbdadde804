"""What can be undone, and why the rest cannot."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.facts import Receipt
from ar_workers.domain.states import State
from ar_workers.domain.undo import Made, judged, skipped
from ar_workers.domain.verbs import UNDOES, VERBS
from tests.builders import NOON, a_row, an_action, an_endpoint, capabilities


def made(verb="ban_hash", state=State.DONE, *, edr=Vendor.CROWDSTRIKE, action=None, row=None, **more):
    order = action or an_action(verb, an_endpoint(edr=edr))
    defaults = {"id": f"acme:{verb}:1", "verb": verb, "subject": order.label, "edr": edr}
    return Made(row=a_row(state, **(defaults | (row or {}))), **({"action": order} | more))


def verdict(each, **more):
    (found,) = judged([each], capabilities(), by="kim", **more)
    return found


def undo(each, **more):
    found = verdict(each, **more)
    assert not found.reason
    return found.undo


def why_not(each, **more):
    found = verdict(each, **more)
    assert found.undo is None
    return found.reason


@pytest.mark.parametrize("verb", sorted(UNDOES.values()))
def test_what_was_done_is_undone_by_its_own_undo(verb):
    edr = Vendor.SENTINELONE
    found = undo(made(verb, edr=edr, receipt=Receipt(reference="7")))
    assert (found.verb, found.requested_by, found.undoes, found.made.reference) == (VERBS[verb].undo, "kim", f"acme:{verb}:1", "7")


@pytest.mark.parametrize("verb", sorted(verb for verb, each in VERBS.items() if each.no_undo))
def test_what_has_no_undo_says_why(verb):
    assert why_not(made(verb)) == VERBS[verb].no_undo
    assert skipped([verdict(made(verb))]) == ()


def test_an_undo_is_not_undone():
    assert why_not(made("unban_hash")).startswith("is an undo itself")


def test_a_message_is_not_taken_back():
    assert why_not(Made(row=a_row(kind="delivery", verb="slack"))) == "a message cannot be taken back"


@pytest.mark.parametrize("state", [State.WAITING, State.PENDING, State.HELD, State.LEASED, State.PERFORMED, State.UNKNOWN])
def test_what_may_yet_come_true_is_undone_too(state):
    assert undo(made(state=state)).verb == "unban_hash"


@pytest.mark.parametrize(
    ("state", "row", "is_undone"),
    [
        (State.FAILED, {"begun_at": NOON, "performed_at": None}, True),
        (State.FAILED, {"begun_at": None, "performed_at": None}, False),
        (State.CANCELLED, {"begun_at": NOON, "performed_at": NOON}, True),
        (State.CANCELLED, {"begun_at": NOON, "performed_at": None}, False),
    ],
)
def test_of_what_ended_otherwise_only_that_is_undone_which_the_edr_may_have(state, row, is_undone):
    found = verdict(made(state=state, row=row))
    assert (found.undo is not None, found.reason) == (is_undone, "" if is_undone else "was never asked of the EDR")


def test_what_was_not_done_is_not_undone():
    assert why_not(made(state=State.SKIPPED, row={"reason": "never-touch list"})) == "was not done: never-touch list"
    assert why_not(made(row={"is_dry": True})) == "was only rehearsed: the EDR was not asked"


def test_what_stood_before_us_stays_unless_it_was_an_earlier_order_of_ours():
    assert why_not(made(state=State.ALREADY, is_ours=False)) == "stood before we asked, and stays"
    assert undo(made(state=State.ALREADY, is_ours=True)).verb == "unban_hash"


def test_what_another_open_threat_wants_stays_unless_a_person_names_it():
    wanted = made(wanted_by=("THREAT-2", "THREAT-3"))
    assert why_not(wanted).startswith("wanted by THREAT-2, THREAT-3, too: it stays")
    assert undo(wanted, though_wanted=True).verb == "unban_hash"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.DONE, "is undone already, undone by sam"),
        (State.ALREADY, "is undone already, undone by sam"),
        (State.PENDING, "its undo is under way, undone by sam"),
        (State.FAILED, ""),
    ],
)
def test_what_is_undone_is_not_undone_twice_and_what_has_failed_is_tried_again(state, reason):
    assert verdict(made(undone="undone by sam", undo_state=state)).reason == reason


def test_an_edr_that_cannot_says_how_else():
    assert "MpCmdRun -Restore" in why_not(made("quarantine_file", edr=Vendor.DEFENDER))


def test_an_order_that_is_not_believed_is_not_undone():
    assert (
        why_not(made(action=None).__class__(row=a_row(verb="ban_hash"), doubt="its order is not believed")) == "its order is not believed"
    )


def test_the_os_of_an_endpoint_may_be_unknown():
    order = an_action("quarantine_file", an_endpoint(edr=Vendor.SENTINELONE, os=OS.UNKNOWN))
    assert undo(made("quarantine_file", edr=Vendor.SENTINELONE, action=order)).verb == "unquarantine_file"


def test_a_no_is_recorded_under_the_undo_that_was_wanted():
    (skip,) = skipped([verdict(made(state=State.ALREADY, is_ours=False))])
    assert (skip.verb, skip.reason) == ("unban_hash", "stood before we asked, and stays")


def test_people_read_what_is_done_and_what_is_not():
    assert verdict(made("isolate")).line == "release FIN-LT-07"
    assert verdict(made("kill_process")).line.startswith("kill process FIN-LT-07 pid 4711")
