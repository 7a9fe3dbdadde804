"""The simulator's time, which may run faster than the wall's and can be pushed forward by hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


def iso(instant: float) -> str:
    """Write an epoch instant as the vendors do: UTC, microseconds, a trailing Z."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class VirtualClock:
    """Seconds since the epoch, starting at the wall's now and running `speed` times as fast."""

    def __init__(self, *, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self.speed = speed
        self._lock = threading.Lock()
        self._wall_start = time.time()
        self._started = time.monotonic()
        self._pushed = 0.0

    def now(self) -> float:
        with self._lock:
            return self._wall_start + (time.monotonic() - self._started) * self.speed + self._pushed

    def now_iso(self) -> str:
        return iso(self.now())

    def advance(self, seconds: float) -> float:
        """Jump forward and return the new now; time never runs backwards."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._pushed += seconds
        return self.now()

    def wall_at(self, instant: float) -> float:
        """The wall time at which this clock will read `instant`, if nobody pushes it before then.

        Clients compare absolute times in headers with their own clock, not with ours.
        """
        return time.time() + (instant - self.now()) / self.speed
