"""Isolation by SentinelOne: an order reaches its one target, and what the console counts proves it."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import EndpointNotFound, OutcomeUnknown, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.simulator import Fault
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.sentinelone import sentinelone
from tests.edr.sentinelone.building import NOT_SO, answer_with, performed


@pytest.mark.parametrize("target", ["", " ", "*", "1,2", "ids", "1" * 21, "a" * 18])
def test_no_order_leaves_without_exactly_one_id(rig, target):
    with pytest.raises(EndpointNotFound):
        rig.adapter._api.act("agents/actions/disconnect", target)
    assert rig.simulation.journal.requests() == []


def test_an_order_names_its_one_target_and_nothing_else(rig):
    performed(rig, "isolate")
    (request,) = rig.written()
    assert request["body"] == {"filter": {"ids": [rig.agent_id(FIRST)]}, "data": {}}


def test_more_than_one_affected_endpoint_is_told_loudly(rig):
    answer_with(rig, "agents/actions/*", {"data": {"affected": 7}})
    with pytest.raises(VendorFault, match="affected 7"):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


def test_an_answer_without_a_count_proves_nothing(rig):
    answer_with(rig, "agents/actions/*", {"data": {}})
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


@pytest.mark.parametrize("affects", [0, 1])
def test_a_repeated_isolation_is_adopted_whatever_it_counts_as(affects):
    with sentinelone(repeat_affects=affects) as rig:
        action, _ = performed(rig, "isolate")
        again = rig.adapter.perform(action, NOT_SO)
        assert rig.settled(action, again).sight is Sight.PRESENT
        assert len(rig.effects()) == 1


def test_nothing_affected_and_nothing_changed_is_a_fault(rig):
    answer_with(rig, "agents/actions/*", {"data": {"affected": 0}})
    with pytest.raises(VendorFault, match="nothing was affected, and the agent is connected"):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


@pytest.mark.parametrize("shown", [True, False])
def test_a_decommissioned_agent_is_not_found(shown):
    with sentinelone(shows_decommissioned=shown) as rig:
        rig.change(decommissioned=True)
        with pytest.raises(EndpointNotFound):
            rig.adapter.observe(rig.action("isolate"), None)


def test_an_isolation_that_somebody_lifts_is_no_longer_so(rig):
    action, receipt = performed(rig, "isolate")
    assert rig.settled(action, receipt).sight is Sight.PRESENT
    rig.change(status="lift_containment_pending")
    assert rig.adapter.observe(action, receipt).sight is Sight.ABSENT


def test_an_isolation_whose_answer_was_lost_is_seen_under_way(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "isolate")
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PENDING
