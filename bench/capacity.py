"""What customers need: workers and Redis shards on a usual day, and how a vendor's allowance stretches the worst one.

The usual day is arithmetic over measured constants. The worst day is simulated: visits that draw from the same token
buckets as the ledger's (`wait_for` in its scripts), isolations first.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ar_workers.edr import ADAPTERS
from bench.runs import Sizes, Table

if TYPE_CHECKING:
    from ar_workers.domain.limits import Limits

#: Milliseconds of CPU, Redis commands and bytes per threat, rounded up. By `BENCH_OFF=coalescing,joint-plans` before `throughput`, which
#: is a usual day: nothing queues, so that every row has a message and every plan a script; and by `growth`. Without HTTP and TLS.
WORKER_MS, REDIS_MS, COMMANDS, BYTES = 12.0, 4.0, 360, 3_700
#: Assumed: how often an endpoint is in a published threat, and how far the busiest hour stands out of the mean.
THREATS_PER_ENDPOINT_AND_DAY, BUSIEST = 1 / 1_000, 10
#: Assumed: how long a vendor takes to answer, and how long what was is kept.
CALL_SECONDS, KEPT_DAYS = 0.5, 365
ACTIONS, CALLS_PER_ACTION = 7, 4
#: Above this share of a core Redis's answers get slow.
SHARD_LOAD, SHARD_GIB = 0.5, 16
CUSTOMERS, ENDPOINTS = (1, 10, 1_000), (1_000, 10_000, 100_000)

#: As in `ar_workers/ledger/scripts/parts/remotes.lua`.
BURST, RESERVE, VISIT = 0.25, 0.2, 4
HIT, WITHIN = 0.10, timedelta(hours=1)
#: Kill, delete a file, delete a registry key: in a remote shell, which stays open so long.
SHELLS, SHELL_SECONDS = 3, 15.0
#: The simulation's clock, like the ledger's, knows nothing shorter.
TICK = 0.001


@dataclass(frozen=True)
class Need:
    """Of so many customers together, in their busiest hour."""

    threats_per_second: float
    worker_cores: float
    threads: int
    commands_per_second: float
    gib: float
    shards: int


def need(customers: int, endpoints: int) -> Need:
    a_day = customers * endpoints * THREATS_PER_ENDPOINT_AND_DAY
    rate = a_day / 86_400 * BUSIEST
    gib = a_day * KEPT_DAYS * BYTES / 2**30
    busy = rate * REDIS_MS / 1000
    return Need(
        threats_per_second=rate,
        worker_cores=rate * WORKER_MS / 1000,
        threads=max(1, math.ceil(rate * ACTIONS * CALLS_PER_ACTION * CALL_SECONDS)),
        commands_per_second=rate * COMMANDS,
        gib=gib,
        shards=min(customers, max(1, math.ceil(busy / SHARD_LOAD), math.ceil(gib / SHARD_GIB))),
    )


class Bucket:
    """One rate of a vendor. Of its calls a quarter may come at once; the rest trickles in, so that no window is exceeded."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.capacity = max(1.0, calls * BURST)
        self.refill = ((calls - self.capacity) or calls) / seconds
        self._tokens, self._at = self.capacity, 0.0

    def wait(self, now: float, *, may_use_reserve: bool) -> float:
        """Seconds until a visit may begin."""
        left = 0.0 if may_use_reserve else self.capacity * RESERVE
        needed = min(float(VISIT), self.capacity - left) + left
        return max(0.0, (needed - self._now(now)) / self.refill)

    def take(self, now: float) -> None:
        self._tokens, self._at = self._now(now) - VISIT, now

    def _now(self, now: float) -> float:
        return min(self.capacity, self._tokens + (now - self._at) * self.refill)


@dataclass(frozen=True)
class WorstDay:
    """Seconds. `isolated` are the delays of the isolations, in order; `ended` is when the last action was done."""

    isolated: tuple[float, ...]
    ended: float
    requests: int


def worst_day(limits: Limits, endpoints: int) -> WorstDay:
    """One threat on a tenth of the endpoints within an hour: each is isolated, then worked on in remote shells."""
    return _Day(limits, max(1, int(endpoints * HIT))).play()


class _Day:
    def __init__(self, limits: Limits, hit: int) -> None:
        self._buckets = [Bucket(rate.calls, rate.per.total_seconds()) for rate in limits.rates]
        self._sessions = limits.sessions or hit * SHELLS
        self._arrivals = deque(n * WITHIN.total_seconds() / hit for n in range(hit))
        self._urgent: deque[float] = deque()
        self._shells = 0
        self._open: list[float] = []
        self._delays: list[float] = []
        self._visits = 0
        self._now = 0.0

    def play(self) -> WorstDay:
        while self._arrivals or self._urgent or self._shells:
            while self._arrivals and self._arrivals[0] <= self._now:
                self._urgent.append(self._arrivals.popleft())
            while self._open and self._open[0] <= self._now:
                heapq.heappop(self._open)
            wait = self._visit()
            if wait:
                self._now += max(wait, TICK)
        ended = max([self._now, *self._open])
        return WorstDay(isolated=tuple(self._delays), ended=ended, requests=self._visits * VISIT)

    def _visit(self) -> float:
        """Begin one visit now, or say how long nothing can be begun."""
        urgent = bool(self._urgent)
        if not urgent and (not self._shells or len(self._open) >= self._sessions):
            return self._next() - self._now
        wait = max(each.wait(self._now, may_use_reserve=urgent) for each in self._buckets)
        if wait > 0:
            return min(wait, self._next() - self._now) if not urgent else wait
        for each in self._buckets:
            each.take(self._now)
        self._visits += 1
        if urgent:
            self._delays.append(self._now - self._urgent.popleft())
            self._shells += SHELLS
        else:
            self._shells -= 1
            heapq.heappush(self._open, self._now + SHELL_SECONDS)
        return 0.0

    def _next(self) -> float:
        """When something changes by itself: an endpoint is hit, or a shell ends."""
        return min(self._arrivals[0] if self._arrivals else math.inf, self._open[0] if self._open else math.inf)


def measure(sizes: Sizes) -> list[Table]:
    return [_usual(), _worst()]


def _usual() -> Table:
    needs = {(customers, endpoints): need(customers, endpoints) for customers in CUSTOMERS for endpoints in ENDPOINTS}
    first = needs[CUSTOMERS[0], ENDPOINTS[0]]
    rows = tuple(
        (
            f"{customers:,} x {endpoints:,}",
            f"{each.threats_per_second / first.threats_per_second:,.0f}",
            f"{each.threats_per_second:.4g}",
            f"{each.worker_cores:.2g}",
            f"{each.threads}",
            f"{each.commands_per_second:,.0f}",
            f"{each.gib:.2g}",
            f"{each.shards}",
        )
        for (customers, endpoints), each in needs.items()
    )
    note = (
        f"Assumed: {THREATS_PER_ENDPOINT_AND_DAY * 1000:.0f} threat a day per 1,000 endpoints, the busiest hour {BUSIEST} times the mean, "
        f"{CALL_SECONDS} s per call, kept for {KEPT_DAYS} days. "
        f"Per threat: {WORKER_MS:.0f} ms of workers without HTTP and TLS, {REDIS_MS:.0f} ms of Redis, {BYTES:,} bytes."
    )
    headers = ("customers x endpoints", "x the first", "threats/s", "worker cores", "threads", "Redis commands/s", "GiB", "shards")
    return Table("What the busiest hour of a usual day needs", headers, rows, note)


def _worst() -> Table:
    rows = []
    for vendor, entry in ADAPTERS.items():
        for endpoints in ENDPOINTS:
            day = worst_day(entry.adapter.limits, endpoints)
            ours = endpoints * HIT * WORKER_MS / 1000
            delays = sorted(day.isolated)
            rows.append(
                (
                    f"{vendor}, {endpoints:,}",
                    f"{day.ended / WITHIN.total_seconds():,.2f}",
                    f"{ours:.0f}",
                    f"{delays[len(delays) // 2]:,.0f}",
                    f"{delays[-1]:,.0f}",
                    f"{day.ended / 3600:,.1f}",
                    f"{day.requests:,}",
                )
            )
    note = (
        "Where it lasts longer than the hour that it took to happen, the limit is the vendor's allowance, or how many shells it opens "
        "at once; the workers need the seconds of CPU in the third column. "
        "An allowance that is counted by address is shared by all customers behind it."
    )
    headers = ("EDR, endpoints", "x the hour", "CPU s of ours", "isolation p50 in s", "last isolation in s", "all done after h", "requests")
    title = f"The worst day: one threat on {HIT:.0%} of all endpoints of a customer within an hour, against the vendor's limits"
    return Table(title, headers, tuple(rows), note)
