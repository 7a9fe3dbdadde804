"""Files of one machine that nobody but their owner may read, whatever the umask is: they tell of customers and threats."""

from __future__ import annotations

import os
import stat
from typing import IO, TYPE_CHECKING, Any

from ..domain.errors import ARError

if TYPE_CHECKING:
    from pathlib import Path

#: Of every child: what it makes is its owner's alone.
UMASK = 0o077


def private_folder(path: Path, *, with_all_in_it: bool = False) -> Path:
    """Make the folder, or narrow it. Raises ARError where it is another's, or shared by everybody as /tmp is."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & stat.S_ISVTX:
            raise ARError(f"{path} is shared by all users of this machine: name a folder of its own")
        path.chmod(0o700)
        for each in path.rglob("*") if with_all_in_it else ():
            if not each.is_symlink():
                each.chmod(0o700 if each.is_dir() else 0o600)
    except OSError as error:
        raise ARError(f"{path} cannot be kept from others ({error.strerror}): name a folder of your own") from None
    return path


def private_file(path: Path, mode: str) -> IO[Any]:
    """`open`, for writing. A file that is there already is narrowed before anything is written."""
    return open(path, mode, opener=_narrowed)


def _narrowed(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
