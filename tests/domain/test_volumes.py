r"""What Windows calls a path: the same file by a drive, by `\\?\`, by a device or by Windows' own folder."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.indicators import File, Process
from ar_workers.domain.meant import not_meant
from ar_workers.domain.paths import content_problem, image_problem, path_problem, process_problem
from ar_workers.domain.volumes import plain
from tests.builders import a_delete, a_kill, a_policy, a_quarantine, an_endpoint, sha256

DEVICE = r"\Device\HarddiskVolume3"
GUID = r"\\?\Volume{26a21bda-a627-11d7-9931-806e6f6e6963}"
VOLUMES = [
    DEVICE,
    r"\device\harddiskvolume12",
    rf"\\?\GLOBALROOT{DEVICE}",
    GUID,
    GUID.replace(r"\\?", r"\??"),
    r"\\?\C:",
    r"\\.\C:",
    r"\??\C:",
    r"\DosDevices\C:",
]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"\\?\C:\Users\kim\evil.exe", r"C:\Users\kim\evil.exe"),
        (r"\??\c:\evil.exe", r"c:\evil.exe"),
        (r"%SystemRoot%\Temp\evil.exe", r"\SystemRoot\Temp\evil.exe"),
        (rf"\\?\GLOBALROOT{DEVICE}\evil.exe", rf"{DEVICE}\evil.exe"),
        (r"\\?\UNC\server\share\evil.exe", r"\\?\UNC\server\share\evil.exe"),
        ("/tmp/evil", "/tmp/evil"),
    ],
)
def test_a_path_loses_what_changes_nothing_of_where_it_leads(written, path):
    assert (plain(written), File(path=written).path, Process(pid=5, image_path=written).image_path) == (path, path, path)


@pytest.mark.parametrize("volume", VOLUMES)
@pytest.mark.parametrize(
    "tail",
    [
        r"\Windows\System32\lsass.exe",
        r"\Program Files\CrowdStrike\x.exe",
        r"\Windows.\System32\lsass.exe",
        r"\Users\..\Windows\System32\lsass.exe",
    ],
)
def test_what_is_vital_is_so_on_every_volume(volume, tail):
    for problem in (path_problem, content_problem):
        assert problem(volume + tail, OS.WINDOWS)
        assert problem(volume + tail, OS.UNKNOWN)


@pytest.mark.parametrize(
    "path",
    [
        r"\\srv\C$\Windows\System32\x.exe",
        r"\Device\Mup\srv\c$\Windows\System32\x.exe",
        r"\Windows\System32\x.exe",
        r"\Device\HarddiskVolumeShadowCopy1\Windows\System32\x.exe",
    ],
)
def test_a_file_that_its_vendor_finds_by_content_is_vital_wherever_its_path_might_begin(path):
    assert content_problem(path, OS.WINDOWS) == "system or sensor file (\\windows\\system32): never touched by automation"
    assert "not an absolute local path" in path_problem(path, OS.WINDOWS)


@pytest.mark.parametrize("volume", VOLUMES)
def test_a_vital_name_in_a_strange_place_of_any_volume_is_a_disguise(volume):
    assert image_problem(volume + r"\Users\kim\svchost.exe") is None
    assert image_problem(volume + r"\Windows\System32\svchost.exe")
    assert path_problem(volume + r"\Users\kim\svchost.exe", OS.WINDOWS) is None


def test_a_bare_name_is_no_path_and_says_so():
    assert path_problem("cmd.exe", OS.WINDOWS) == "a bare name is no path: which file is meant cannot be told"
    assert "a bare name, which is no path" in process_problem(Process(pid=700, image_path="cmd.exe"))
    assert process_problem(Process(pid=700, image_path="cmd.exe", sha256="a" * 64)) is None
    assert content_problem("lsass.exe", OS.WINDOWS)
    assert content_problem("evil.exe", OS.WINDOWS) is None


@pytest.mark.parametrize("entry", [r"C:\Acme", r"d:\acme\app", r"\\?\C:\Acme\app\x.exe"])
@pytest.mark.parametrize(
    "action", [a_delete, a_quarantine, lambda **file: a_kill(image_path=file["path"])], ids=["delete", "quarantine", "kill"]
)
def test_what_the_customer_listed_is_protected_on_a_volume_without_a_letter(entry, action):
    wanted = action(path=DEVICE + r"\Acme\App\x.exe")
    ruling = rule(wanted, a_policy(never_touch=frozenset({entry})), [an_endpoint()], Fact(sight=Sight.ABSENT))
    assert (ruling.verdict, ruling.reason) == (Verdict.REFUSE, f"never-touch list: {entry}")
    beside = action(path=DEVICE + r"\AcmeEvil\App\x.exe")
    assert rule(beside, a_policy(never_touch=frozenset({entry})), [an_endpoint()], Fact(sight=Sight.ABSENT)).verdict is Verdict.ALLOW


def told(image, *, shown_hash="", started=None, **process):
    return not_meant(Process(pid=700, **process), image, sha256=lambda: shown_hash, started=lambda: started)


def test_a_path_that_names_no_drive_confirms_nothing_by_itself():
    shown, meant = r"C:\Users\kim\evil.exe", DEVICE + r"\Users\kim\evil.exe"
    assert told(shown, image_path=meant) == f"{meant} is no whole path here, and no start time could be read"
    assert told(shown, image_path=meant, sha256=sha256("x"), shown_hash=sha256("x")) is None
    assert told(shown, image_path=DEVICE + r"\other.exe") == f"its image is {shown}"
    start = Process(pid=7, started_at="2026-11-24T12:00:00Z").started_at
    assert told(shown, image_path=meant, started_at=start, started=start) is None
    assert told(meant, image_path=shown, started_at=start, started=start) is None
    assert told(r"C:\Windows\Temp\evil.exe", image_path=r"\SystemRoot\Temp\evil.exe", started_at=start, started=start) is None


def test_a_hash_that_can_be_read_decides_and_a_name_only_where_there_is_none():
    assert told(r"C:\a.exe", image_path=r"C:\b.exe", sha256=sha256("x"), shown_hash=sha256("x")) is None
    assert told(r"C:\a.exe", image_path=r"C:\a.exe", sha256=sha256("x"), shown_hash=sha256("y")) == "its image has another SHA-256"
    assert told(r"C:\a.exe", image_path=r"C:\b.exe", sha256=sha256("x")) == r"its image is C:\a.exe"
    assert told(r"C:\a.exe", image_path="c:/A.exe") is None
    assert told("a.exe", image_path=r"C:\a.exe")
