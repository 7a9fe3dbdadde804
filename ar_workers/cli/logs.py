"""Logs of earlier starts are kept beside the present one, as NAME.log.1, the latest, up to NAME.log.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 5
#: Bytes from which on a log is put away also when its process is only restarted; a crash loop would else drive out the first cause.
LARGE = 10 * 2**20


def put_away(log: Path, *, only_from: int = 0) -> None:
    """Make room for a new log, if this one has so many bytes. The oldest of the kept ones goes."""
    if not log.exists() or log.stat().st_size < max(only_from, 1):
        return
    for number in range(KEPT, 1, -1):
        older = log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))
    log.replace(log.with_name(f"{log.name}.1"))
