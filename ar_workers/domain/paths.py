"""Which file paths and processes are never acted on: unsafe to quote, or vital to the system."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from . import vital
from .endpoints import OS
from .listing import Listing
from .spelling import folded, is_short_name
from .volumes import ANY_DRIVE, is_bare, plain, split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .indicators import Process

#: Characters that end, start, expand or redirect something in one of the vendors' shells.
_SHELL = re.compile(r"[\"'`$;&|<>^*?%!{}\[\]()~#=,\x00-\x1f\x7f]")
#: Parentheses and the like are common in real Windows paths (`Program Files (x86)`), and harmless inside quotes.
_QUOTABLE = re.compile(r"[()~,=#\[\]{}!^&]")
_WINDOWS = re.compile(r"^[A-Za-z]:\\(?:[^\\/:]+\\)*[^\\/:]+$")
_POSIX = re.compile(r"^/(?:[^/]+/)*[^/]+$")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")

VITAL_PROCESSES = frozenset(vital.entries(vital.PROCESSES))


def _on_windows(lists: Iterable[vital.Listed]) -> Listing:
    return Listing((entry, (ANY_DRIVE, *entry.split("\\")[1:])) for entry in vital.entries(lists))


def _on_posix(lists: Iterable[vital.Listed]) -> Listing:
    return Listing((entry, entry.split("/")) for entry in vital.entries(lists))


def _sensors(lists: Iterable[vital.Listed]) -> Iterable[vital.Listed]:
    return (each for each in lists if each.owner in vital.SENSORS)


_WINDOWS_VITAL, _POSIX_VITAL = _on_windows(vital.WINDOWS_FILES), _on_posix(vital.POSIX_FILES)
_WINDOWS_SENSORS, _POSIX_SENSORS = _on_windows(_sensors(vital.WINDOWS_FILES)), _on_posix(_sensors(vital.POSIX_FILES))
#: Where no system process's image is: a plain whole path outside the system's folders, with no part that Windows may read as another.
DISGUISE = (
    r"^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)"
    r"(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$"
)
_DISGUISE = re.compile(DISGUISE, re.IGNORECASE)


#: One path is judged, compared with what is protected, and judged again before each write.
@lru_cache(maxsize=1024)
def file_parts(path: str) -> tuple[str, ...]:
    """The names of a path from its root on, in the one spelling in which two paths are compared."""
    text = plain(path)
    found = split(text)
    if found:
        text = ANY_DRIVE + found.on_a_drive[2:]
    elif re.match(r"\\(?!\\)", text):
        text = ANY_DRIVE + text
    root, *names = re.split(r"[\\/]+", text)
    if not text.startswith("/"):
        # Windows takes `name::$DATA` and `name:stream` for the file, and drops dots and spaces at the end.
        names = [name.partition(":")[0] for name in names]
    names = [folded(each.rstrip(". ") or each) for each in (root, *names)]
    if not names[-1]:
        del names[-1]
    # macOS shows its data volume twice, and /etc, /tmp and /var are links.
    if names[:4] == ["", "system", "volumes", "data"]:
        del names[1:4]
    if names[:2] == ["", "private"]:
        del names[1]
    return tuple(names)


def image_name(image: str) -> str:
    """The name of a process's image, without its folder."""
    return (file_parts(image) or ("",))[-1] if image else ""


@lru_cache(maxsize=1024)
def path_problem(path: str, os: OS) -> str | None:
    """Why the file at `path` must not be acted on by its path on `os`, or None. An unknown OS is judged by the path's own form.

    A path on a volume without a letter has none: whether the endpoint tells which drive that is, its adapter must see.
    """
    if is_bare(path):
        return "a bare name is no path: which file is meant cannot be told"
    found = split(path)
    shape = _WINDOWS if _is_windows(path, os) else _POSIX
    if not shape.match(found.on_a_drive if found else plain(path)):
        return "not an absolute local path: a drive path such as C:\\dir\\file or /dir/file is needed"
    return quoting_problem(_below_its_volume(path)) or content_problem(path, os)


def is_whole(path: str, os: OS) -> bool:
    """Whether it leads from a drive, or from the root, to one file."""
    return bool((_WINDOWS if _is_windows(path, os) else _POSIX).match(path))


def content_problem(path: str, os: OS) -> str | None:
    """Why the file that is called so must not be touched even where its vendor finds it by its content, or None.

    What such a path is written with does not matter: no shell reads it.
    """
    if is_bare(path):
        return image_problem(path)
    path = plain(path)
    windows = _is_windows(path, os)
    return traversal(path) or _vital_path(path, windows=windows) or (_alias(path) if windows else None)


def _is_windows(path: str, os: OS) -> bool:
    return os is OS.WINDOWS or (os is OS.UNKNOWN and not path.startswith("/"))


def _below_its_volume(path: str) -> str:
    found = split(path)
    return found.tail if found else plain(path)


def traversal(path: str) -> str | None:
    """Why a path, or a key, that leads back must not be followed, or None."""
    return "path has a `..` or `.` part" if {"..", "."} & set(re.split(r"[\\/]", path)) else None


def _entry_above(path: str, listed: Listing, *, windows: bool) -> str | None:
    parts = file_parts(path)
    starts = _windows_starts(path, parts) if windows else _posix_starts(parts)
    return listed.above(*starts)


def _vital_path(path: str, *, windows: bool) -> str | None:
    entry = _entry_above(path, _WINDOWS_VITAL if windows else _POSIX_VITAL, windows=windows)
    return f"system or sensor file ({entry}): never touched by automation" if entry else None


def _windows_starts(path: str, parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Of a share or of some other device it is not known where on a drive it begins."""
    is_whole = _DRIVE.match(plain(path)) or split(path)
    return [(ANY_DRIVE, *parts[first:]) for first in ([1] if is_whole else range(len(parts)))]


def _posix_starts(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The volume from which macOS was started is shown below /Volumes, too."""
    return [parts, ("", *parts[3:])] if parts[:2] == ("", "volumes") else [parts]


def _alias(path: str) -> str | None:
    """What a name of Windows' own making hides can neither be judged nor compared."""
    for name in re.split(r"[\\/]", _below_its_volume(path)):
        if is_short_name(name):
            return f"{name!r} is a short (8.3) name: the long one is needed"
        if name.endswith((".", " ")):
            return f"{name!r} ends with a dot or a space, which Windows may drop"
    return None


def process_problem(process: Process) -> str | None:
    """Why this process must not be killed, or None."""
    if process.pid <= 4:  # noqa: PLR2004 - 0 and 4 are the Windows kernel, 1 is init or launchd
        return "kernel or init process"
    problem = image_problem(process.image_path or "")
    if problem:
        return problem
    if process.sha256 or process.started_at:
        return None
    if not process.image_path:
        return "pid alone: needs an image hash, image path or start time, because pids are reused"
    if is_bare(process.image_path):
        return "pid and a bare name, which is no path: needs an image hash, image path or start time, because pids are reused"
    return None


@lru_cache(maxsize=1024)
def image_problem(image: str) -> str | None:
    """Why no process of this image, a whole path or a bare name, must be killed, or None.

    A system process's name outside the system's folders is a disguise, as in Red Canary's own svchost.exe example.
    """
    name = image_name(image)
    if not name:
        return None
    if not is_bare(image) and _is_sensors(image):
        return vital_process(name)
    listed = next((each for each in (name, f"{name}.exe") if each in VITAL_PROCESSES), None)
    found = split(image)
    return None if listed is None or _DISGUISE.match(found.on_a_drive if found else plain(image)) else vital_process(listed)


def _is_sensors(image: str) -> bool:
    """Whatever runs from a sensor's folder is the sensor's."""
    windows = not image.startswith("/")
    return bool(_entry_above(image, _WINDOWS_SENSORS if windows else _POSIX_SENSORS, windows=windows))


def vital_process(name: str) -> str:
    """What is said of a process that was seen to be vital, here or by a script on the endpoint."""
    return f"vital process {name}: never killed by automation"


def quoting_problem(text: str) -> str | None:
    """Why no remote shell takes this text safely, or None."""
    found = _SHELL.search(_QUOTABLE.sub("", text))
    return f"has a character that no remote shell takes safely: {found.group()!r}" if found else None
