"""Which kill switches somebody who may has closed, in a file of this machine: a process that begins later knows of them, too.

What stands there is believed only with a good seal, as everything in Redis. It is a memory, and no second record: where it cannot be
written, this process remembers all the same.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from ..disk import locked, place
from ..domain.errors import KeyUnusable
from ..seals.files import told, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    #: By customer (empty for all of them) and scope, as they stand in Redis.
    Pauses = dict[str, dict[str, str]]

_log = logging.getLogger(__name__)
NAME = "paused.json"


class Noted:
    """Over one file; without a path there is none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, ...] = ()

    def news(self) -> Pauses:
        """All that is noted, if that has changed since the last look; nothing else."""
        seen = told(self._path) if self._path else ()
        if self._path is None or seen == self._seen:
            return {}
        self._seen = seen
        return _read(self._path)

    def add(self, customer: str | None, scope: str, text: str) -> None:
        """It is closed."""
        self._change(lambda found: found.setdefault(customer or "", {}).update({scope: text}))

    def drop(self, customer: str | None, scope: str, text: str) -> None:
        """It is not any more, unless it was closed anew meanwhile."""

        def without(found: Pauses) -> None:
            if found.get(customer or "", {}).get(scope) == text:
                del found[customer or ""][scope]

        self._change(without)

    def _change(self, change: Callable[[Pauses], None]) -> None:
        if self._path is None:
            return
        try:
            with writing(self._path.parent), locked(self._path.parent):
                before, found = _read(self._path), _read(self._path)
                change(found)
                if found != before:
                    place(self._path, json.dumps(found).encode())
        except KeyUnusable as error:
            _log.error("what is paused is not noted on this machine, and is forgotten with this process: %s", error)


def _read(path: Path) -> Pauses:
    try:
        found = json.loads(path.read_bytes())
        return {str(owner): {str(scope): str(text) for scope, text in theirs.items()} for owner, theirs in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
