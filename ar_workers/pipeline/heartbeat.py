"""Leases are short, so that a lost worker is soon replaced, and are prolonged while their worker lives."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..domain.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from ..domain.rows import Claim
    from ..ports import Ledger

_log = logging.getLogger(__name__)
#: A visit that has not ended after so many seconds hangs: it is given up, and somebody else may have its rows.
LONGEST_VISIT = 300.0


class Heartbeat:
    """Prolongs the leases of all claims that this process holds, three times in the life of a lease."""

    def __init__(self, ledger: Ledger, lease: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._lease, self._monotonic = ledger, lease, monotonic
        self._held: dict[int, tuple[float, Sequence[Claim]]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, claims: Sequence[Claim]) -> Iterator[None]:
        """The claims are ours until this ends."""
        if not claims:
            yield
            return
        with self._lock:
            self._held[id(claims)] = self._monotonic(), claims
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._held[id(claims)]

    def renew(self) -> int:
        """Prolong what is held now and does not hang. Returns how many rows."""
        now = self._monotonic()
        with self._lock:
            claims = [claim for since, held in self._held.values() if now - since < LONGEST_VISIT for claim in held]
        if claims:
            self._ledger.renew(claims, self._lease)
        return len(claims)

    def _beat(self) -> None:
        while True:
            time.sleep(self._lease.total_seconds() / 3)
            try:
                self.renew()
            except LedgerUnavailable as error:
                _log.warning("leases were not prolonged: %s", error)
