"""How Carbon Black EDR bans: one md5 per row, and groups that may not enforce it."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.errors import Unsupported, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import FileHash
from ar_workers.simulator import Fault
from tests.builders import a_hash_ban, sha256
from tests.edr.carbon_black_edr.building import MD5, NOTHING, a_ban
from tests.edr.rigs.carbon_black_edr import carbon_black_edr


def evidence(rig, ban):
    return rig.adapter.observe(ban, None).evidence


def test_a_hash_without_md5_is_refused_before_any_request(rig):
    with pytest.raises(Unsupported, match="md5"):
        rig.adapter.observe(a_hash_ban(sha256=sha256("evil")), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("answer", [404, 409])
@pytest.mark.parametrize("words", ["text", "json"])
def test_a_hash_that_is_not_banned_is_shown_in_either_way(answer, words):
    with carbon_black_edr(unknown_ban=answer, refusals=words) as rig:
        assert rig.adapter.observe(a_ban(), None).sight is Sight.ABSENT


@pytest.mark.parametrize("words", ["text", "json"])
def test_a_duplicate_ban_is_left_to_the_next_look(words):
    with carbon_black_edr(refusals=words) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        receipt = rig.adapter.perform(a_ban(), NOTHING)
        assert receipt.detail == {"conflict": "409"}
        assert rig.adapter.observe(a_ban(), receipt).sight is Sight.PRESENT


def test_a_lifted_ban_is_not_so_and_is_enabled_again(rig):
    rig.adapter.perform(a_ban(), NOTHING)
    rig.simulation.world.tenant("acme").iocs[MD5]["enabled"] = False
    seen = rig.adapter.observe(a_ban(), None)
    assert (seen.sight, seen.evidence) == (Sight.ABSENT, "on the ban list, and not enabled")
    rig.adapter.perform(a_ban(), seen)
    assert rig.adapter.observe(a_ban(), None).sight is Sight.PRESENT


def test_the_evidence_names_the_groups_that_do_not_enforce_a_ban():
    with carbon_black_edr(banning=("1",)) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()) == (
            "on the ban list, enabled, but not enforced in these sensor groups, whose banning is switched off: remediate"
        )
    with carbon_black_edr(banning=("1", "2")) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()) == "on the ban list, enabled"


def test_the_evidence_says_that_the_server_does_not_ban_at_all():
    with carbon_black_edr(banning_enabled=False) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()).endswith("nothing is blocked: banning is switched off on the server")


def test_the_evidence_says_that_the_switches_cannot_be_read(rig):
    rig.adapter.perform(a_ban(), NOTHING)
    rig.simulation.faults.add(Fault(action="reply", status=403, path="/api/v3/group"))
    fact = rig.adapter.observe(a_ban(), None)
    assert (fact.sight, "may not read" in fact.evidence) == (Sight.PRESENT, True)


def test_a_ban_of_another_hash_says_nothing_of_this_one(rig):
    body = json.dumps({"md5hash": "a" * 32, "enabled": True})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/api/v1/banning/*"))
    with pytest.raises(VendorFault):
        rig.adapter.observe(a_ban(), None)


def test_a_ban_takes_the_md5_even_where_better_hashes_are_known(rig):
    ban = a_hash_ban().model_copy(update={"hash": FileHash(sha256=sha256("evil"), md5=MD5.upper())})
    rig.adapter.perform(ban, rig.adapter.observe(ban, None))
    assert rig.effects() == [("ban_hash", MD5)]
