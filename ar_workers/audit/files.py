"""Files that only grow, and are their owner's alone whatever the umask is."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..disk import locked
from ..domain.errors import RecordUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: In that folder.
CHAINS, DOOR = "chains", "door"


def audit_folder(environ: Mapping[str, str]) -> Path:
    """Where these files are: AR_AUDIT, or `audit` in AR_HOME."""
    home = environ.get("AR_HOME")
    return Path(environ.get("AR_AUDIT") or (Path(home) if home else Path.home() / ".ar_workers") / "audit")


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """The folder is there, and one process at a time writes in it. Raises RecordUnusable for what the system refuses."""
    try:
        for each in (*reversed(folder.parents), folder):
            if not each.exists():
                each.mkdir(mode=0o700, exist_ok=True)
        with locked(folder):
            yield
    except OSError as error:
        why = f"{error.filename or folder}: {error.strerror}"
        raise RecordUnusable(f"the record cannot be kept ({why}): make room, or name a folder of your own in AR_AUDIT or AR_HOME") from None


def append(path: Path, data: bytes) -> None:
    """On the disk, when this returns: of a new file its name as well."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
