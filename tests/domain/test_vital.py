"""What nobody's action may touch: each entry of each list refuses what it names, what is below it, and its key what is above."""

from __future__ import annotations

import pytest

from ar_workers.domain import vital
from ar_workers.domain.endpoints import OS, VENDOR_NAMES
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from tests.builders import a_delete, a_key_deletion, a_kill, a_policy, a_quarantine, an_endpoint

MAC = an_endpoint(os=OS.MACOS)
LISTS = [*vital.PROCESSES, *vital.WINDOWS_FILES, *vital.POSIX_FILES, *vital.SERVICES, *vital.KEYS, *vital.WHOLE_KEYS, *vital.BRANCHES]


def refused(action, image=""):
    ruling = rule(action, a_policy(), [action.endpoint], Fact(sight=Sight.ABSENT, image=image))
    return ruling.verdict is Verdict.REFUSE and ruling.reason


def named(entry):
    """Something that an entry stands for."""
    return entry.replace("*", "x1")


@pytest.mark.parametrize("each", [*LISTS, *vital.AUTOSTART_KEYS, *vital.AUTOSTART_VALUES], ids=lambda each: each.owner)
def test_every_list_has_its_source_and_one_spelling(each):
    assert each.source.startswith("https://")
    assert each.entries
    assert len(set(each.entries)) == len(each.entries)
    assert [entry for entry in each.entries if entry != entry.lower().strip()] == []


@pytest.mark.parametrize(
    "lists", [vital.PROCESSES, vital.WINDOWS_FILES, vital.POSIX_FILES, vital.SERVICES], ids=["processes", "c", "/", "svc"]
)
def test_each_of_the_six_agents_is_listed(lists):
    assert vital.SENSORS <= {each.owner for each in lists}
    assert len(vital.SENSORS) == len(VENDOR_NAMES)


@pytest.mark.parametrize("name", vital.entries(vital.PROCESSES))
def test_a_vital_process_is_not_killed_by_whatever_the_edr_shows_of_it(name):
    image = f"C:\\Windows\\System32\\{name.upper()}" if name.endswith(".exe") else f"/usr/libexec/{name}"
    for shown in (name, image):
        assert refused(a_kill(image_path=None), shown) == f"vital process {name}: never killed by automation"


@pytest.mark.parametrize("entry", vital.entries(vital.WINDOWS_FILES))
def test_a_vital_file_of_windows_is_not_touched(entry):
    path = named(entry)
    for written in (f"C:{path}", f"D:{path.upper()}", f"\\\\?\\c:{path}\\below.exe", f"\\Device\\HarddiskVolume3{path}"):
        for action in (a_delete(path=written), a_quarantine(path=written)):
            assert refused(action)
    assert refused(a_quarantine(path=f"C:{path}.")) == f"system or sensor file ({entry}): never touched by automation"


@pytest.mark.parametrize("entry", vital.entries(vital.POSIX_FILES))
def test_a_vital_file_of_macos_or_linux_is_not_touched(entry):
    path = named(entry)
    for written in (path, path.upper(), f"{path}/below", f"/private{path}", f"/System/Volumes/Data{path}", f"/Volumes/Macintosh HD{path}"):
        assert refused(a_delete(MAC, path=written))


@pytest.mark.parametrize("name", vital.entries(vital.SERVICES))
@pytest.mark.parametrize("control_set", ["CurrentControlSet", "ControlSet001"])
def test_a_vital_service_is_not_deleted_nor_changed(name, control_set):
    key = f"HKLM\\SYSTEM\\{control_set}\\Services\\{named(name)}"
    for action in (a_key_deletion(key=key), a_key_deletion(key=key, value="Start"), a_key_deletion(key=f"{key}\\Parameters")):
        assert "vital registry key" in refused(action)


def by_every_name(entry):
    """A key as it is, and as its WOW64 twin, its user's hive or its older control set."""
    key = named(entry).upper()
    yield key
    yield key.replace("\\SOFTWARE\\", "\\SOFTWARE\\WOW6432Node\\")
    yield key.replace("HKCU\\", "HKU\\S-1-5-21-1\\")
    yield key.replace("\\CURRENTCONTROLSET", "\\ControlSet001")
    yield key.replace("HKLM\\SOFTWARE\\CLASSES\\", "HKCR\\")


@pytest.mark.parametrize("entry", vital.entries(vital.KEYS))
def test_a_vital_key_goes_neither_whole_nor_in_parts(entry):
    for key in by_every_name(entry):
        for action in (a_key_deletion(key=key), a_key_deletion(key=f"{key}\\Below"), a_key_deletion(key=key, value="x")):
            assert "vital registry key" in refused(action)


@pytest.mark.parametrize("entry", vital.entries([*vital.KEYS, *vital.WHOLE_KEYS, *vital.BRANCHES, *vital.AUTOSTART_KEYS]))
def test_no_key_goes_that_would_take_a_vital_one_along(entry):
    place = entry.split("\\") if entry not in vital.entries(vital.AUTOSTART_KEYS) else entry.split("\\")[:-1]
    for depth in range(2, len(place) + 1):
        for key in by_every_name("\\".join(place[:depth])):
            assert "vital registry key" in refused(a_key_deletion(key=key))


@pytest.mark.parametrize("entry", vital.entries(vital.BRANCHES))
def test_of_a_branch_of_windows_goes_nothing_that_is_not_listed(entry):
    for key in by_every_name(f"{entry}\\Evil"):
        assert entry in refused(a_key_deletion(key=key))
        assert entry in refused(a_key_deletion(key=key, value="x"))


@pytest.mark.parametrize("entry", vital.entries(vital.AUTOSTART_KEYS))
def test_what_is_below_an_autostart_place_may_go(entry):
    for key in by_every_name(entry):
        assert not refused(a_key_deletion(key=key))
        assert not refused(a_key_deletion(key=f"{key}\\Below", value="x"))


@pytest.mark.parametrize("entry", vital.entries(vital.AUTOSTART_VALUES))
def test_an_autostart_value_may_go_and_its_key_stays(entry):
    for place in by_every_name(entry):
        key, _, value = place.rpartition("\\")
        assert not refused(a_key_deletion(key=key, value=value))
        assert "vital registry key" in refused(a_key_deletion(key=key))
