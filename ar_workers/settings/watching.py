"""Whether files of the settings have changed, by what the file system says of them: cheap enough to be asked every few seconds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NS = 1e-9


class Look(NamedTuple):
    """What a look found: `files` differ as soon as one is written, replaced or gone; `changed_at` is when one last was, in seconds.

    The node's own time counts: a mode that was mended, or a rotation that keeps the content's time, is a change, too.
    """

    files: frozenset[tuple[str, tuple[int, ...]]]
    changed_at: float


def look(folder: Path, environ: Mapping[str, str]) -> Look:
    """At the customers' files, and at every file that a variable `..._FILE` names."""
    paths = [*_customers(folder), *(path for variable, path in environ.items() if variable.endswith("_FILE"))]
    files = {path: _told(path) for path in paths}
    changed = [told[-1] for told in (*files.values(), _told(os.fspath(folder))) if told]
    return Look(frozenset(files.items()), max(changed, default=0) * _NS)


def _customers(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.path for entry in entries if entry.name.endswith(".toml"))
    except OSError:
        return


def _told(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path of each of a thousand files takes several times as long
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
