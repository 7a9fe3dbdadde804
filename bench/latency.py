"""Milliseconds from the accepted event to the isolate request, at a steady rate: beside bare Celery, and behind a long queue."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.domain.canvas import Queue
from ar_workers.domain.endpoints import Vendor
from ar_workers.pipeline.ingest import ingest
from bench import noop
from bench.bare import bare_workflow
from bench.machines import ALIKE, PRODUCTION, running
from bench.runs import Sizes, Table, a_redis, at, interleaved, median
from bench.threats import a_flood, an_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

SHARES = {"p50": 0.5, "p99": 0.99}
HASHES = 1_000
OURS, BARE = "ours, 2 workers alike", "bare Celery, 2 workers alike"
IDLE, FLOODED = "ours, as in production, idle", "ours, as in production, behind a long queue"
SETTLING = 30.0
#: Seconds whose delays do not count: every worker connects and imports with its first messages.
WARM_UP = 2


def measure(sizes: Sizes) -> list[Table]:
    sides = {
        OURS: partial(ours, sizes),
        BARE: partial(bare, sizes),
        IDLE: partial(ours, sizes, layout=PRODUCTION),
        FLOODED: partial(ours, sizes, layout=PRODUCTION, prepare=partial(_flood, queued=sizes.queued)),
    }
    found = interleaved(sizes.rounds, sides)
    delays = {name: {share: median([each[share] for each in runs]) for share in SHARES} for name, runs in found.items()}
    pairs = ((OURS, BARE), (FLOODED, IDLE))
    rows = tuple(
        (f"{share}: {name} against {other}", f"{delays[name][share] / delays[other][share]:.2f}", *_both(delays, name, other, share))
        for name, other in pairs
        for share in SHARES
    )
    title = f"From accepted event to isolate request at {sizes.rate} threats/s, medians of {sizes.rounds}"
    note = f"The long queue: {sizes.queued} bans of another customer, whose EDR takes 50 ms per call, are queued and worked on meanwhile."
    return [Table(title, ("", "ratio", "ms", "against ms"), rows, note)]


def _both(delays: dict[str, dict[str, float]], name: str, other: str, share: str) -> tuple[str, str]:
    return f"{delays[name][share]:.1f}", f"{delays[other][share]:.1f}"


def ours(
    sizes: Sizes, *, layout: dict[str, tuple[str, int]] = ALIKE, prepare: Callable[[str, redis.Redis], None] | None = None
) -> dict[str, float]:
    """The percentiles, of one run."""
    with a_redis(memory="8gb") as (server, client), running(server.url, layout, BENCH_MARKS="1", BENCH_FLOOD_MS="50"):
        if prepare:
            prepare(server.url, client)
        return steady(server.url, client, sizes)


def steady(url: str, client: redis.Redis, sizes: Sizes, *, first: int = 0) -> dict[str, float]:
    """Percentiles over a Redis at which workers run: events come in one by one."""
    ledger, doorbell = ledger_at(url), doorbell_at(url)
    accepted: dict[str, float] = {}

    def publish(number: int) -> None:
        event = an_event(number)
        accepted[f"agent-{number}"] = time.time()
        ingest(ledger, doorbell, [event])

    _at_rate(sizes, first, publish)
    return _percentiles(client, accepted, sizes)


def bare(sizes: Sizes) -> dict[str, float]:
    layout = {f"bare{number}": ("isolation,ioc", 4) for number in range(2)}
    with a_redis() as (server, client):
        os.environ["AR_REDIS_URL"] = server.url
        accepted: dict[str, float] = {}

        def publish(number: int) -> None:
            accepted[str(number)] = time.time()
            workflow(number)

        workflow = bare_workflow(server.url)
        with running(server.url, layout, app="bench.bare:app", beat=False):
            _at_rate(sizes, 0, publish)
            return _percentiles(client, accepted, sizes)


def _at_rate(sizes: Sizes, first: int, publish: Callable[[int], None]) -> None:
    begun = time.perf_counter()
    for n in range(sizes.rate * (WARM_UP + sizes.seconds)):
        time.sleep(max(0.0, begun + n / sizes.rate - time.perf_counter()))
        publish(first + n)


def _percentiles(client: redis.Redis, accepted: dict[str, float], sizes: Sizes) -> dict[str, float]:
    deadline = time.monotonic() + SETTLING
    while not accepted.keys() <= (reached := client.hgetall(noop.MARKS)).keys():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(accepted.keys() - reached.keys())} isolations were never asked for")
        time.sleep(0.1)
    delays = [(float(reached[key]) - since) * 1000 for key, since in list(accepted.items())[sizes.rate * WARM_UP :]]
    return {name: at(share, delays) for name, share in SHARES.items()}


def _flood(url: str, client: redis.Redis, *, queued: int) -> None:
    """Fill the ledger with another customer's bans, and wait until they are planned and theirs is the only queue."""
    ledger, doorbell = ledger_at(url), doorbell_at(url)
    ledger.limit(noop.FLOOD, Vendor.CROWDSTRIKE, noop.NoopEDR.limits)
    each = min(HASHES, queued)
    for number in range(queued // each):
        ingest(ledger, doorbell, [a_flood(number, each, noop.FLOOD)])
    deadline = time.monotonic() + 600
    while client.llen(Queue.RESPOND) or client.llen(Queue.ISOLATION) or _unplanned(client):
        if time.monotonic() > deadline:
            raise RuntimeError("the flood was not planned")
        time.sleep(0.2)


def _unplanned(client: redis.Redis) -> bool:
    """Whether an event still waits for its plan: it is due under the name `event/ID`."""
    found: Iterator[tuple[str, float]] = client.zscan_iter(f"ar:{{{noop.FLOOD}}}:due:first", match="event/*", count=10_000)
    return any(True for _ in found)
