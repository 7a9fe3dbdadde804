"""Budgets, breakers and bulkheads of the memory ledger: the arithmetic of `../scripts/00_common.lua` again, in a dict."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ...domain.rows import Health

if TYPE_CHECKING:
    from ...domain.limits import Limits, Rate

BURST, RESERVE, VISIT, BESET = 0.25, 0.2, 4, 200
MOST_FAILURES = 5
SHORTEST_OPEN, LONGEST_OPEN = timedelta(seconds=5), timedelta(seconds=30)
LEAST_SPACING = timedelta(milliseconds=50)
NOTHING = timedelta()


@dataclass
class _Bucket:
    rate: Rate
    tokens: float
    at: datetime

    @property
    def capacity(self) -> float:
        return max(1.0, self.rate.calls * BURST)

    @property
    def refill(self) -> float:
        """Tokens per second."""
        rest = self.rate.calls - self.capacity
        return (rest if rest > 0 else self.rate.calls) / self.rate.per.total_seconds()

    def fill(self, now: datetime) -> None:
        self.tokens = min(self.capacity, self.tokens + (now - self.at).total_seconds() * self.refill)
        self.at = now

    def shortage(self, wanted: float, *, urgent: bool) -> timedelta:
        left = 0.0 if urgent else self.capacity * RESERVE
        needed = min(wanted, self.capacity - left) + left
        if self.tokens >= needed:
            return NOTHING
        return timedelta(milliseconds=math.ceil((needed - self.tokens) / self.refill * 1000))


@dataclass
class Visitor:
    """A visit that is with a remote: until when, and how many rows it still holds."""

    until: datetime
    rows: int = 0


@dataclass
class Remote:
    """One EDR or receiver of one customer. `busy` and `queue` are kept apart for urgent visits (True) and others."""

    name: str
    buckets: list[_Bucket] = field(default_factory=list)
    blocked_until: datetime | None = None
    open_until: datetime | None = None
    failures: int = 0
    slot: datetime | None = None
    busy: dict[bool, dict[str, Visitor]] = field(default_factory=lambda: {True: {}, False: {}})
    queue: dict[bool, OrderedDict[str, None]] = field(default_factory=lambda: {True: OrderedDict(), False: OrderedDict()})

    def limit(self, limits: Limits, now: datetime) -> None:
        """Keep to these rates from now on."""
        self.buckets = [_Bucket(rate, 0.0, now) for rate in limits.rates]
        for bucket in self.buckets:
            bucket.tokens = bucket.capacity

    def wait(self, now: datetime, *, urgent: bool) -> tuple[timedelta, str]:
        """How long it must be left alone, and why; nothing if it may be asked now."""
        blocked = max(NOTHING, (self.blocked_until or now) - now)
        is_open = max(NOTHING, (self.open_until or now) - now)
        if blocked and blocked >= is_open:
            return blocked, f"{self.name} asked to be left alone"
        if is_open:
            return is_open, f"{self.name} does not answer: tried by one at a time"
        return self._shortage(now, VISIT, urgent=urgent), f"the allowance of {self.name} is used up for now"

    def _shortage(self, now: datetime, wanted: float, *, urgent: bool) -> timedelta:
        for bucket in self.buckets:
            bucket.fill(now)
        return max((bucket.shortage(wanted, urgent=urgent) for bucket in self.buckets), default=NOTHING)

    def turn(self, now: datetime, wait: timedelta, *, urgent: bool) -> datetime:
        """When a row that was put off comes back."""
        if urgent:
            return now + wait
        spacing = max([LEAST_SPACING, *(VISIT * each.rate.per / each.rate.calls for each in self.buckets)])
        at = max(now + wait, self.slot or now)
        self.slot = at + spacing
        return at

    def spend(self, now: datetime, *, urgent: bool) -> timedelta | None:
        """One request; how long to stay away instead."""
        if self.blocked_until and self.blocked_until > now:
            return self.blocked_until - now
        wait = self._shortage(now, 1, urgent=urgent)
        if wait:
            return wait
        for bucket in self.buckets:
            bucket.tokens -= 1
        return None

    def stay_away(self, now: datetime, wish: timedelta) -> None:
        """Its own wish."""
        if wish:
            self.blocked_until = max(self.blocked_until or now, now + wish)

    def is_full(self, owner: str, now: datetime, most: int, *, urgent: bool) -> bool:
        """Whether as many visits as may be are with it."""
        busy = {name: visitor for name, visitor in self.busy[urgent].items() if visitor.until > now}
        self.busy[urgent] = busy
        return len(busy) >= most and owner not in busy

    def has_place(self, now: datetime, most: int, already: int, *, urgent: bool) -> bool:
        """Whether there is use in ringing for one more. Where many wait, each visit that leaves calls the next."""
        if len(self.queue[urgent]) < BESET:
            return True
        return not self.is_full("", now, most, urgent=urgent) and len(self.busy[urgent]) + already < most

    def admit(self, owner: str, now: datetime, lease: timedelta, *, urgent: bool) -> None:
        """A visit begins; where the breaker is half open, it is its one probe."""
        visitor = self.busy[urgent].setdefault(owner, Visitor(now))
        visitor.until, visitor.rows = now + lease, visitor.rows + 1
        if self.failures >= MOST_FAILURES:
            self.open_until = now + LONGEST_OPEN

    def dismiss(self, owner: str, *, urgent: bool) -> bool:
        """One row of a visit has been let go; whether it was the last one and the visit has left."""
        visitor = self.busy[urgent].get(owner)
        if visitor is None:
            return False
        visitor.rows -= 1
        if visitor.rows <= 0:
            del self.busy[urgent][owner]
        return visitor.rows <= 0

    def judge(self, now: datetime, health: Health) -> None:
        """How it was on a visit."""
        if health is Health.OK:
            self.failures, self.open_until = 0, None
        elif health is Health.BAD:
            self.failures += 1
            if self.failures >= MOST_FAILURES:
                self.open_until = now + min(LONGEST_OPEN, SHORTEST_OPEN * 2 ** min(self.failures - MOST_FAILURES, 10))
