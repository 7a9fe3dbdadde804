"""The copies of the vital lists that scripts on endpoints and the twins hold: `python -m tests.edr.vital_copies` writes them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from ar_workers import edr, simulator
from ar_workers.domain import vital
from ar_workers.domain.keys import KEY_NAMES
from ar_workers.domain.paths import DISGUISE

EDR, TWINS = Path(edr.__file__).parent, Path(simulator.__file__).parent
SHELL = [EDR / "defender/scripts/ar_workers.sh", EDR / "sentinelone/scripts/respond.sh"]
POWERSHELL = [each.with_suffix(".ps1") for each in SHELL]
PYTHON = [EDR / "cortex_xdr/on_endpoint.py", TWINS / "vital.py"]
BEGIN, END = "# vital: written by tests/edr/vital_copies.py", "# end of vital"
_BLOCK = re.compile(f"{BEGIN}\n.*?{END}\n", re.DOTALL)

WORDS = {"VITAL_PROCESSES": vital.PROCESSES, "VITAL_SERVICES": vital.SERVICES}
WINDOWS = {
    "VITAL_KEYS": vital.KEYS,
    "WHOLE_KEYS": vital.WHOLE_KEYS,
    "KEY_BRANCHES": vital.BRANCHES,
    "AUTOSTART_KEYS": vital.AUTOSTART_KEYS,
    "AUTOSTART_VALUES": vital.AUTOSTART_VALUES,
}


def _files(lists, *, of_sensors):
    return vital.entries(each for each in lists if (each.owner in vital.SENSORS) is of_sensors)


FILES = {
    "windows": {
        "SYSTEM_FILES": _files(vital.WINDOWS_FILES, of_sensors=False),
        "SENSOR_FILES": _files(vital.WINDOWS_FILES, of_sensors=True),
    },
    "posix": {"SYSTEM_FILES": _files(vital.POSIX_FILES, of_sensors=False), "SENSOR_FILES": _files(vital.POSIX_FILES, of_sensors=True)},
}


def _wrapped(words):
    return textwrap.fill(" ".join(words), 130, break_on_hyphens=False, break_long_words=False)


def _lines(entries):
    return "\n".join(entries)


def shell():
    """For `sh`: macOS and Linux have neither drives nor a registry."""
    parts = [f"VITAL_PROCESSES='\n{_wrapped(vital.entries(vital.PROCESSES))}\n'"]
    parts += [f"{name}='\n{_lines(entries)}\n'" for name, entries in FILES["posix"].items()]
    return "\n".join(parts)


def _camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def powershell():
    """For Windows PowerShell: here-strings, split into words or lines."""
    parts = [f"${_camel(name)} = -split @'\n{_wrapped(vital.entries(lists))}\n'@" for name, lists in WORDS.items()]
    lines = {**FILES["windows"], **{name: vital.entries(lists) for name, lists in WINDOWS.items()}}
    parts += [f"${_camel(name)} = @'\n{_lines(entries)}\n'@ -split '\\r?\\n'" for name, entries in lines.items()]
    parts.append("$KeyNames = @(\n" + ",\n".join(f"    @('{pattern}', '{name}')" for pattern, name in KEY_NAMES) + "\n)")
    parts.append(f"$Disguise = '{DISGUISE}'")
    return "\n".join(parts)


def python():
    """For Python 3.7: raw strings, split into words or lines."""
    parts = [f'{name} = frozenset(re.findall(r"\\S+", r"""\n{_wrapped(vital.entries(lists))}\n"""))' for name, lists in WORDS.items()]
    lines = {f"{system.upper()}_{name}": entries for system, files in FILES.items() for name, entries in files.items()}
    lines |= {name: vital.entries(of) for name, of in WINDOWS.items()}
    parts += [f'{name} = r"""\n{_lines(entries)}\n""".strip().splitlines()' for name, entries in lines.items()]
    parts.append("KEY_NAMES = (\n" + "\n".join(f'    (r"{pattern}", r"{name}"),' for pattern, name in KEY_NAMES) + "\n)")
    half = DISGUISE.index(")\\\\)") + 4
    parts.append(f'DISGUISE = (\n    r"{DISGUISE[:half]}"\n    r"{DISGUISE[half:]}"\n)')
    return "\n".join(parts)


COPIES = {**dict.fromkeys(SHELL, shell), **dict.fromkeys(POWERSHELL, powershell), **dict.fromkeys(PYTHON, python)}


def filled(path):
    """The file's text with its block made anew."""
    block = f"{BEGIN}\n{COPIES[path]()}\n{END}\n"
    return _BLOCK.sub(lambda _: block, path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for each in COPIES:
        each.write_text(filled(each), encoding="utf-8")
