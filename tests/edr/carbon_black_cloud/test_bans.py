"""How Carbon Black Cloud bans: overrides of one hash type, and rows that are not the ban that is meant."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import Unsupported, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.simulator import Fault
from tests.edr.carbon_black_cloud.building import ASKED
from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud


def overrides(rig):
    return rig.simulation.world.tenant("acme").iocs


@pytest.mark.parametrize("style", ["row", 409, 400])
def test_a_second_override_is_one_ban_whatever_the_vendor_does(style):
    with carbon_black_cloud(second_override=style) as rig:
        ban = rig.action("ban_hash")
        rig.adapter.perform(ban, ASKED)
        again = rig.adapter.perform(ban, ASKED)
        assert again.detail == ({"made": "1"} if style == "row" else {"conflict": str(style)})
        assert rig.adapter.observe(ban, again).sight is Sight.PRESENT
        assert len(rig.effects()) == 1


def test_an_approval_of_the_hash_is_left_to_a_person(rig):
    ban = rig.action("ban_hash")
    row = {"id": "f" * 32, "override_list": "WHITE_LIST", "override_type": "SHA256", "sha256_hash": ban.hash.sha256.upper()}
    overrides(rig)[row["id"]] = row
    fact = rig.adapter.observe(ban, None)
    assert (fact.sight, "a person must decide" in fact.evidence) == (Sight.MISMATCH, True)


def test_an_override_that_only_mentions_the_hash_is_not_its_ban(rig):
    ban = rig.action("ban_hash")
    row = {
        "id": "f" * 32,
        "override_list": "BLACK_LIST",
        "override_type": "SHA256",
        "sha256_hash": "a" * 64,
        "description": ban.hash.sha256,
    }
    overrides(rig)[row["id"]] = row
    assert rig.adapter.observe(ban, None).sight is Sight.ABSENT


def test_overrides_are_read_to_the_last_page(rig):
    ban = rig.action("ban_hash")
    for number in range(250):
        row = {"override_list": "BLACK_LIST", "override_type": "SHA256", "sha256_hash": f"{number:064x}", "description": ban.hash.sha256}
        overrides(rig)[str(number)] = {"id": str(number), **row}
    rig.adapter.perform(ban, ASKED)
    assert rig.adapter.observe(ban, None).sight is Sight.PRESENT


def test_a_hash_without_sha256_is_refused_before_any_request(rig):
    ban = rig.action("ban_hash")
    ban = ban.model_copy(update={"hash": ban.hash.model_copy(update={"sha256": None})})
    with pytest.raises(Unsupported, match="sha256 only"):
        rig.adapter.observe(ban, None)
    assert rig.simulation.journal.requests() == []


def test_an_error_within_a_200_is_an_error(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"errorMessage":"internal"}', path="*/overrides/*"))
    with pytest.raises(VendorFault, match="internal"):
        rig.adapter.observe(rig.action("ban_hash"), None)
