"""The rate limit by source address, which a caller prolongs by calling on."""

from __future__ import annotations

import threading
from collections import deque


class Throttle:
    """At most `limit` calls per address within any `window` of virtual seconds; refused calls count as well."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit, self._window = limit, window
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def wait(self, address: str, now: float) -> float:
        """Count a call; the virtual seconds for which the address should stay away, 0 if it is within the limit."""
        with self._lock:
            calls = self._calls.setdefault(address, deque(maxlen=self._limit + 1))
            calls.append(now)
            while calls[0] <= now - self._window:
                calls.popleft()
            return calls[1] + self._window - now if len(calls) > self._limit else 0.0
