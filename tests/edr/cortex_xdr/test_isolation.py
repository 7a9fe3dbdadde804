"""Isolation and release by Cortex XDR: the endpoint's state, the order's status, and exactly one target."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import NotSent, VendorFault
from ar_workers.domain.facts import Receipt, Sight
from ar_workers.simulator import Fault
from tests.builders import agent_id
from tests.edr.cortex_xdr.building import an_error, performed, says
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.cortex_xdr import cortex_xdr

STATUS = "*/actions/get_action_status"


@pytest.mark.parametrize(
    ("status", "isolate", "release"),
    [
        ("normal", Sight.ABSENT, Sight.PRESENT),
        ("containment_pending", Sight.PENDING, NotSent),
        ("contained", Sight.PRESENT, Sight.ABSENT),
        ("lift_containment_pending", NotSent, Sight.PENDING),
    ],
)
def test_each_of_the_four_isolation_states_is_told_apart(rig, status, isolate, release):
    rig.change(status=status)
    for verb, expected in (("isolate", isolate), ("release", release)):
        if expected is NotSent:
            with pytest.raises(NotSent, match="opposite"):
                rig.adapter.observe(rig.action(verb), None)
        else:
            assert rig.adapter.observe(rig.action(verb), None).sight is expected


def test_an_isolation_that_a_person_lifted_is_not_so(rig):
    action, receipt = performed(rig, "isolate")
    assert rig.settled(action, receipt).sight is Sight.PRESENT
    rig.change(status="normal")
    assert rig.adapter.observe(action, receipt).sight is Sight.ABSENT


@pytest.mark.parametrize("answer", ["order", "error"])
def test_a_repeated_isolation_is_adopted_whichever_way_it_is_answered(answer):
    with cortex_xdr(repeated_isolation=answer) as rig:
        action, _ = performed(rig, "isolate")
        again = rig.adapter.perform(action, None)
        assert bool(again.reference) is (answer == "order")
        assert rig.settled(action, again).sight is Sight.PRESENT
        assert len(rig.effects()) == 1


def test_the_id_of_an_order_may_be_a_text():
    with cortex_xdr(action_ids="text") as rig:
        action, receipt = performed(rig, "isolate")
        assert rig.settled(action, receipt).sight is Sight.PRESENT


def test_any_other_500_of_an_isolation_is_no_receipt(rig):
    says(rig, "*/endpoints/isolate", an_error("No endpoint was found"), status=500)
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("isolate"), None)


def test_an_isolation_refused_for_a_pending_release_is_no_receipt(rig):
    rig.change(status="lift_containment_pending")
    with pytest.raises(VendorFault, match="pending"):
        rig.adapter.perform(rig.action("isolate"), None)


def test_a_refused_isolation_whose_state_cannot_be_read_is_no_receipt():
    with cortex_xdr(repeated_isolation="error") as rig:
        performed(rig, "isolate")
        rig.simulation.faults.add(Fault(action="reply", status=429, path="*/get_endpoint"))
        with pytest.raises(VendorFault, match="already"):
            rig.adapter.perform(rig.action("isolate"), None)


def test_a_worker_lost_after_asking_finds_the_isolation_on_its_way(rig):
    action, _ = performed(rig, "isolate")
    assert rig.adapter.observe(action, None).sight is Sight.PENDING


@pytest.mark.parametrize("reasons", [True, False])
def test_an_order_for_an_offline_endpoint_expires_and_is_refused(reasons):
    with cortex_xdr(order_life=600.0, error_reasons=reasons) as rig:
        rig.change(online=False)
        action, receipt = performed(rig, "isolate")
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        rig.simulation.clock.advance(700)
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "EXPIRED" in fact.evidence) == (Sight.REFUSED, True)


@pytest.mark.parametrize(
    ("status", "sight"),
    [
        ("PENDING", Sight.PENDING),
        ("IN_PROGRESS", Sight.PENDING),
        ("PENDING_ABORT", Sight.PENDING),
        ("A_NEW_WORD", Sight.PENDING),
        ("COMPLETED_SUCCESSFULLY", Sight.ABSENT),
        ("COMPLETED_PARTIAL", Sight.ABSENT),
        ("FAILED", Sight.REFUSED),
        ("TIMEOUT", Sight.REFUSED),
        ("EXPIRED", Sight.REFUSED),
        ("ABORTED", Sight.REFUSED),
        ("CANCELED", Sight.REFUSED),
        ("CANCELLED", Sight.REFUSED),
    ],
)
def test_the_status_of_an_order_never_outweighs_the_endpoint(rig, status, sight):
    action = rig.action("isolate")
    says(rig, STATUS, {"data": {agent_id(FIRST): status}})
    assert rig.adapter.observe(action, Receipt(reference="1001")).sight is sight
    rig.change(status="contained")
    assert rig.adapter.observe(action, Receipt(reference="1001")).sight is Sight.PRESENT


@pytest.mark.parametrize("reasons", [{"errorText": "agent too old", "terminated_by": None}, "agent too old"])
def test_the_reason_of_a_failed_order_is_shown_whatever_its_shape(rig, reasons):
    says(rig, STATUS, {"data": {agent_id(FIRST): "FAILED"}, "errorReasons": {agent_id(FIRST): reasons}})
    assert "agent too old" in rig.adapter.observe(rig.action("isolate"), Receipt(reference="1001")).evidence


@pytest.mark.parametrize("reply", [{"action_id": 1, "endpoints_count": 0}, {"action_id": 1, "endpoints_count": 2}, {"status": "1"}, None])
def test_an_order_that_took_not_exactly_one_endpoint_is_no_receipt(rig, reply):
    says(rig, "*/endpoints/isolate", reply)
    with pytest.raises(VendorFault, match="exactly one"):
        rig.adapter.perform(rig.action("isolate"), None)


@pytest.mark.parametrize("verb", ["isolate", "release", "quarantine_file"])
def test_a_filter_is_never_empty_and_never_beside_an_endpoint_id(rig, verb):
    rig.adapter.perform(rig.action(verb), None)
    (entry,) = rig.written()
    data = entry["body"]["request_data"]
    assert ("endpoint_id" in data) != ("filters" in data)
    assert data.get("endpoint_id", agent_id(FIRST)) == agent_id(FIRST)
    assert all(each["value"] == [agent_id(FIRST)] for each in data.get("filters", []))
