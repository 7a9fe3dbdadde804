"""What this process has seen closed by who may close it stays closed here, until who may has opened it or its end has come.

A kill switch that is only deleted in Redis was opened by nobody. Whoever begins after that cannot tell it from one that was never closed.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ..domain.people import Decision
from .switches import opened_at, sealed_pause, standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..domain.pauses import Pause
    from ..ports import Seals

_log = logging.getLogger(__name__)
#: The scripts go by Redis's clock; one that is over is forgotten once it is so by any clock that is set.
_FORGOTTEN_AFTER = timedelta(days=1)


class _Closed(NamedTuple):
    pause: Pause
    text: str


class Remembered:
    """Of all customers whose switches this process has looked at. Threads may share one."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals
        self._lock = threading.Lock()
        self._closed: dict[tuple[str | None, str], _Closed] = {}
        self._told: set[str] = set()

    def gone(self, customer: str | None, found: Mapping[str, str]) -> dict[str, str]:
        """By scope the pauses that count though they do not stand in `found`, a customer's switches as they are kept."""
        with self._lock:
            for scope, each in self._of(customer):
                if found.get(scope) != each.text and self._is_over(customer, scope, each.pause, found):
                    del self._closed[customer, scope]
            for scope, text in standing(found).items():
                self._look(customer, scope, text)
            gone = [(scope, each) for scope, each in self._of(customer) if found.get(scope) != each.text]
            for _, each in gone:
                self._tell(customer, each)
            return {scope: each.text for scope, each in gone}

    def _of(self, customer: str | None) -> list[tuple[str, _Closed]]:
        return [(scope, each) for (owner, scope), each in self._closed.items() if owner == customer]

    def _look(self, customer: str | None, scope: str, text: str) -> None:
        """One that is signed is kept. It takes the place of one before it that ends no later, or if who signed it may open that."""
        known = self._closed.get((customer, scope))
        if known and known.text == text:
            return
        pause = sealed_pause(text, customer, scope, self._seals)
        if pause and (known is None or self._follows(pause, known.pause)):
            self._closed[customer, scope] = _Closed(pause, text)

    def _follows(self, new: Pause, old: Pause) -> bool:
        is_later = bool(new.since and old.since and new.since >= old.since)
        return is_later and (not new.ends_before(old) or self._seals.may(new.by, Decision.RESUME))

    def _is_over(self, customer: str | None, scope: str, pause: Pause, found: Mapping[str, str]) -> bool:
        if pause.has_ended(datetime.now(UTC) - _FORGOTTEN_AFTER):
            return True
        at = opened_at(found, customer, scope, self._seals)
        return bool(at and pause.since and pause.since < at)

    def _tell(self, customer: str | None, each: _Closed) -> None:
        if each.text in self._told:
            return
        self._told.add(each.text)
        fix = "find out who may write to Redis; to open it, pause the same anew and resume that"
        what = f"{customer or 'everyone'}, closed by {each.pause.by}: {each.pause.reason}"
        _log.critical("security: a kill switch was opened by nobody who may, and stays closed (%s): %s", what, fix)
