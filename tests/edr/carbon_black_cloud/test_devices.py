"""The devices of Carbon Black Cloud, how they are told apart, and the members of their groups and policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, EndpointNotFound, VendorFault
from ar_workers.simulator import Fault
from tests.edr.carbon_black_cloud.building import first
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud, device_id

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "recorded" / "carbon_black_cloud"


@pytest.mark.parametrize("number", ["a1b2", "007", "1.5", "9" * 30])
def test_what_is_no_device_id_is_not_found_before_any_request(rig, number):
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(number)
    assert rig.simulation.journal.requests() == []


def test_a_registration_that_was_left_is_not_found(rig):
    rig.change(decommissioned=True)
    for look in (rig.adapter.endpoint, lambda _: rig.adapter.observe(rig.action("isolate"), None)):
        with pytest.raises(EndpointNotFound, match="DEREGISTERED"):
            look(device_id(FIRST))


def test_an_answer_about_another_device_is_no_answer(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"id": 1, "quarantined": true}', path="*/devices/*"))
    with pytest.raises(VendorFault, match="another device"):
        rig.adapter.observe(rig.action("isolate"), None)


def test_a_device_is_shown_by_its_host_and_an_odd_platform_is_unknown(rig):
    first(rig).facts |= {"name": "ACME\\fin-lt-07", "os": "OTHER", "asset_group": None}
    found = rig.adapter.endpoint(device_id(FIRST))
    assert (found.hostname, found.os, found.groups) == ("fin-lt-07", OS.UNKNOWN, frozenset())


@pytest.mark.parametrize("style", ["exact", "folded", "partial"])
@pytest.mark.parametrize("tells", [True, False])
def test_members_are_complete_and_of_the_exact_name(style, tells):
    with carbon_black_cloud(name_match=style, members_tell_total=tells) as rig:
        rig.change(NEIGHBOUR, groups=["g2"])
        tenant = rig.simulation.world.tenant("acme")
        for number in range(450):
            tenant.add_endpoint(type(first(rig))(agent_id=str(number + 10), hostname=f"PC-{number}", groups=["g1"]))
        tenant.endpoints["10"].decommissioned = True
        names = [each.hostname for each in rig.adapter.members("Remediate")]
        assert len(names) == len(set(names)) == 450
        assert {"PC-0", NEIGHBOUR} & set(names) == set()


def test_a_member_that_the_search_leaves_out_is_asked_for_alone(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"results": [], "num_found": 0}', path="*/_scroll"))
    assert {each.hostname for each in rig.adapter.members("Remediate")} == {FIRST, NEIGHBOUR}


def test_a_listing_that_breaks_off_is_a_fault(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"members": [], "num_found": 7}', path="*/members"))
    with pytest.raises(VendorFault, match="broke off"):
        list(rig.adapter.members("Remediate"))


def test_a_listing_without_an_end_is_a_fault(rig):
    body = '{"members": [{"external_member_id": "1"}]}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/members"))
    with pytest.raises(VendorFault, match="broke off after 1000"):
        list(rig.adapter.members("Remediate"))


def test_policies_may_be_the_groups():
    with carbon_black_cloud(config={"group_by": "policy"}) as rig:
        rig.simulation.world.tenant("acme").facts["policies"] = [{"id": 1, "name": "Standard"}, {"id": 2, "name": "Remediate"}]
        first(rig).facts |= {"policy_id": 2, "policy_name": "Remediate"}
        assert [each.hostname for each in rig.adapter.members("Remediate")] == [FIRST]
        assert rig.adapter.endpoint(device_id(FIRST)).groups == {"Remediate"}
        with pytest.raises(Denied, match="no policy"):
            list(rig.adapter.members("remediate"))


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded data lies beside the project, not in it")
def test_a_recorded_device_is_read(rig):
    recorded = json.loads((RECORDED / "device_search.json").read_text())["results"][0]
    body = json.dumps(recorded)
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/devices/*"))
    found = rig.adapter.endpoint(str(recorded["id"]))
    assert (found.agent_id, found.hostname, found.os, found.groups) == ("5765373", "test", OS.WINDOWS, frozenset())
