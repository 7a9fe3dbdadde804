"""What this machine has seen closed by who may close it stays closed here, until who may has opened it or its end has come.

A kill switch that is only deleted in Redis was opened by nobody. A machine that has never seen it closed cannot tell it from one that
never was.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from ..domain.people import Decision
from .switches import opened_at, sealed_pause, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ..domain.pauses import Pause
    from ..ports import Seals
    from .noted import Noted

_log = logging.getLogger(__name__)


class _Closed(NamedTuple):
    pause: Pause
    text: str


class Remembered:
    """Of all customers whose switches this process has looked at, or another one of this machine. Threads may share one.

    `now` is the ledger's clock, which alone says whether a pause has ended.
    """

    def __init__(self, seals: Seals, noted: Noted, now: Callable[[], datetime]) -> None:
        self._seals, self._noted, self._now = seals, noted, now
        self._lock = threading.Lock()
        self._closed: dict[tuple[str | None, str], _Closed] = {}
        self._told: set[str] = set()

    def gone(self, customer: str | None, found: Mapping[str, str]) -> dict[str, str]:
        """By scope the pauses that count though they do not stand in `found`, a customer's switches as they are kept."""
        with self._lock:
            for owner, theirs in self._noted.news().items():
                for scope, text in theirs.items():
                    self._look(owner or None, scope, text)
            for scope, each in self._of(customer):
                if found.get(scope) != each.text and self._is_over(customer, scope, each.pause, found):
                    del self._closed[customer, scope]
                    self._noted.drop(customer, scope, each.text)
            for scope, text in standing(found).items():
                if self._look(customer, scope, text):
                    self._noted.add(customer, scope, text)
            gone = [(scope, each) for scope, each in self._of(customer) if found.get(scope) != each.text]
            for _, each in gone:
                self._tell(customer, each)
            return {scope: each.text for scope, each in gone}

    def _of(self, customer: str | None) -> list[tuple[str, _Closed]]:
        return [(scope, each) for (owner, scope), each in self._closed.items() if owner == customer]

    def _look(self, customer: str | None, scope: str, text: str) -> bool:
        """Whether it is news. One that is signed is kept, instead of one that ends no later, or if who signed it may open that."""
        known = self._closed.get((customer, scope))
        if known and known.text == text:
            return False
        pause = sealed_pause(text, customer, scope, self._seals)
        if pause is None or (known and not self._follows(pause, known.pause)):
            return False
        self._closed[customer, scope] = _Closed(pause, text)
        return True

    def _follows(self, new: Pause, old: Pause) -> bool:
        is_later = bool(new.since and old.since and new.since >= old.since)
        return is_later and (not new.ends_before(old) or self._seals.may(new.by, Decision.RESUME))

    def _is_over(self, customer: str | None, scope: str, pause: Pause, found: Mapping[str, str]) -> bool:
        if pause.until and pause.has_ended(self._now()):
            return True
        at = opened_at(found, customer, scope, self._seals)
        return bool(at and pause.since and pause.since < at)

    def _tell(self, customer: str | None, each: _Closed) -> None:
        if each.text in self._told:
            return
        self._told.add(each.text)
        fix = "find out who may write to Redis; `arctl pauses` shows it, `arctl resume` opens it, on another machine once it is paused anew"
        what = f"{customer or 'everyone'}, closed by {each.pause.by}: {each.pause.reason}"
        _log.critical("security: a kill switch was opened by nobody who may, and stays closed (%s): %s", what, fix)
