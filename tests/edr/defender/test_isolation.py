"""Isolation and release by Defender: orders that are open, repeated, doubled, cancelled or never picked up."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.errors import Throttled
from ar_workers.domain.facts import Sight
from ar_workers.simulator import Fault
from tests.edr.defender.building import NOT_SO, asked
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.defender import defender, machine_id

DUPLICATES = ["same", "refused", "late"]


def order_by_hand(rig, verb):
    """What a person does in another client, at the same time."""
    body = {"Comment": "by hand"} | ({"IsolationType": "Full"} if verb == "isolate" else {})
    return rig.adapter._api.post(f"/api/machines/{machine_id(FIRST)}/{verb}", body)["id"]


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_repeated_isolation_takes_over_the_open_one(duplicate):
    with defender(duplicate=duplicate) as rig:
        action = rig.action("isolate")
        first, second = rig.adapter.perform(action, NOT_SO), rig.adapter.perform(action, NOT_SO)
        assert first == second
        assert len(rig.written()) == 1


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_an_isolation_whose_receipt_was_lost_is_seen_and_not_repeated(duplicate):
    with defender(duplicate=duplicate) as rig:
        action = rig.action("isolate")
        asked(rig, action)
        assert rig.adapter.observe(action, None).sight is Sight.PENDING
        assert rig.settled(action, None).sight is Sight.PRESENT
        assert len(rig.written()) == 1


def test_a_second_isolation_that_slips_in_between_is_adopted_by_its_refusal(rig):
    """Between our look and our order somebody was faster: the vendor's 400 leads to theirs."""
    theirs = order_by_hand(rig, "isolate")
    none_yet = '{"value":[]}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=none_yet, method="GET", path="/api/machineactions", first=1))
    assert rig.adapter.perform(rig.action("isolate"), NOT_SO).reference == theirs


def test_a_doubled_isolation_that_runs_after_the_release_is_told_and_not_taken_for_released():
    with defender(duplicate="late", late_by=600.0) as rig:
        order_by_hand(rig, "isolate")
        order_by_hand(rig, "isolate")
        rig.simulation.clock.advance(100)
        ours = rig.adapter._orders.ask(rig.action("release"), "unisolate", {}, lambda _: True)
        rig.simulation.clock.advance(100)
        assert rig.adapter.observe(rig.action("release"), ours).sight is Sight.PENDING
        rig.simulation.clock.advance(900)
        fact = rig.adapter.observe(rig.action("release"), ours)
        assert (fact.sight, "Isolate" in fact.evidence) == (Sight.ABSENT, True)


def test_a_release_cancels_the_doubled_isolation_before_it_releases():
    with defender(duplicate="late") as rig:
        order_by_hand(rig, "isolate")
        order_by_hand(rig, "isolate")
        rig.simulation.clock.advance(100)
        action = rig.action("release")
        before = len(rig.written())
        with pytest.raises(Throttled, match="in the way"):
            asked(rig, action)
        assert len(rig.written()) == before + 1
        receipt = asked(rig, action)
        assert rig.settled(action, receipt).sight is Sight.PRESENT
        rig.simulation.clock.advance(3600)
        assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_a_release_of_an_isolation_that_has_not_begun_is_its_cancellation(rig):
    rig.change(online=False)
    asked(rig, rig.action("isolate"))
    action = rig.action("release")
    receipt = asked(rig, action)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT
    rig.change(online=True)
    rig.simulation.clock.advance(3600)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT
    assert rig.effects() == []


def test_an_isolation_that_is_being_carried_out_is_waited_for_by_a_release(rig):
    asked(rig, rig.action("isolate"))
    rig.simulation.clock.advance(40)
    with pytest.raises(Throttled, match="cannot be cancelled any more"):
        asked(rig, rig.action("release"))
    rig.simulation.clock.advance(60)
    action = rig.action("release")
    assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT


def test_a_cancelled_isolation_is_a_refusal_to_who_ordered_it(rig):
    action = rig.action("isolate")
    receipt = asked(rig, action)
    rig.adapter._api.post(f"/api/machineactions/{receipt.reference}/cancel", {"Comment": "by hand"})
    assert rig.adapter.observe(action, receipt).sight is Sight.REFUSED
    assert rig.adapter.observe(action, None).sight is Sight.ABSENT


def test_an_order_that_nobody_picked_up_in_three_days_is_refused_as_timeout(rig):
    action = rig.action("isolate")
    rig.change(online=False)
    receipt = asked(rig, action)
    rig.simulation.clock.advance(3 * 86400)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
    rig.simulation.clock.advance(900)
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "TimeOut (-2145844840)" in fact.evidence) == (Sight.REFUSED, True)


def test_a_failed_release_does_not_change_what_is_so(rig):
    rig.change(status="contained")
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PRESENT
    rig.change(online=False)
    asked(rig, rig.action("release"))
    rig.simulation.clock.advance(4 * 86400)
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PRESENT


def test_a_word_that_nobody_knows_is_not_the_end(rig):
    row = {"id": "1", "type": "Isolate", "status": "Preparing", "machineId": machine_id(FIRST)}
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps({"value": [row]}), path="/api/machineactions"))
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PENDING


def test_no_isolation_on_record_is_no_proof_that_there_is_none(rig):
    """The record is kept for some months; a release that may not be needed is asked for and seen to succeed."""
    action = rig.action("release")
    seen = rig.adapter.observe(action, None)
    assert seen.sight is Sight.UNKNOWABLE
    assert rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.PRESENT
