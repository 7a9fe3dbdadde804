"""Leases are short, so that a lost worker is soon replaced, and are prolonged while their worker lives."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..domain.errors import LedgerUnavailable
from ..domain.leases import Lease, working_under

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from ..domain.claims import Claim
    from ..ports import Ledger

_log = logging.getLogger(__name__)
#: A visit that has not ended after so many seconds hangs: it is given up, and somebody else may have its rows.
LONGEST_VISIT = 300.0


class _Held(NamedTuple):
    since: float
    claims: Sequence[Claim]
    lease: Lease


class Heartbeat:
    """Prolongs the leases of all claims that this process holds, three times in the life of a lease."""

    def __init__(self, ledger: Ledger, lease: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._lease, self._monotonic = ledger, lease, monotonic
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, claims: Sequence[Claim], since: float) -> Iterator[None]:
        """The claims, which were asked for at `since`, are ours until this ends or their lease is over. What is sent inside asks."""
        if not claims:
            yield
            return
        lease = Lease(since, self._lease.total_seconds(), self._monotonic)
        with self._lock:
            self._held[id(claims)] = _Held(since, claims, lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            with working_under(lease):
                yield
        finally:
            with self._lock:
                del self._held[id(claims)]

    def renew(self) -> int:
        """Prolong what is held now and does not hang. Returns how many rows."""
        now = self._monotonic()
        with self._lock:
            held = [each for each in self._held.values() if now - each.since < LONGEST_VISIT]
        claims = [claim for each in held for claim in each.claims]
        if claims:
            self._ledger.renew(claims, self._lease)
        for each in held:
            each.lease.prolong(now)
        return len(claims)

    def _beat(self) -> None:
        while True:
            time.sleep(self._lease.total_seconds() / 3)
            try:
                self.renew()
            except LedgerUnavailable as error:
                _log.warning("leases were not prolonged: %s", error)
