"""The endpoints that Cortex XDR lists: their OS, their groups, who is gone, and a listing read to its end."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import EndpointNotFound, EndpointOffline, VendorFault
from tests.builders import agent_id
from tests.edr.cortex_xdr.building import says
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.cortex_xdr import cortex_xdr


@pytest.mark.parametrize("os_type", ["AGENT_OS_MAC", "AGENT_OS_MACOS"])
def test_both_spellings_of_macos_are_known(rig, os_type):
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["os_type"] = os_type
    assert rig.adapter.endpoint(agent_id(FIRST)).os is OS.MACOS


def test_an_os_that_nobody_knows_is_unknown(rig):
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["os_type"] = "AGENT_OS_ANDROID"
    assert rig.adapter.endpoint(agent_id(FIRST)).os is OS.UNKNOWN


def test_an_endpoint_in_no_group_has_null_for_them(rig):
    rig.change(groups=[])
    assert rig.adapter.endpoint(agent_id(FIRST)).groups == frozenset()


def test_an_uninstalled_agent_stays_listed_and_is_not_found(rig):
    rig.change(decommissioned=True)
    with pytest.raises(EndpointNotFound, match="uninstalled"):
        rig.adapter.endpoint(agent_id(FIRST))
    assert [each.hostname for each in rig.adapter.members("Remediate")] == [NEIGHBOUR]


def test_a_lost_agent_is_offline(rig):
    rig.change(online=False)
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["away_as"] = "LOST"
    with pytest.raises(EndpointOffline, match="LOST"):
        rig.adapter.observe(rig.action("kill_process"), None)


@pytest.mark.parametrize("counts", ["number", "null"])
@pytest.mark.parametrize("name_match", ["exact", "folded", "partial"])
def test_a_large_group_is_read_to_its_end(counts, name_match):
    with cortex_xdr(counts=counts, name_match=name_match) as rig:
        fill(rig, 198)
        rig.change(NEIGHBOUR, groups=["g2"])
        assert len(list(rig.adapter.members("Remediate"))) == 199


def fill(rig, number):
    tenant = rig.simulation.world.tenant("acme")
    for each in range(number):
        first = tenant.endpoints[agent_id(FIRST)]
        tenant.add_endpoint(type(first)(agent_id(f"more-{each}"), f"more-{each}", groups=["g1"]))


def test_a_listing_that_breaks_off_is_a_fault(rig):
    rows = [{"endpoint_id": agent_id(FIRST), "endpoint_name": FIRST, "group_name": ["Remediate"]}]
    says(rig, "*/get_endpoint", {"total_count": 3, "result_count": 1, "endpoints": rows})
    with pytest.raises(VendorFault, match="ended at 1 of 3"):
        list(rig.adapter.members("Remediate"))


def test_the_sister_call_of_another_shape_is_not_taken_for_a_list_of_endpoints(rig):
    says(rig, "*/get_endpoint", [{"agent_id": agent_id(FIRST)}])
    with pytest.raises(VendorFault, match="no list"):
        rig.adapter.endpoint(agent_id(FIRST))
