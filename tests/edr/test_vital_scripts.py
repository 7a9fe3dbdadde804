"""The scripts that look and kill in one run judge whom they kill by the very list and rule that the guard has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ar_workers.domain.paths import DISGUISE, VITAL_PROCESSES, image_problem
from ar_workers.edr import cortex_xdr, defender, sentinelone
from ar_workers.edr.cortex_xdr import on_endpoint
from ar_workers.simulator import vital as twins

SHELL = [Path(defender.__file__).parent / "scripts/ar_workers.sh", Path(sentinelone.__file__).parent / "scripts/respond.sh"]
POWERSHELL = [each.with_suffix(".ps1") for each in SHELL]
IMAGES = [
    r"C:\Windows\System32\lsass.exe", r"C:\Users\kim\svchost.exe", r"C:\Windows.\svchost.exe", "LSASS.EXE", "/sbin/launchd",
    r"\\?\C:\Windows\lsass.exe", r"C:\ProgramData\Microsoft\Windows Defender\Platform\4\MsMpEng.exe", r"C:\evil.exe", "",
]  # fmt: skip


@pytest.mark.parametrize("script", [*SHELL, *POWERSHELL], ids=lambda each: f"{each.parts[-3]}-{each.name}")
def test_a_script_has_the_list_that_the_guard_has(script):
    listed = re.search(r"VITAL_?PROCESSES ?= ?(?:-split @)?'\n(.*?)\n'", script.read_text(), re.DOTALL | re.IGNORECASE)
    assert frozenset(listed[1].split()) == VITAL_PROCESSES


@pytest.mark.parametrize("script", POWERSHELL, ids=lambda each: each.parts[-3])
def test_a_script_for_windows_tells_a_disguise_as_the_guard_does(script):
    assert f"$Disguise = '{DISGUISE}'" in script.read_text()


@pytest.mark.parametrize("copy", [on_endpoint, twins], ids=["cortex", "twins"])
def test_what_is_written_in_python_has_the_same_list_and_rule(copy):
    assert (copy.VITAL_PROCESSES, copy.DISGUISE) == (VITAL_PROCESSES, DISGUISE)
    judge = getattr(copy, "vital", None) or copy._vital
    assert [bool(judge(image)) for image in IMAGES] == [bool(image_problem(image)) for image in IMAGES]


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
