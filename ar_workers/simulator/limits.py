"""Sliding windows, as vendors count requests: of one minute, unless told otherwise."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

WINDOW = 60.0


@dataclass(frozen=True)
class Allowance:
    allowed: bool
    limit: int
    remaining: int
    free_at: float


class SlidingWindow:
    """At most `limit` calls per key within any `window` seconds of virtual time."""

    def __init__(self, limit: int, *, window: float = WINDOW) -> None:
        self.limit = limit
        self._window = window
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def take(self, key: str, now: float) -> Allowance:
        """Count one call if there is room for it."""
        with self._lock:
            calls = self._recent(key, now)
            if len(calls) >= self.limit:
                return Allowance(allowed=False, limit=self.limit, remaining=0, free_at=self._free_at(calls, now))
            calls.append(now)
            return Allowance(allowed=True, limit=self.limit, remaining=self.limit - len(calls), free_at=now)

    def _recent(self, key: str, now: float) -> deque[float]:
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - self._window:
            calls.popleft()
        return calls

    def _free_at(self, calls: deque[float], now: float) -> float:
        return (calls[0] if calls else now) + self._window
