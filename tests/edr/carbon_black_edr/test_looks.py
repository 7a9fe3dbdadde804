"""What Live Response shows of processes, files and keys, and that only the ones meant are touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, Unreadable, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import RegistryKey
from ar_workers.edr.carbon_black_edr.live_response import registry_order
from ar_workers.simulator import Fault
from tests.builders import EVIL, a_delete, a_key_deletion, a_kill, sha256
from tests.edr import quoting
from tests.edr.carbon_black_edr.building import SEVEN, twin_endpoint
from tests.edr.rigs.carbon_black_edr import carbon_black_edr

STARTED = datetime(2024, 1, 1, tzinfo=UTC)


def test_a_key_with_keys_below_it_may_go_with_them():
    with carbon_black_edr(sub_keys="deleted") as rig:
        twin_endpoint(rig).registry[r"HKLM\Software\Evil\Below"] = {}
        action = a_key_deletion(SEVEN)
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


@pytest.mark.parametrize("codes", ["hresult", "errno"])
def test_a_missing_folder_is_read_in_either_way(codes):
    path = "/Users/robin/nowhere/evil"
    with carbon_black_edr(OS.MACOS, posix_errors=codes) as rig:
        action = a_delete(SEVEN.model_copy(update={"os": OS.MACOS}), path=path)
        assert rig.adapter.observe(action, None).sight is Sight.PRESENT


@pytest.mark.parametrize(
    ("process", "sight"),
    [
        ({}, Sight.ABSENT),
        ({"sha256": None}, Sight.ABSENT),
        ({"sha256": None, "image_path": None, "started_at": STARTED}, Sight.ABSENT),
        ({"image_path": r"C:\other.exe"}, Sight.ABSENT),
        ({"image_path": r"C:\other.exe", "sha256": None}, Sight.MISMATCH),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
        ({"started_at": STARTED + timedelta(seconds=5)}, Sight.MISMATCH),
        ({"pid": 9999}, Sight.PRESENT),
    ],
)
def test_a_process_is_killed_only_if_content_and_start_agree_and_a_hash_outweighs_a_name(rig, process, sight):
    assert rig.adapter.observe(a_kill(SEVEN, **process), None).sight is sight


def test_a_process_whose_image_cannot_be_fetched_is_confirmed_by_its_start_or_not_at_all(rig):
    twin_endpoint(rig).files.clear()
    with pytest.raises(Unreadable):
        rig.adapter.observe(a_kill(SEVEN), None)
    assert rig.adapter.observe(a_kill(SEVEN, started_at=STARTED), None).sight is Sight.ABSENT


def test_a_process_whose_image_is_not_shown_is_confirmed_by_nothing(rig):
    """The file that the order names says nothing about the process that has the pid."""
    twin_endpoint(rig).processes[0].path = ""
    for process in ({}, {"started_at": STARTED}, {"image_path": None, "sha256": None, "started_at": STARTED}):
        fact = rig.adapter.observe(a_kill(SEVEN, **process), None)
        assert (fact.sight, "not shown" in fact.evidence) == (Sight.MISMATCH, True)


def test_an_empty_list_of_processes_is_no_proof_of_anything(rig):
    body = json.dumps({"id": 1, "status": "complete", "result_code": 0, "processes": []})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, method="GET", path="/api/v1/cblr/session/*/command/*"))
    with pytest.raises(VendorFault, match="empty"):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_another_file_at_the_path_is_no_target(rig):
    assert rig.adapter.observe(a_delete(SEVEN, sha256=sha256("other")), None).sight is Sight.MISMATCH


def test_a_file_of_any_content_is_meant_where_no_hash_is_known(rig):
    assert rig.adapter.observe(a_delete(SEVEN, sha256=None), None).sight is Sight.ABSENT
    assert "get file" not in str(rig.simulation.journal.requests())


def test_a_large_file_is_confirmed_without_being_kept(rig):
    content = "x" * (2**24 + 1)
    twin_endpoint(rig).facts["contents"] = {EVIL: content}
    assert rig.adapter.observe(a_delete(SEVEN, sha256=sha256(content)), None).sight is Sight.ABSENT
    assert rig.adapter.observe(a_delete(SEVEN), None).sight is Sight.MISMATCH


def test_a_folder_at_the_path_is_no_target(rig):
    action = a_delete(SEVEN, path=EVIL.rpartition("\\")[0], sha256=None)
    assert rig.adapter.observe(action, None).evidence == "a folder is at that path"


def test_upper_and_lower_case_are_one_on_windows(rig):
    assert rig.adapter.observe(a_delete(SEVEN, path=EVIL.upper(), sha256=sha256(EVIL)), None).sight is Sight.ABSENT


@pytest.mark.parametrize("path", ["C:\\Temp\\EVIL~1.EXE", "C:\\PROGRA~1\\x.exe", "C:\\Temp\\evil.exe.", "C:\\Temp\\*", "evil.exe", "C:\\"])
def test_a_path_that_a_folders_list_does_not_show_is_refused_before_any_request(rig, path):
    with pytest.raises(Denied):
        rig.adapter.observe(a_delete(SEVEN, path=path), None)
    assert rig.simulation.journal.requests() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = a_key_deletion(SEVEN, value="A")
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT
    assert twin_endpoint(rig).registry == {r"HKLM\Software\Evil": {"b": "2"}}


def test_a_value_whose_name_would_reach_into_another_key_is_refused():
    with pytest.raises(Denied, match="backslash"):
        registry_order(RegistryKey(key=r"HKLM\Software\Evil", value=r"Microsoft\Run"))


@given(st.text(alphabet=st.sampled_from(quoting.ALPHABET), max_size=40))
def test_no_path_becomes_another_command_or_a_wider_one(path):
    quoting.carbon_black_edr(path)


def test_the_twin_would_show_a_wider_command(rig):
    """The control of the test above: a value's name with a backslash, let through, does reach another key."""
    twin_endpoint(rig).registry[r"HKLM\Software\Good\Sub"] = {"v": "1"}
    shell = rig.adapter._shell(SEVEN)
    order = registry_order(RegistryKey(key=r"HKLM\Software\Good", value="x"))
    shell.act(order._replace(target=r"HKLM\Software\Good" + "\\" + r"Sub\v"))
    assert twin_endpoint(rig).registry[r"HKLM\Software\Good\Sub"] == {}
