"""The twin speaks Falcon: proved with the vendor's toolkit, which pages and batches in ways of its own."""

from __future__ import annotations

import pytest
from caracara import Client

from tests.builders import agent_id
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.crowdstrike import crowdstrike

AID, OTHER = agent_id(FIRST), agent_id(NEIGHBOUR)


@pytest.fixture
def rig():
    """It expects `errors` in every answer."""
    with crowdstrike(strict=False, empty_errors="list") as found:
        yield found


@pytest.fixture
def falcon(rig):
    with Client(client_id="the-client", client_secret="canary-secret", cloud_name=rig.simulation.twins["crowdstrike"].url) as found:
        yield found


@pytest.fixture
def first(falcon):
    """The filter that finds the first endpoint."""
    found = falcon.FalconFilter(dialect="hosts")
    found.create_new_filter("Hostname", FIRST)
    return found


def test_it_stays_at_the_address_at_which_it_logged_in_and_leaves_no_token_behind(rig):
    url = rig.simulation.twins["crowdstrike"].url
    with Client(client_id="the-client", client_secret="canary-secret", cloud_name=url) as falcon:
        assert falcon.api_authentication.base_url == url
    assert [each["status"] for each in rig.simulation.journal.requests(path="/oauth2/revoke")] == [200]


def test_hosts_are_scrolled_filtered_and_described(falcon, first):
    assert set(falcon.hosts.get_device_ids()) == {AID, OTHER}
    assert falcon.hosts.get_device_ids(first) == [AID]
    described = falcon.hosts.describe_devices(first, enrich_with_online_state=True)
    assert {name: (each["hostname"], each["state"]) for name, each in described.items()} == {AID: (FIRST, "online")}


def test_a_host_is_contained_and_released(rig, falcon, first):
    assert [each["id"] for each in falcon.hosts.contain(first)] == [AID]
    assert falcon.hosts.describe_devices(first)[AID]["status"] == "containment_pending"
    rig.simulation.clock.advance(61)
    assert falcon.hosts.describe_devices(first)[AID]["status"] == "contained"
    falcon.hosts.release(first)
    assert rig.effects() == [("isolate", AID), ("release", AID)]


def test_groups_are_described_with_their_members(falcon):
    assert {each["name"] for each in falcon.hosts.describe_groups().values()} == {"Remediate", "remediate"}
    members = falcon.hosts.describe_group_member_ids("id:'g1'")
    assert {group: set(ids) for group, ids in members.items()} == {"g1": {AID, OTHER}}


def test_a_batch_of_hosts_is_commanded(rig, falcon):
    session = falcon.rtr.batch_session()
    assert session.connect([AID, OTHER])
    assert {aid: "4711" in each["stdout"] for aid, each in session.run_generic_command("ps").items()} == {AID: True, OTHER: True}
    session.run_generic_command("kill 4711", device_ids=[AID])
    session.refresh_sessions()
    assert rig.effects() == [("kill_process", "4711")]


@pytest.mark.parametrize("limit", ["1", "2"])
def test_what_is_scrolled_has_no_end_and_an_empty_offset_behind_it(falcon, limit):
    ids, offset = [], None
    while offset != "":
        body = falcon.hosts.hosts_api.query_devices_by_filter_scroll(limit=limit, offset=offset)["body"]
        ids += body["resources"]
        offset = body["meta"]["pagination"]["offset"]
    assert sorted(ids) == sorted([AID, OTHER])
