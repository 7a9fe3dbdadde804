"""The scripts that look and kill in one run judge whom they kill by the very list and rule that the guard has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ar_workers.domain import vital
from ar_workers.domain.endpoints import OS
from ar_workers.domain.indicators import RegistryKey
from ar_workers.domain.keys import registry_problem
from ar_workers.domain.paths import DISGUISE, VITAL_PROCESSES, content_problem, image_problem
from ar_workers.edr import cortex_xdr
from ar_workers.edr.cortex_xdr import on_endpoint
from ar_workers.simulator import vital as twins

from .vital_copies import POWERSHELL, SHELL, filled

IMAGES = [
    r"C:\Program Files\CrowdStrike\new.exe", "/Library/CS/new", r"C:\Windows\System32\rundll32.exe",
    r"C:\Windows\System32\lsass.exe", r"C:\Users\kim\svchost.exe", r"C:\Windows.\svchost.exe", "LSASS.EXE", "/sbin/launchd",
    r"\\?\C:\Windows\lsass.exe", r"C:\ProgramData\Microsoft\Windows Defender\Platform\4\MsMpEng.exe", r"C:\evil.exe", "",
]  # fmt: skip
WINDOWS_PATHS = [
    r"C:\Windows\System32\lsass.exe", r"d:\program files (x86)\SentinelOne\x.exe", r"C:\Windows\explorer.exe", r"C:\Windows\Temp\evil.exe",
    r"C:\Users\kim\evil.exe", r"\\?\C:\Windows\System32\x", r"C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\x",
    r"C:\ProgramData\CrowdStrikeEvil\x.exe", r"C:\bootmgr",
]  # fmt: skip
POSIX_PATHS = [
    "/etc/passwd", "/private/etc/pam.d/sudo", "/System/Volumes/Data/Library/CS/falcond", "/Volumes/Macintosh HD/etc/hosts", "/ETC/hosts",
    "/tmp/evil", "/private/tmp/evil", "/Users/kim/Library/evil", "//etc//hosts", "/Library/LaunchDaemons/com.crowdstrike.falcond.plist",
    "/Library/LaunchDaemons/com.evil.plist", "/Applications/Microsoft Defender.app/x", "/opt/evil",
]  # fmt: skip
KEYS = [
    (r"HKLM\SOFTWARE\Evil", None), (r"HKLM\SOFTWARE", None), (r"HKLM\SOFTWARE\CrowdStrike", "x"), (r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Evil", None),
    (r"HKLM\SYSTEM\ControlSet001\Services\EvilSvc", None), (r"HKLM\SYSTEM\ControlSet001\Services\WinDefend", "Start"),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\SentinelAgent\x", None), (r"HKLM\SYSTEM\CurrentControlSet\Services", None),
    (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", None), (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", "Evil"),
    (r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run", "Evil"), (r"HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Run", None),
    (r"HKCR\CLSID\{1}", None), (r"HKU\S-1-5-21-1_Classes\CLSID\{1}", None), (r"HKCC\System", "x"), (r"HKLM\SAM\x", None),
    (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "Userinit"),
]  # fmt: skip


@pytest.mark.parametrize("script", [*SHELL, *POWERSHELL], ids=lambda each: f"{each.parts[-3]}-{each.name}")
def test_a_script_has_the_list_that_the_guard_has(script):
    assert filled(script) == script.read_text(), "run python -m tests.edr.vital_copies"
    for entry in vital.entries(
        [*vital.PROCESSES, *(vital.POSIX_FILES if script in SHELL else [*vital.WINDOWS_FILES, *vital.KEYS, *vital.SERVICES])]
    ):
        assert re.search(rf"(?m)(?:^|[\n ]){re.escape(entry)}(?:$|[\n ])", script.read_text())


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_windows_tells_a_disguise_as_the_guard_does(script):
    assert f"$Disguise = '{DISGUISE}'" in script.read_text()


@pytest.mark.parametrize("copy", [on_endpoint, twins], ids=["cortex", "twins"])
def test_what_is_written_in_python_has_the_same_list_and_rule(copy):
    assert filled(Path(copy.__file__)) == Path(copy.__file__).read_text(), "run python -m tests.edr.vital_copies"
    assert (copy.VITAL_PROCESSES, copy.DISGUISE) == (VITAL_PROCESSES, DISGUISE)
    assert [bool(copy.vital(image)) for image in IMAGES] == [bool(image_problem(image)) for image in IMAGES]
    for paths, os in ((WINDOWS_PATHS, OS.WINDOWS), (POSIX_PATHS, OS.MACOS)):
        assert [copy.is_vital_file(path) for path in paths] == [bool(content_problem(path, os)) for path in paths]
    keys = [RegistryKey(key=key, value=value) for key, value in KEYS]
    assert [copy.is_vital_key(each.key, each.value) for each in keys] == [bool(registry_problem(each)) for each in keys]


@pytest.mark.parametrize("script", SHELL, ids=lambda each: each.parts[-3])
@pytest.mark.parametrize("path", POSIX_PATHS)
def test_a_script_for_macos_judges_a_file_as_the_guard_does(script, path):
    head = script.read_text().partition("# The name of the vital process")[0].partition("VITAL_PROCESSES=")
    done = subprocess.run(["sh", "-uc", f'{head[1]}{head[2]}is_vital_file "$1"', "sh", path], check=False, capture_output=True, text=True)
    assert (done.returncode == 0, done.stderr) == (bool(content_problem(path, OS.MACOS)), "")


@pytest.mark.parametrize("script", SHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_macos_follows_the_links_on_the_way(script, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/etc")
    head = script.read_text().partition("# The name of the vital process")[0].partition("VITAL_PROCESSES=")
    for folder, is_vital in ((link, True), (tmp_path, False)):
        done = subprocess.run(["sh", "-uc", f'{head[1]}{head[2]}is_vital_file "$1"', "sh", f"{folder}/passwd"], check=False)
        assert (done.returncode == 0) is is_vital


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_windows_judges_files_and_keys_before_it_deletes(script):
    text = script.read_text()
    file, key = (
        re.search(r"function Remove-\w*File.*?\n}", text, re.DOTALL)[0],
        text[text.index("function Remove-", text.index("function Remove-W" if "Wished" in text else "function Remove-E")) :],
    )
    assert file.index("Test-VitalFile $") < file.index("Test-Linked $") < re.search(r"Remove-Item|::Delete", file).start()
    assert re.search(r"if \(Test-VitalKey [^)]*\) \{ (?:Say|return New-Answer) 'mismatch'", key)


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_windows_judges_before_it_kills(script):
    text = script.read_text()
    kill = re.search(r"Stop-Process|\.Kill\(\)", text)
    assert re.search(r"if \(\$vital\) \{ (?:Say|return New-Answer) 'vital' \$vital \}", text[: kill.start()])
    assert not re.search(r"Stop-Process|\.Kill\(\)", text[kill.end() :])


def test_the_input_of_the_scripts_is_the_parameter_of_their_entry_points():
    for entry in (on_endpoint.look, on_endpoint.act):
        assert entry.__code__.co_varnames[: entry.__code__.co_argcount] == (cortex_xdr.scripts.INPUT,)


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_windows_asks_windows_which_drive_a_device_is_and_calls_nothing_else_absent(script):
    text = script.read_text()
    shapes = re.findall(r"-(?:not)?match '(\^\(?\\\\(?:SystemRoot|Device)[^']*)'", text)
    assert [bool(re.match(each, path)) for each in shapes for path in (r"\SystemRoot\x", r"\Device\HarddiskVolume3\x", r"C:\x")] == [
        True, False, False, False, True, False,
    ]  # fmt: skip
    remove = text[text.index("function Remove-") :]
    assert remove.index("which drive its volume is cannot be told here") < remove.index("absent")
