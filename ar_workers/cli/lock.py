"""One machine per folder: who has it holds a lock, which the kernel gives back however the process ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import IO, TYPE_CHECKING

from ..domain.errors import ARError
from .private import private_file, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "lock"


@contextlib.contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Hold the folder. Raises ARError that names who has it already."""
    path = private_folder(folder) / NAME
    with private_file(path, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ARError(f"{folder} is in use by {_holder(lock)}") from None
        except OSError as error:
            raise ARError(f"{folder} cannot be locked ({error.strerror}): name a folder on a disk of this machine") from None
        lock.truncate(0)
        lock.write(f"`{command}`, process {os.getpid()}")
        lock.flush()
        yield


def _holder(lock: IO[str]) -> str:
    """What the holder wrote; it may be between locking and writing."""
    lock.seek(0)
    return lock.read().strip() or "another arctl"
