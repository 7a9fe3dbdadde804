"""The lease under which this thread works, asked about at the last moment before something is sent.

A worker that was frozen, or its machine, wakes up in the middle of what it did. What it had claimed may be another's by then,
and neither an EDR nor a receiver knows the ledger's fencing tokens.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Why something was not sent.
LATE = "not sent: the worker was asleep, and the lease is over"


class Lease:
    """As far as its holder can tell: it ends so many seconds after it was asked for, the ledger's never sooner."""

    def __init__(self, since: float, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._monotonic = seconds, monotonic
        self._ends = since + seconds

    def is_over(self) -> bool:
        """Whether somebody else may have what it was for."""
        return self._monotonic() >= self._ends

    def prolong(self, since: float) -> None:
        """It was asked for again at `since`. If the answer came after its end, it may have been refused."""
        if not self.is_over():
            self._ends = since + self._seconds


_LEASE: ContextVar[Lease | None] = ContextVar("lease", default=None)


@contextmanager
def working_under(lease: Lease) -> Iterator[None]:
    """What this thread sends inside is sent under this lease."""
    token = _LEASE.set(lease)
    try:
        yield
    finally:
        _LEASE.reset(token)


def is_over() -> bool:
    """Whether this thread works under a lease that has ended. What it is about to send must not be sent then."""
    lease = _LEASE.get()
    return lease is not None and lease.is_over()
