"""What runs on the endpoint: kept in the tenant's script library twice, with the entry point `look` and `act`.

To install: upload this file as `ar_workers_look` (entry point `look`, standard risk) and as `ar_workers_act` (entry point
`act`, high risk), each for all platforms, with one input `judged_request` of type string and an output of type string.
(Versions before took `request`, and did not judge whom they kill: by that name the sender knows not to call them.)
Written for the Python 3.7 that Cortex agents bring along, with nothing but its library and, for processes, psutil.
Each entry point answers a JSON text: `state` is absent, present, mismatch, locked (a file that cannot be read or deleted now),
vital, failed or done; `why` is for people, or the name of the vital process; `image` is that of a process that is present.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import importlib
import json
import os
import re
import stat
import string
from pathlib import Path
from typing import Any

#: Start times are compared to the second.
SAME_START = 2.0
#: Copies of what domain/paths.py holds, which a test compares.
VITAL_PROCESSES = frozenset([
    "system", "registry", "smss.exe", "csrss.exe", "wininit.exe", "winlogon.exe", "services.exe", "lsass.exe", "lsaiso.exe",
    "svchost.exe", "msmpeng.exe",
    "csfalconservice.exe", "csfalconcontainer.exe", "sentinelagent.exe", "repmgr.exe", "cb.exe", "cyserver.exe", "mssense.exe",
    "launchd", "kernel_task", "windowserver", "loginwindow", "systemd", "init", "sshd", "falcond",
])  # fmt: skip
DISGUISE = (
    r"^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)"
    r"(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$"
)
#: How a system says that somebody holds a file, or that nobody may touch it. Windows' sharing violation comes as EACCES.
_LOCKED = frozenset({errno.EPERM, errno.EACCES, errno.EBUSY, errno.ETXTBSY})
_HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS", "HKCR": "HKEY_CLASSES_ROOT", "HKCC": "HKEY_CURRENT_CONFIG"}


class Locked(Exception):
    """A file cannot be read: whether it is what was meant cannot be told."""


def look(judged_request: str) -> str:
    """Tell what is there, and change nothing."""
    return _answer(judged_request, acting=False)


def act(judged_request: str) -> str:
    """Confirm once more that it is what was meant, and only then end or delete it."""
    return _answer(judged_request, acting=True)


def _answer(request: str, *, acting: bool) -> str:
    try:
        order = json.loads(base64.urlsafe_b64decode(request + "=" * (-len(request) % 4)))
        state, why = _ORDERS[order["verb"]](order, acting)
        image = why if (order["verb"], state) == ("kill_process", "present") else ""
    except Locked as error:
        state, why, image = "locked", str(error), ""
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the answer
        state, why, image = "failed", f"{type(error).__name__}: {error}", ""
    return json.dumps({"state": state, "why": why[:300], "image": image[:1024]})


def _process(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001 - one of a table of functions
    psutil = importlib.import_module("psutil")
    try:
        process = psutil.Process(order["pid"])
        image = process.exe() or process.name()
        other = _other_process(order, image, process.create_time())
        if other:
            return "mismatch", other
        if not acting:
            return "present", image
        vital = _vital(image)
        if vital:
            return "vital", vital
        process.kill()  # psutil compares the start time again: a pid that was given away meanwhile is spared
        process.wait(5)
    except psutil.NoSuchProcess:
        return "absent", "no process of this pid"
    return "done", image


def _vital(image: str) -> str:
    """The name of the vital process that an image is, or an empty text. Its name in a strange place is a disguise."""
    name = re.split(r"[\\/]", image)[-1].lower()
    return name if name in VITAL_PROCESSES and not re.match(DISGUISE, image, re.IGNORECASE) else ""


def _other_process(order: dict[str, Any], image: str, started: float) -> str:
    """Why the process is not, or cannot be shown to be, the one that is meant. A hash outweighs a name and a start time."""
    if not image:
        return "its image is not shown"
    found = _sha256(Path(image)) if order.get("sha256") else ""
    if found:
        return "" if found == order["sha256"] else "its image has another SHA-256"
    if order.get("path") and not _same_path(_by_its_drive(order["path"]), image):
        return f"its image is {image}"
    if order.get("started"):
        return "" if abs(started - order["started"]) <= SAME_START else "it started at another time"
    if order.get("sha256"):
        raise Locked(f"{image} is gone, locked or cannot be read")
    return "" if order.get("path") else "no start time could be read"


def _by_its_drive(path: str) -> str:
    """A path by its drive, as Windows here tells it where the order names a volume by its device; else as it is."""
    found = re.match(r"^(\\SystemRoot|\\Device\\HarddiskVolume\d+)(\\.+)$", path, re.IGNORECASE)
    if not found:
        return path
    if found[1].lower() == "\\systemroot":
        return os.environ["SYSTEMROOT"] + found[2]
    letters = (letter for letter in string.ascii_uppercase if _device_of(f"{letter}:").lower() == found[1].lower())
    letter = next(letters, "")
    return f"{letter}:{found[2]}" if letter else path


def _device_of(drive: str) -> str:
    ctypes = importlib.import_module("ctypes")
    target = ctypes.create_unicode_buffer(1024)
    return target.value if ctypes.windll.kernel32.QueryDosDeviceW(drive, target, 1024) else ""


def _same_path(one: str, other: str) -> bool:
    if "\\" in one:
        return one.casefold() == other.casefold()
    return one == other


def _file(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001
    named = _by_its_drive(order["path"])
    if named.startswith("\\"):
        return "mismatch", "which drive its volume is cannot be told here"
    path = Path(named)
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "absent", "no file at this path"
    except PermissionError as error:
        raise Locked(f"the file is locked or cannot be read: {error}") from error
    if not stat.S_ISREG(kind):
        return "mismatch", "a link or a folder is at this path"
    found = _sha256(path)
    if order.get("sha256") and found != order["sha256"]:
        if not found:
            raise Locked("the file is locked or cannot be read")
        return "mismatch", "the file's content is another"
    if not acting:
        return "present", f"sha256 {found or 'unknown'}"
    try:
        path.unlink()
    except OSError as error:
        if error.errno in _LOCKED:
            raise Locked(f"the file cannot be deleted: {error}") from error
        raise
    return "done", str(path)


def _sha256(path: Path) -> str:
    """The content's hash, or an empty text where it cannot be read."""
    content = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            for part in iter(lambda: stream.read(2**20), b""):
                content.update(part)
    except OSError:
        return ""
    return content.hexdigest()


def _registry(order: dict[str, Any], acting: bool) -> tuple[str, str]:  # noqa: FBT001
    winreg = importlib.import_module("winreg")
    name, _, key = order["key"].partition("\\")
    hive, value = getattr(winreg, _HIVES[name]), order.get("value")
    if not _is_there(winreg, hive, key, value):
        return "absent", "no such registry entry"
    if not acting:
        return "present", "the registry entry is there"
    if value:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_SET_VALUE | winreg.KEY_WOW64_64KEY) as opened:
            winreg.DeleteValue(opened, value)
    else:
        winreg.DeleteKeyEx(hive, key, winreg.KEY_WOW64_64KEY, 0)  # refuses a key that has keys below it
    return "done", "deleted"


def _is_there(winreg: Any, hive: Any, key: str, value: str | None) -> bool:
    try:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            if value:
                winreg.QueryValueEx(opened, value)
    except FileNotFoundError:
        return False
    return True


_ORDERS = {"kill_process": _process, "delete_file": _file, "delete_file_on_volume": _file, "delete_registry_key": _registry}
