r"""How Windows names the volume of a path: by a drive's letter, by its device, or by its own folder.

Sensors report what the kernel calls a file (`\Device\HarddiskVolume3\Users\kim\evil.exe`). Which drive that is differs from one
endpoint to the next and from one start to the next: only the endpoint can tell, and nothing here guesses.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Stands for the drive of a path that names none, which may be any.
ANY_DRIVE = "?:"
#: The folder of Windows itself, on whichever drive.
SYSTEM_ROOT = r"\SystemRoot"

#: What may stand before a path and leads nowhere else.
_BEFORE = re.compile(
    r"^(?:\\\\[?.]\\|\\\?\?\\|\\(?:DosDevices|GLOBAL\?\?)\\)(?:GLOBALROOT\\(?=Device\\))?(?=[A-Z]:\\|Device\\|Volume\{)",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"^%(?:systemroot|windir)%(?=\\)", re.IGNORECASE)
_VOLUME = re.compile(r"^(\\Device\\HarddiskVolume\d+|\\\\\?\\Volume\{[0-9a-f-]+\}|\\SystemRoot)(\\.*)$", re.IGNORECASE | re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:(?=\\)")


class Split(NamedTuple):
    """A volume that has no letter here, and the path on it, which begins with a backslash."""

    volume: str
    tail: str

    @property
    def on_a_drive(self) -> str:
        """The path as it would be on some drive, for rules that mind only what lies below it."""
        return ("c:\\windows" if self.is_system_root else "c:") + self.tail

    @property
    def is_system_root(self) -> bool:
        """Whether it is Windows' own folder."""
        return self.volume.casefold() == SYSTEM_ROOT.casefold()


def plain(path: str) -> str:
    r"""The path without what changes nothing of where it leads: `\\?\C:\x` and `\??\C:\x` are `C:\x`."""
    path = _VARIABLE.sub(lambda _: SYSTEM_ROOT, path)
    found = _BEFORE.match(path)
    if not found:
        return path
    rest = path[found.end() :]
    return rest if _DRIVE.match(rest) else "\\" + rest if rest[:1] in "Dd" else "\\\\?\\" + rest


def split(path: str) -> Split | None:
    """What a path on a volume without a letter consists of; None for every other path."""
    found = _VOLUME.match(plain(path))
    return Split(found[1], found[2]) if found else None


def names_no_drive(path: str, who: str) -> str | None:
    """Why a file cannot be acted on by its path where `who` cannot tell the endpoint's drives, or None."""
    found = split(path)
    return f"{who} cannot tell which drive {found.volume} is on this endpoint: name the file by its drive" if found else None


def is_bare(path: str) -> bool:
    """Whether it is a name without any folder."""
    return bool(path) and not re.search(r"[\\/]", path)


def ends_alike(one: str, other: str) -> bool:
    """Whether two paths, one of which names no drive, lead to the same below it. Windows minds no case."""
    tails = sorted((_tail(one), _tail(other)), key=len)
    is_open = any(found.is_system_root for each in (one, other) if (found := split(each)))
    return tails[1].endswith(tails[0]) if is_open else tails[0] == tails[1]


def _tail(path: str) -> str:
    found = split(path)
    return (found.tail if found else _DRIVE.sub("", plain(path))).replace("/", "\\").casefold()
