"""Hosts and their containment, which is slower than its answer."""

from __future__ import annotations

import pytest

from tests.simulator.worlds import AID, DEVICES, OTHER, falcon


def test_a_containment_is_pending_until_the_next_check_in(acme):
    assert acme.contain(AID).status == 202
    assert acme.status() == "containment_pending"
    acme.simulation.clock.advance(6)
    assert acme.status() == "contained"


def test_a_containment_waits_for_an_offline_host(acme):
    acme.simulation.world.change("acme", AID, online=False)
    assert acme.contain(AID).status == 202
    acme.simulation.clock.advance(3 * 86400)
    assert acme.status() == "containment_pending"
    acme.simulation.world.change("acme", AID, online=True)
    acme.simulation.clock.advance(6)
    assert acme.status() == "contained"


def test_a_host_that_goes_offline_sticks_in_pending(acme):
    acme.contain(AID)
    acme.simulation.world.change("acme", AID, online=False)
    acme.simulation.clock.advance(600)
    assert acme.status() == "containment_pending"


def test_a_repeated_containment_conflicts_and_changes_nothing(acme):
    acme.contain(AID)
    assert acme.contain(AID).codes == [409]
    assert acme.effects() == [("isolate", AID, True), ("isolate", AID, False)]


def test_good_and_bad_ids_share_one_accepted_answer(acme):
    answer = acme.contain(AID, "0" * 32)
    assert (answer.status, [one["id"] for one in answer.resources], answer.codes) == (202, [AID], [404])


@pytest.mark.parametrize(("style", "status"), [("straight_back", 202), ("conflict", 409)])
def test_a_release_of_a_pending_containment_is_a_switch(style, status):
    with falcon(pending_reversal=style) as acme:
        acme.contain(AID)
        assert acme.contain(AID, action="lift_containment").status == status


def test_a_human_may_release_behind_the_programs_back(acme):
    acme.contain(AID)
    acme.simulation.clock.advance(6)
    acme.simulation.world.change("acme", AID, status="normal")
    assert acme.status() == "normal"
    assert len(acme.simulation.journal.effects()) == 1


def test_a_hostname_may_belong_to_two_hosts(acme):
    assert acme.call("GET", DEVICES, filter="hostname:'PC-1'").resources == [AID, OTHER]
    assert acme.call("GET", DEVICES, filter="hostname:'PC-1'+platform_name:'Linux'").resources == [OTHER]


def test_a_decommissioned_host_is_not_found(acme):
    acme.simulation.world.change("acme", AID, decommissioned=True)
    assert acme.contain(AID).status == 404
    assert acme.call("GET", DEVICES).resources == [OTHER]


@pytest.mark.parametrize(("style", "hits"), [("exact", 0), ("folded", 1), ("partial", 1)])
def test_how_a_group_name_matches_is_a_switch(style, hits):
    with falcon(name_match=style) as acme:
        assert len(acme.call("GET", "/devices/combined/host-groups/v1", filter="name:'remediate'").resources) == hits


@pytest.mark.parametrize("wrong", ["hostname:", "nonsense:'x'", "hostname:'x'+", "(hostname:'x'"])
def test_a_filter_that_cannot_be_read_is_refused(acme, wrong):
    assert acme.call("GET", DEVICES, filter=wrong).status == 400


def test_devices_come_page_by_page(acme):
    first = acme.call("GET", "/devices/combined/devices/v1", limit=1)
    token = first.body["meta"]["pagination"]["next"]
    second = acme.call("GET", "/devices/combined/devices/v1", limit=1, offset=token)
    assert [first.resources[0]["device_id"], second.resources[0]["device_id"]] == [AID, OTHER]
    assert "next" not in second.body["meta"]["pagination"]


def test_an_ioc_filter_overrides_the_ids_of_a_deletion(acme):
    path = "/iocs/entities/indicators/v1"
    row = {"type": "domain", "action": "detect", "severity": "high", "platforms": ["linux"], "applied_globally": True}
    made = [acme.call("POST", path, {"indicators": [{**row, "value": name}]}).resources[0]["id"] for name in ("a.example", "b.example")]
    gone = acme.call("DELETE", path, ids=made[0], filter="value:'b.example'")
    assert gone.resources == [made[1]]


@pytest.mark.parametrize(("style", "kept"), [("rejects_batch", 0), ("rejects_row", 1)])
def test_what_a_bad_row_spoils_is_a_switch(style, kept):
    row = {"type": "domain", "value": "a.example", "action": "detect", "severity": "high", "platforms": ["mac"], "applied_globally": True}
    with falcon(bad_row=style) as acme:
        acme.call("POST", "/iocs/entities/indicators/v1", {"indicators": [row, {**row, "action": "prevent"}]})
        assert len(acme.simulation.world.tenant("acme").iocs) == kept
