"""What a shell that hashes nothing shows of processes, files and keys, and that only the ones meant are touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.actions import DeleteFile, DeleteRegistryKey
from ar_workers.domain.errors import Denied, Unreadable, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import File, RegistryKey
from ar_workers.edr.carbon_black_cloud.evidence import started_at
from ar_workers.edr.carbon_black_cloud.live_response import SESSIONS
from ar_workers.simulator import Fault
from tests.builders import EVIL, sha256
from tests.edr import quoting
from tests.edr.carbon_black_cloud.building import a_kill, acted, first, on
from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud

KEY = r"HKLM\Software\Evil"
STARTED = datetime(2024, 1, 1, tzinfo=UTC)


def a_delete(rig, **file):
    return DeleteFile(**on(rig), file=File(**({"path": EVIL, "sha256": sha256(EVIL)} | file)))


def a_key_deletion(rig, **registry):
    return DeleteRegistryKey(**on(rig), registry=RegistryKey(**({"key": KEY} | registry)))


@pytest.mark.parametrize("fields", ["prefixed", "plain"])
@pytest.mark.parametrize("unit", ["seconds", "milliseconds", "filetime", "iso"])
def test_a_process_is_confirmed_by_its_start_however_that_is_written(fields, unit):
    with carbon_black_cloud(process_fields=fields, process_time=unit) as rig:
        meant = a_kill(rig, image_path=None, sha256=None, started_at=STARTED)
        later = a_kill(rig, image_path=None, sha256=None, started_at=STARTED + timedelta(minutes=1))
        assert rig.adapter.observe(meant, None).sight is Sight.ABSENT
        assert rig.adapter.observe(later, None).sight is Sight.MISMATCH


@pytest.mark.parametrize("value", [None, "soon", True, [], -(10**30), 10**40])
def test_a_start_that_cannot_be_read_confirms_nothing(value):
    assert started_at(value) is None


@pytest.mark.parametrize(
    ("process", "sight"),
    [
        ({}, Sight.ABSENT),
        ({"image_path": None}, Sight.ABSENT),
        ({"sha256": None}, Sight.ABSENT),
        ({"pid": 9999}, Sight.PRESENT),
        ({"image_path": r"C:\other.exe"}, Sight.ABSENT),
        ({"image_path": r"C:\other.exe", "sha256": None}, Sight.MISMATCH),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
    ],
)
def test_a_pid_is_killed_only_if_its_image_is_the_one_that_is_meant(rig, process, sight):
    assert rig.adapter.observe(a_kill(rig, **process), None).sight is sight


def test_a_process_whose_image_is_gone_is_confirmed_by_nothing_but_its_start(rig):
    first(rig).files.clear()
    with pytest.raises(Unreadable):
        rig.adapter.observe(a_kill(rig), None)
    assert rig.adapter.observe(a_kill(rig, started_at=STARTED), None).sight is Sight.ABSENT


def test_a_process_whose_image_is_not_shown_is_confirmed_by_nothing(rig):
    first(rig).processes[0].path = ""
    for process in ({"image_path": None, "started_at": STARTED}, {"image_path": None, "sha256": None, "started_at": STARTED}):
        fact = rig.adapter.observe(a_kill(rig, **process), None)
        assert (fact.sight, "not shown" in fact.evidence) == (Sight.MISMATCH, True)


def test_an_empty_list_of_processes_proves_nothing(rig):
    body = '{"id": 1, "status": "complete", "processes": []}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/commands*"))
    with pytest.raises(VendorFault, match="process list"):
        rig.adapter.observe(a_kill(rig), None)


def test_an_unreadable_entry_is_neither_there_nor_gone(rig):
    body = '{"id": 1, "status": "error", "result_code": -2147024891, "result_desc": "Access is denied."}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/commands*"))
    for action in (a_key_deletion(rig), a_delete(rig, sha256=None)):
        with pytest.raises(VendorFault, match="Access is denied"):
            rig.adapter.observe(action, None)


def test_a_pid_alone_is_refused_before_any_request(rig):
    with pytest.raises(Denied, match="pid alone"):
        rig.adapter.observe(a_kill(rig, image_path=None, sha256=None), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize(
    ("file", "sight"),
    [
        ({"sha256": None}, Sight.ABSENT),
        ({"sha256": None, "path": EVIL.upper()}, Sight.ABSENT),
        ({"sha256": None, "path": EVIL.rsplit("\\", 1)[0]}, Sight.MISMATCH),
        ({"sha256": None, "path": EVIL[:-1]}, Sight.PRESENT),
        ({"sha256": None, "path": r"C:\nowhere\evil.exe"}, Sight.PRESENT),
        ({"path": r"C:\Users\kim\gone.exe"}, Sight.PRESENT),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
    ],
)
def test_a_file_is_deleted_only_if_it_is_the_one_that_is_meant(rig, file, sight):
    assert rig.adapter.observe(a_delete(rig, **file), None).sight is sight


@pytest.mark.parametrize("codes", ["signed", "unsigned"])
def test_a_missing_file_is_told_by_its_code_of_either_sign(codes):
    with carbon_black_cloud(result_codes=codes) as rig:
        assert rig.adapter.observe(a_delete(rig, path=r"C:\Users\kim\gone.exe"), None).sight is Sight.PRESENT


def test_a_content_that_cannot_be_fetched_confirms_nothing(rig):
    rig.simulation.faults.add(Fault(action="reply", status=404, path="*/content"))
    with pytest.raises(Unreadable, match="could not be fetched"):
        rig.adapter.observe(a_delete(rig), None)


def test_a_content_that_breaks_off_is_never_taken_for_a_whole_one(rig):
    rig.simulation.faults.add(Fault(action="cut", path="*/content"))
    with pytest.raises(VendorFault):
        rig.adapter.observe(a_delete(rig), None)


def test_a_file_in_use_is_locked():
    with carbon_black_cloud(running_files_are_locked=True) as rig:
        action = rig.action("delete_file")
        fact = rig.adapter.observe(action, acted(rig, action))
        assert (fact.sight, "being used" in fact.evidence) == (Sight.LOCKED, True)


def test_a_key_with_subkeys_is_never_half_deleted(rig):
    first(rig).registry[KEY + r"\Deeper"] = {"c": "3"}
    fact = rig.adapter.observe(a_key_deletion(rig), None)
    assert (fact.sight, "subkeys" in fact.evidence) == (Sight.REFUSED, True)


def test_a_key_that_got_subkeys_meanwhile_is_refused_by_the_endpoint(rig):
    action = a_key_deletion(rig)
    seen = rig.adapter.observe(action, None)
    first(rig).registry[KEY + r"\Deeper"] = {"c": "3"}
    receipt = rig.adapter.perform(action, seen)
    assert rig.adapter.observe(action, receipt).sight is Sight.REFUSED
    assert rig.effects() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = a_key_deletion(rig, value="a")
    assert rig.adapter.observe(action, acted(rig, action)).sight is Sight.PRESENT
    assert first(rig).registry == {KEY: {"b": "2"}}


def test_a_value_whose_name_would_be_another_keys_is_refused_before_any_request(rig):
    with pytest.raises(Denied, match="backslash"):
        rig.adapter.observe(a_key_deletion(rig, key=r"HKLM\Software", value=r"Evil\a"), None)
    assert rig.simulation.journal.requests() == []


@pytest.fixture(scope="module")
def shared_rig():
    """One rig for many examples."""
    with carbon_black_cloud() as found:
        yield found, found.adapter.observe(found.action("delete_file"), None)


@given(st.text(alphabet=st.sampled_from(quoting.ALPHABET), min_size=1, max_size=40))
def test_no_path_becomes_a_second_command(shared_rig, path):
    quoting.carbon_black_cloud(path, *shared_rig)


def test_the_twin_would_show_a_path_that_was_not_refused(rig):
    """The control of the test above: what reaches the vendor is carried out as it was written."""
    session = rig.adapter.observe(a_delete(rig), None).handle
    path = r"C:\Users\..\Windows\System32\kernel32.dll"
    rig.adapter._api.post(f"{SESSIONS}/{session}/commands", {"name": "delete file", "path": path})
    assert [(each["verb"], each["target"]) for each in rig.simulation.journal.effects()] == [("delete_file", path)]
