"""Whether a process that an EDR shows is the one that is meant: pids are reused, and names are anybody's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .errors import Unreadable
from .volumes import ends_alike, is_bare, plain, split

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .indicators import File, Process

#: Start times are compared to the second.
SAME_START = timedelta(seconds=2)


def not_meant(process: Process, image: str, *, sha256: Callable[[], str], started: Callable[[], datetime | None]) -> str | None:
    """Why the process of this image is not, or cannot be shown to be, the one that is meant; None if it is.

    A hash outweighs a name, and a name that is no whole path confirms nothing by itself. `sha256` and `started` are asked only
    where they decide; an empty text and None say that it cannot be read. Raises Unreadable where the hash would have decided.
    """
    found = sha256() if process.sha256 else ""
    if found:
        return None if found == process.sha256 else "its image has another SHA-256"
    meant = process.image_path or ""
    is_same = _is_same(meant, image)
    if meant and not is_same and not _may_be(meant, image):
        return f"its image is {image}"
    began = started() if process.started_at else None
    if process.started_at and began:
        return None if abs(began - process.started_at) <= SAME_START else f"it started at {began.isoformat()}"
    if is_same and not process.sha256:
        return None
    if process.sha256:
        raise Unreadable(f"{image} is gone, locked or cannot be read, and its hash is what confirms pid {process.pid}")
    unread = "no start time could be read"
    return unread if is_same or not meant else f"{meant} is no whole path here, and {unread}"


def _is_same(meant: str, image: str) -> bool:
    """Whether both are whole paths, and the same one."""
    both = [plain(each).replace("/", "\\").casefold() for each in (meant, image)]
    return both[0] == both[1] and not is_bare(meant) and split(meant) is None


def _may_be(meant: str, image: str) -> bool:
    """Whether one is what is known of the other: its name, or the path on a volume whose drive is not known."""
    if is_bare(meant) or is_bare(image):
        return _name(meant) == _name(image)
    return bool(split(meant) or split(image)) and ends_alike(meant, image)


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].casefold().removesuffix(".exe")


def unconfirmable(file: File) -> str | None:
    """Why somebody who reads SHA-256 only cannot confirm this file, or None."""
    return "only the SHA-1 of this file is known, and here its SHA-256 is what confirms it" if file.is_known_by_sha1_alone else None
