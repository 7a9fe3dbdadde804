"""The lists of the well-known: MISP's warning lists as they are packed here or in `AR_HOME`, and the public suffixes.

`catalogue` says which lists are wanted and why, `misp` reads them where MISP publishes them, `packed` is the file that both are
kept in, `suffixes` are those of `publicsuffixlist`.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..domain.wellknown import WellKnown
from .packed import BadLists, Packed, read_packed
from .suffixes import public_suffixes

_log = logging.getLogger(__name__)
#: In `AR_HOME`: what `arctl lists update` has written.
NAME = "warninglists.zip"
#: Seconds for which a look at the operator's file holds.
LOOK_LIVES = 1.0


@cache
def shipped() -> Packed:
    """The lists of this version."""
    return read_packed(Path(str(files(__package__) / NAME)))


class Shelf:
    """The lists that count now: the operator's file, read again when it has changed, or else those of this version.

    A file that cannot be read is told in the log and stands for nothing: less is never known than this version knows.
    """

    def __init__(self, path: Path, *, look_lives: float = LOOK_LIVES) -> None:
        self._path, self._look_lives = path, look_lives
        self._looked_at = float("-inf")
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._known: WellKnown | None = None

    def __call__(self) -> WellKnown:
        """Any number of threads may ask."""
        with self._lock:
            if self._known is None or time.monotonic() - self._looked_at > self._look_lives:
                self._looked_at, seen = time.monotonic(), _told(self._path)
                if self._known is None or seen != self._seen:
                    self._seen, self._known = seen, _known(current(self._path))
            return self._known


def current(path: Path) -> Packed:
    """The operator's lists, or those of this version where there are none that can be read."""
    if not path.exists():
        return shipped()
    try:
        return read_packed(path)
    except BadLists as error:
        _log.error("%s; the lists of this version count: write it anew by `arctl lists update`", error)
        return shipped()


def _known(packed: Packed) -> WellKnown:
    return WellKnown(public_suffixes(), packed.domains(), packed.hashes())


def _told(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
