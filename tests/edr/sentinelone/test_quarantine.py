"""Quarantine by SentinelOne: only the threat of this file is mitigated, and its own report proves it."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.errors import Denied, OutcomeUnknown, Unsupported
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import File
from ar_workers.edr.sentinelone.threats import quarantine_fact, threat_of
from ar_workers.simulator import Fault
from tests.builders import EVIL, hash_of, sha256
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.sentinelone import a_threat_of, sentinelone
from tests.edr.sentinelone.building import RECORDED, performed


def test_only_the_threat_of_this_endpoint_is_mitigated(rig):
    _, receipt = performed(rig, "quarantine_file")
    assert receipt.reference == "3000000000000000001"
    assert rig.written()[0]["body"]["filter"] == {"ids": ["3000000000000000001"]}


@pytest.mark.parametrize(
    "info", [{"sha256": None, "sha1": None}, {"sha256": sha256("other")}, {"filePath": r"C:\other.exe"}], ids=["null", "hash", "path"]
)
def test_a_threat_that_is_not_surely_of_this_file_is_not_mitigated(info):
    with sentinelone(alerts=[a_threat_of(FIRST, EVIL, 1, **info)]) as rig:
        with pytest.raises(Unsupported, match="shows none"):
            performed(rig, "quarantine_file")
        assert rig.written() == []


def test_a_device_path_is_the_path_on_its_drive():
    shown = "\\Device\\HarddiskVolume3" + EVIL[2:].upper()
    with sentinelone(alerts=[a_threat_of(FIRST, EVIL, 1, filePath=shown)]) as rig:
        assert rig.adapter.observe(rig.action("quarantine_file"), None).sight is Sight.ABSENT


def test_without_a_hash_no_threat_is_meant(rig):
    file = rig.action("quarantine_file").file.model_copy(update={"sha256": None})
    with pytest.raises(Unsupported, match="SHA-256"):
        performed(rig, "quarantine_file", file=file)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("report", ["at_once", "late"])
def test_an_old_report_is_no_answer_to_a_new_order(report):
    threat = a_threat_of(FIRST, EVIL, 1)
    threat["mitigationStatus"] = [{"action": "quarantine", "status": "failed", "lastUpdate": "2026-11-01T00:00:00Z"}]
    with sentinelone(alerts=[threat], mitigation_report=report) as rig:
        action, receipt = performed(rig, "quarantine_file")
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        assert rig.settled(action, receipt).sight is Sight.PRESENT


def test_a_success_that_found_no_file_is_a_refusal(rig):
    rig.simulation.world.endpoint("acme", rig.agent_id(FIRST)).files.clear()
    action, receipt = performed(rig, "quarantine_file")
    fact = rig.settled(action, receipt)
    assert (fact.sight, "1 not found" in fact.evidence) == (Sight.REFUSED, True)


@pytest.mark.parametrize(("fact", "sight"), [("needs_reboot", Sight.PENDING), ("quarantine_fails", Sight.REFUSED)])
def test_a_quarantine_that_did_not_come_through_is_not_so(rig, fact, sight):
    rig.simulation.world.endpoint("acme", rig.agent_id(FIRST)).facts[fact] = True
    action, receipt = performed(rig, "quarantine_file")
    assert rig.settled(action, receipt, looks=2).sight is sight


def test_a_quarantine_that_was_undone_is_not_so():
    reports = [
        {
            "action": "quarantine",
            "status": "success",
            "lastUpdate": "2026-11-01T00:00:00Z",
            "actionsCounters": {"success": 1, "notFound": 0},
        },
        {"action": "unquarantine", "status": "success", "lastUpdate": "2026-11-02T00:00:00Z"},
    ]
    assert [quarantine_fact({"mitigationStatus": reports[:end]}).sight for end in (1, 2)] == [Sight.PRESENT, Sight.ABSENT]
    assert quarantine_fact({"mitigationStatus": None}).sight is Sight.ABSENT


def test_a_quarantine_whose_answer_was_lost_is_found_by_its_report(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "quarantine_file")
    rig.simulation.faults.clear()
    action = rig.action("quarantine_file")
    assert rig.adapter.observe(action, None).sight is Sight.PENDING
    assert rig.settled(action, None).sight is Sight.PRESENT


def test_a_threat_that_vanished_after_the_order_is_no_skip(rig):
    action, receipt = performed(rig, "quarantine_file")
    rig.simulation.world.tenant("acme").alerts.clear()
    rig.simulation.world.tenant("acme").facts["mitigations"] = []
    with pytest.raises(Denied, match="no longer shows threat"):
        rig.adapter.observe(action, receipt)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_a_recorded_threat_of_the_older_shape_is_nobodys(rig):
    (row,) = json.loads((RECORDED / "threats.json").read_text())["data"]
    assert not threat_of(row, rig.action("quarantine_file"))
    assert quarantine_fact(row).sight is Sight.ABSENT


def test_a_threat_that_knows_a_sha1_and_a_device_path_alone_is_mitigated_by_its_id():
    shown = "\\Device\\HarddiskVolume3" + EVIL[2:]
    with sentinelone(alerts=[a_threat_of(FIRST, EVIL, 1, sha256=None, filePath=shown)]) as rig:
        file = File(path=shown, sha1=hash_of("sha1", EVIL))
        action, receipt = performed(rig, "quarantine_file", file=file)
        assert rig.written()[0]["body"]["filter"] == {"ids": ["3000000000000000001"]}
        assert rig.settled(action, receipt).sight is Sight.PRESENT
        assert rig.effects() == [("quarantine_file", shown)]


@pytest.mark.parametrize("file", [{"sha1": "a" * 40}, {"sha1": hash_of("sha1", EVIL), "sha256": sha256("other")}], ids=["other", "at odds"])
def test_where_two_hashes_are_known_both_must_agree(file):
    with sentinelone() as rig, pytest.raises(Unsupported, match="shows none"):
        performed(rig, "quarantine_file", file=File(path=EVIL, **file))
