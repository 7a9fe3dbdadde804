"""Files that are their owner's alone, whatever the umask is, and that are whole whenever somebody looks."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One at a time writes in the folder, of all processes. What was read before is of no use to the next."""
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def written(path: Path, data: bytes) -> Iterator[Path]:
    """Whole, on the disk, and its owner's alone, under another name."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def place(path: Path, data: bytes) -> None:
    """Instead of what is there."""
    with written(path, data) as fresh:
        fresh.replace(path)


def place_once(path: Path, data: bytes) -> None:
    """Of several who do so at once the first one's counts."""
    with written(path, data) as fresh, suppress(FileExistsError):
        path.hardlink_to(fresh)
