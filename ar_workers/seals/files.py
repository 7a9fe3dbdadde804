"""Files that hold keys: read only where nobody else could, and looked at again only when they have changed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..domain.errors import KeyUnusable
from ..domain.kept import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_private(path: Path, lost: str) -> bytes:
    """A private key as it stands in its file; `lost` says what to do without it. Raises KeyUnusable where others could have it."""
    try:
        found = path.stat()
        if not is_kept(found.st_mode, found.st_gid, {os.getegid(), *os.getgroups()}):
            raise KeyUnusable(f"{path} can be read or changed by others: chmod 600 it, and if it was so for long, {lost}")
        return path.read_bytes()
    except OSError as error:
        words = f"{path} cannot be read ({error.strerror}): this process may not speak as `{path.stem}` without it"
        raise KeyUnusable(f"{words}. Do this on the machine that has it, or copy it; if it is lost, {lost}") from None


def told(path: Path) -> tuple[int, ...]:
    """What tells a file from the one that stood there before; nothing of one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """The folder is there, or is made. Raises KeyUnusable where it or what is written in it cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise KeyUnusable(f"no keys can be kept in {folder} ({error.strerror}): name a folder of your own in AR_KEYS or AR_HOME") from None
