"""What an adapter takes back is what we made, and nothing else."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import mark_of
from ar_workers.domain.capabilities import Means
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import Denied, Unsupported
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.undo import taken_back
from ar_workers.domain.verbs import UNDOES, VERBS
from ar_workers.edr import ADAPTERS
from tests.builders import sha256

from .rigs import RIGS
from .rigs.carbon_black_cloud import carbon_black_cloud
from .rigs.cortex_xdr import cortex_xdr

CELLS = {(cell.edr, cell.verb) for each in ADAPTERS.values() for cell in each.adapter.capabilities() if cell.means is not Means.NONE}
BANS = sorted((vendor, verb) for vendor, verb in CELLS if verb in {"ban_hash", "ban_domain"})
#: Whose rows carry a text of ours.
MARKED = [(vendor, verb) for vendor, verb in BANS if vendor is not Vendor.CORTEX_XDR]


def undo_of(order, receipt=None):
    return taken_back(order, by="kim", receipt=receipt)


def undone(rig, undo):
    """What is seen at the end."""
    seen = rig.adapter.observe(undo, None)
    return rig.settled(undo, rig.adapter.perform(undo, seen))


def test_every_edr_can_undo_what_it_can_do_or_says_why_not():
    silent = [
        (vendor, verb)
        for vendor, verb in CELLS
        if (undo := VERBS[verb].undo) and (vendor, undo) not in CELLS and undo not in ADAPTERS[vendor].adapter.no_undo
    ]
    assert silent == []


@pytest.mark.parametrize(("vendor", "ban"), BANS)
def test_what_somebody_else_has_banned_stays(vendor, ban):
    with RIGS[vendor]() as rig:
        rig.done(ban, customer="globex")
        seen = rig.adapter.observe(undo_of(rig.action(ban)), None)
        assert seen.sight is Sight.MISMATCH
        assert "stays" in seen.evidence
        assert rig.written() == []


@pytest.mark.parametrize(("vendor", "ban"), BANS)
def test_an_id_that_we_were_not_given_for_something_new_makes_nothing_ours(vendor, ban):
    with RIGS[vendor]() as rig:
        _, receipt = rig.done(ban, customer="globex")
        undo = undo_of(rig.action(ban), Receipt(reference=receipt.reference))
        assert rig.adapter.observe(undo, None).sight is Sight.MISMATCH


@pytest.mark.parametrize(("vendor", "ban"), MARKED)
def test_a_ban_of_ours_whose_receipt_was_lost_is_known_by_its_mark(vendor, ban):
    with RIGS[vendor]() as rig:
        order, _ = rig.done(ban)
        assert undone(rig, undo_of(order)).sight is Sight.PRESENT
        assert [verb for verb, _ in rig.effects()] == [VERBS[ban].undo]


@pytest.mark.parametrize(("vendor", "ban"), [each for each in MARKED if each[0] is not Vendor.CARBON_BLACK_EDR])
def test_a_ban_of_ours_that_somebody_has_described_anew_is_known_by_its_id(vendor, ban):
    with RIGS[vendor]() as rig:
        order, receipt = rig.done(ban)
        (row,) = rig.simulation.world.tenant("acme").iocs.values()
        row["description"] = "seen by the SOC"
        assert undone(rig, undo_of(order, receipt)).sight is Sight.PRESENT


@pytest.mark.parametrize(("vendor", "ban"), BANS)
def test_what_was_unbanned_can_be_banned_anew(vendor, ban):
    with RIGS[vendor]() as rig:
        order, receipt = rig.done(ban)
        assert undone(rig, undo_of(order, receipt)).sight is Sight.PRESENT
        rig.done(ban)


@pytest.mark.parametrize(("vendor", "ban"), [each for each in MARKED if each[0] is not Vendor.CARBON_BLACK_EDR])
def test_an_order_that_names_nothing_deletes_nothing(vendor, ban):
    with RIGS[vendor]() as rig:
        rig.done(ban)
        with pytest.raises(Denied):
            rig.adapter.perform(undo_of(rig.action(ban)), Fact(sight=Sight.ABSENT))
        assert rig.written() == []


@pytest.mark.parametrize(("vendor", "ban"), [each for each in MARKED if each[0] in {Vendor.CROWDSTRIKE, Vendor.DEFENDER}])
def test_what_somebody_has_made_an_exception_of_since_is_theirs(vendor, ban):
    with RIGS[vendor]() as rig:
        order, receipt = rig.done(ban)
        (row,) = rig.simulation.world.tenant("acme").iocs.values()
        row["action"] = "Allowed" if vendor is Vendor.DEFENDER else "allow"
        assert rig.adapter.observe(undo_of(order, receipt), None).sight is Sight.PRESENT
        assert rig.written() == []


@pytest.mark.parametrize(("vendor", "ban"), MARKED)
def test_what_is_gone_already_is_asked_of_nobody(vendor, ban):
    with RIGS[vendor]() as rig:
        assert rig.adapter.observe(undo_of(rig.action(ban)), None).sight is Sight.PRESENT
        assert rig.written() == []


def a_falcon_row(ban):
    value = {"type": "sha256", "value": sha256("evil"), "action": "detect"} if ban == "ban_hash" else None
    value = value or {"type": "domain", "value": "evil.example", "action": "detect", "applied_globally": False}
    return {"id": "7" * 64, "platforms": ["windows"], "applied_globally": True, "severity": "high", "created_by": "sam", **value}


def a_defender_row(ban):
    kind, value = ("FileSha256", sha256("evil")) if ban == "ban_hash" else ("DomainName", "evil.example")
    words = {"title": "Watched", "description": "by the SOC", "createdBy": "sam", "creationTimeDateTimeUtc": "2026-11-01T00:00:00Z"}
    return {"id": "7", "indicatorType": kind, "indicatorValue": value, "action": "Audit", "rbacGroupNames": [], **words}


@pytest.mark.parametrize("ban", ["ban_hash", "ban_domain"])
@pytest.mark.parametrize(("vendor", "row"), [("crowdstrike", a_falcon_row), ("defender", a_defender_row)])
def test_an_indicator_that_stood_before_and_was_changed_stays_and_it_is_told_what_it_was(vendor, row, ban):
    with RIGS[vendor]() as rig:
        stood = row(ban)
        rig.simulation.world.tenant("acme").iocs[stood["id"]] = stood
        order, receipt = rig.done(ban)
        for undo in (undo_of(order), undo_of(order, receipt)):
            assert rig.adapter.observe(undo, None).sight is Sight.MISMATCH
        assert f"before, {receipt.detail['was']}" in rig.adapter.observe(undo, None).evidence
        assert mark_of(order) not in str(rig.simulation.world.tenant("acme").iocs)


def test_of_two_overrides_ours_is_deleted_and_the_other_one_is_told():
    with carbon_black_cloud(second_override="row") as rig:
        order, receipt = rig.done("ban_hash")
        rig.adapter.perform(rig.action("ban_hash").model_copy(update={"customer": "globex"}), None)
        fact = undone(rig, undo_of(order, receipt))
        assert fact.sight is Sight.PRESENT
        assert "not made by us, so it stays" in fact.evidence
        (left,) = rig.simulation.world.tenant("acme").iocs.values()
        assert left["description"] == mark_of(order.model_copy(update={"customer": "globex"}))


def test_both_of_two_overrides_of_ours_go_by_one_order():
    with carbon_black_cloud(second_override="row") as rig:
        order, receipt = rig.done("ban_hash")
        rig.adapter.perform(order, None)
        rig.forget()
        assert undone(rig, undo_of(order, receipt)).sight is Sight.PRESENT
        assert len(rig.written()) == 1
        assert rig.simulation.world.tenant("acme").iocs == {}


def test_every_entry_of_ours_goes_whatever_its_system():
    with RIGS["sentinelone"]() as rig:
        order, _ = rig.done("ban_hash")
        rig.done("ban_hash", because=(rig.endpoint(OS.MACOS),))
        assert undone(rig, undo_of(order)).sight is Sight.PRESENT
        assert len(rig.written()) == 1
        assert rig.simulation.world.tenant("acme").iocs == {}


@pytest.mark.parametrize("is_shown", [True, False])
def test_what_somebody_has_taken_off_cortexs_list_meanwhile_is_no_failure(is_shown):
    route = "/public_api/v1/hash_exceptions/blocklist/get"
    more = {"blocklist_route": route, "config": {"blocklist_route": route}} if is_shown else {}
    with cortex_xdr(**more) as rig:
        order, receipt = rig.done("ban_hash")
        undo = undo_of(order, receipt)
        seen = rig.adapter.observe(undo, None)
        assert seen.sight is (Sight.ABSENT if is_shown else Sight.UNKNOWABLE)
        rig.simulation.world.tenant("acme").iocs.clear()
        assert rig.settled(undo, rig.adapter.perform(undo, seen)).sight is Sight.PRESENT


def test_where_no_file_is_given_back_it_is_said_how_else():
    with RIGS["defender"]() as rig, pytest.raises(Unsupported, match="MpCmdRun -Restore"):
        rig.adapter.observe(rig.action("unquarantine_file"), None)


@pytest.mark.parametrize("vendor", sorted(vendor for vendor, verb in CELLS if verb == "unquarantine_file"))
def test_a_file_that_is_in_no_quarantine_is_given_back_by_nobody(vendor):
    with RIGS[vendor]() as rig:
        assert rig.adapter.observe(rig.action("unquarantine_file"), None).sight is Sight.PRESENT
        assert rig.written() == []


def test_every_undo_that_an_edr_has_is_one_of_what_it_can_do():
    assert [(vendor, verb) for vendor, verb in CELLS if verb in UNDOES and (vendor, UNDOES[verb]) not in CELLS] == []
