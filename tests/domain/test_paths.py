"""What is vital whatever it is called: Windows and macOS have several names for one thing."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.indicators import Process, RegistryKey
from ar_workers.domain.keys import hive_problem, registry_problem
from ar_workers.domain.paths import image_problem, path_problem, process_problem


@pytest.mark.parametrize(
    "key",
    [
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon",
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
        r"HKCU\Software\Microsoft\Windows NT\CurrentVersion\Winlogon",
        r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa",
        r"HKLM\SYSTEM\ControlSet001\Control\SafeBoot",
        r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Run",
        r"HKLM\SOFTWARE\WOW6432Node",
        r"HKLM\SOFTWARE\Classes\WOW6432Node\CLSID",
        r"HKCR\CLSID",
        r"HKCR\.exe",
        r"HKCU\Software\Classes",
        r"HKU\S-1-5-21-1_Classes",
        r"HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Run",
        r"HKLM\SOFTWARE\\Microsoft",
        r"HKLM\SOFTWARE/Microsoft",
        r"HKLM\SOFTWARE\Evil\..\Microsoft",
        r"HKCC\System",
    ],
)
def test_a_vital_key_is_vital_by_every_name(key):
    assert "vital registry key" in registry_problem(RegistryKey(key=key)) or ".." in key


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Evil", None),
        (r"HKLM\SOFTWARE\Microsoft\Evil", None),
        (r"HKLM\SOFTWARE\Microsoft\Cryptography", "MachineGuid"),
        (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "Userinit"),
        (r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Cryptography", "MachineGuid"),
        (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree\Microsoft\Windows", None),
        (r"HKLM\SYSTEM\Select", "Current"),
        (r"HKLM\SYSTEM\Evil", None),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa", "Security Packages"),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager", "BootExecute"),
        (r"HKLM\SYSTEM\ControlSet002\Services\WinDefend", "Start"),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\CSAgent\Sim", None),
        (r"HKCR\CLSID\{b5f8350b-0548-48b1-a6ee-88bd00b4a5e7}", None),
        (r"HKCR\exefile\shell\open\command", "IsolatedCommand"),
        (r"HKLM\SOFTWARE\Classes\WOW6432Node\Interface\{1}", None),
        (r"HKLM\SOFTWARE\CrowdStrike\Sensor", "x"),
        (r"HKCC\System\CurrentControlSet", "x"),
    ],
)
def test_of_the_branches_of_windows_only_autostart_values_and_what_is_below_autostart_places_go(key, value):
    assert "vital registry key" in registry_problem(RegistryKey(key=key, value=value))


@pytest.mark.parametrize(
    "entry",
    [
        {"key": r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "value": "Shell"},
        {"key": r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Run", "value": "Evil"},
        {"key": r"HKLM\SOFTWARE\Evil"},
        {"key": r"HKCU\Software\Classes\CLSID\{b5f8350b-0548-48b1-a6ee-88bd00b4a5e7}"},
        {"key": r"HKU\S-1-5-21-1_Classes\ms-settings\shell\open\command"},
        {"key": r"HKCR\Directory\shellex\ContextMenuHandlers\Evil"},
        {"key": r"HKLM\SYSTEM\CurrentControlSet\Services\EvilSvc"},
        {"key": r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe"},
        {"key": r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe", "value": "Debugger"},
        {"key": r"HKLM\SYSTEM\ControlSet001\Control\Session Manager\AppCertDlls", "value": "Evil"},
        {"key": r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree\Evil"},
        {"key": r"HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Run", "value": "Evil"},
    ],
)
def test_what_malware_adds_may_be_deleted(entry):
    assert registry_problem(RegistryKey(**entry)) is None


@pytest.mark.parametrize(
    ("path", "os"),
    [
        (r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.1\MsMpEng.exe", OS.WINDOWS),
        (r"C:\Program Files\Windows Defender Advanced Threat Protection\MsSense.exe", OS.WINDOWS),
        (r"C:\Windows\CarbonBlack\cb.exe", OS.WINDOWS),
        (r"C:\PROGRA~1\CrowdStrike\CSFalconService.exe", OS.WINDOWS),
        (r"C:\Windows.\System32\lsass.exe", OS.WINDOWS),
        (r"C:\Windows \System32\lsass.exe", OS.WINDOWS),
        (r"C:\Windows\Sysnative\lsass.exe", OS.WINDOWS),
        (r"C:\Users\kim\evil.exe.", OS.WINDOWS),
        ("/private/etc/pam.d/sudo", OS.MACOS),
        ("/System/Volumes/Data/Library/CS/falcond", OS.MACOS),
        ("//etc//pam.d/sudo", OS.MACOS),
        ("/ETC/PAM.D/SUDO", OS.MACOS),
        ("/Volumes/Macintosh HD/etc/pam.d/sudo", OS.MACOS),
        ("/.vol/16777220/2/etc/hosts", OS.MACOS),
        ("/\u017fbin/launchd", OS.MACOS),
        ("/etc\u0301/../etc/hosts", OS.MACOS),
        ("C:\\W\u0131ndows\\System32\\lsass.exe", OS.WINDOWS),
        ("C:\\\uff37indows\\System32\\lsass.exe", OS.WINDOWS),
        (r"C:\\Windows\\System32\\lsass.exe", OS.WINDOWS),
        (r"C:\Windows\explorer.exe", OS.WINDOWS),
        (r"D:\Program Files (x86)\Palo Alto Networks\Traps\cyserver.exe", OS.WINDOWS),
    ],
)
def test_a_vital_file_is_vital_by_every_name(path, os):
    assert path_problem(path, os)


@pytest.mark.parametrize(
    ("path", "os"),
    [
        ("/private/tmp/evil", OS.MACOS),
        ("/System/Volumes/Data/Users/kim/evil", OS.MACOS),
        (r"C:\Users\kim\evil~2024 final.exe", OS.WINDOWS),
        ("C:\\Users\\Gro\u00df\\\u0131\u0130.exe", OS.WINDOWS),
        ("/Volumes/USB/evil", OS.MACOS),
    ],
)
def test_another_name_of_an_ordinary_file_is_ordinary(path, os):
    assert path_problem(path, os) is None


@pytest.mark.parametrize(
    "image",
    [
        r"C:\Windows\System32\lsass.exe",
        r"d:\windows\system32\LSASS.EXE",
        r"\\?\C:\Windows\System32\lsass.exe",
        r"\Device\HarddiskVolume3\Windows\System32\lsass.exe",
        r"C:\Windows.\System32\lsass.exe",
        r"C:\Users\..\Windows\System32\lsass.exe",
        r"C:\WINDOW~1\System32\lsass.exe",
        "C:/Windows/System32/lsass.exe",
        "lsass.exe",
        "lsass",
    ],
)
def test_a_vital_process_is_vital_wherever_it_is_not_seen_to_be_a_disguise(image):
    assert image_problem(image) == "vital process lsass.exe: never killed by automation"


def test_whatever_runs_from_a_sensors_folder_is_vital():
    for image in (
        r"C:\Program Files\CrowdStrike\new.exe",
        r"C:\PROGRA~1\CROWDS~1\new.exe",
        "/Library/CS/new",
        "/Applications/Falcon.app/x",
    ):
        assert image_problem(image)
    assert image_problem(r"C:\Windows\System32\rundll32.exe") is None


@pytest.mark.parametrize("image", [r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.1\MsMpEng.exe", "/sbin/launchd", "System"])
def test_a_sensor_and_the_systems_own_processes_are_vital_where_they_live(image):
    assert image_problem(image)
    assert process_problem(Process(pid=700, image_path=image, sha256="a" * 64))


@pytest.mark.parametrize("image", [r"C:\Users\kim\lsass.exe", r"E:\lsass.exe", r"C:\Program Files Evil\lsass.exe", "", r"C:\x\evil.exe"])
def test_a_whole_path_elsewhere_shows_a_disguise(image):
    assert image_problem(image) is None


def test_the_hive_of_whoever_is_signed_in_is_not_taken_for_that_of_a_shell_that_runs_as_system():
    assert "runs as SYSTEM" in hive_problem(RegistryKey(key=r"HKCU\Software\Evil"))
    assert hive_problem(RegistryKey(key=r"HKLM\Software\Evil")) is None
