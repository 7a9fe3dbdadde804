"""What a threat costs as the ledger grows: latency, Redis commands, bytes kept, and the sweep."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bench.inline import Inline
from bench.latency import steady
from bench.machines import PRODUCTION, running
from bench.runs import Sizes, Table, a_redis, interleaved, median
from bench.threats import an_event

if TYPE_CHECKING:
    import redis

    from ar_workers.ports import Ledger

PROBED = 100
DUE = 100
SWEEPS = 20
#: Real threats go through the whole pipeline; beyond that, copies of the last one's keys under other names.
MOST_REAL = 1_000
FIRST_COPY = 10_000_000
BATCH = 2_000


@dataclass(frozen=True)
class Cost:
    """Of one ledger size."""

    p50: float
    commands: float
    kept: float
    idle_sweep: float
    busy_sweep: float


def measure(sizes: Sizes) -> list[Table]:
    found = interleaved(sizes.rounds, {f"{size:,}": partial(_cost, size, sizes) for size in sizes.ledgers})
    medians = {name: _median(runs) for name, runs in found.items()}
    first = next(iter(medians.values()))
    costs = tuple(
        (name, f"{cost.p50 / first.p50:.2f}", f"{cost.commands / first.commands:.2f}", f"{cost.p50:.1f}", f"{cost.commands:.0f}")
        for name, cost in medians.items()
    )
    sweeps = tuple(
        (name, f"{cost.busy_sweep / first.busy_sweep:.2f}", f"{cost.idle_sweep:.2f}", f"{cost.busy_sweep:.2f}", f"{cost.kept:.0f}")
        for name, cost in medians.items()
    )
    return [
        Table(
            f"A threat's cost by how many are settled already, medians of {sizes.rounds}",
            ("settled", "latency, x the first", "commands, x the first", "p50 in ms", "Redis commands per threat"),
            costs,
        ),
        Table(
            f"The sweep, and what is kept, medians of {sizes.rounds}",
            ("settled", f"sweep with {DUE} due, x the first", "ms with nothing due", f"ms with {DUE} due", "bytes per compacted threat"),
            sweeps,
            f"Beyond {MOST_REAL:,} the settled threats are copies of a real one's keys. Commands include those inside scripts.",
        ),
    ]


def _median(runs: list[Cost]) -> Cost:
    return Cost(**{name: median([getattr(each, name) for each in runs]) for name in Cost.__dataclass_fields__})


def _cost(size: int, sizes: Sizes) -> Cost:
    with a_redis(memory="16gb") as (server, client):
        inline = Inline(server.url)
        _warm_up(inline)
        empty = client.info("memory")["used_memory"]
        grow(inline, client, size)
        _calm_down(client)
        kept = (client.info("memory")["used_memory"] - empty) / size
        idle, busy = _sweeps(inline.services.ledger, client)
        commands = _commands(inline, client, size)
        with running(server.url, PRODUCTION, BENCH_MARKS="1"):
            p50 = steady(server.url, client, sizes, first=FIRST_COPY // 2)["p50"]
    return Cost(p50=p50, commands=commands, kept=kept, idle_sweep=idle, busy_sweep=busy)


def _warm_up(inline: Inline) -> None:
    """Scripts, buffers and connections are there before what a threat keeps is weighed."""
    inline.settle(range(FIRST_COPY - 2 * PROBED, FIRST_COPY - PROBED))
    _compact(inline, PROBED)


def grow(inline: Inline, client: redis.Redis, size: int) -> None:
    """Settle and compact `size` threats."""
    real = min(size, MOST_REAL)
    inline.settle(range(real))
    _compact(inline, real)
    _copy(client, real - 1, range(FIRST_COPY, FIRST_COPY + size - real))


def _calm_down(client: redis.Redis) -> None:
    """After so much at once the append-only file is rewritten and the disk is busy: nothing that a threat costs later."""
    deadline = time.monotonic() + 600
    while any(client.info("persistence")[name] for name in ("aof_rewrite_in_progress", "aof_rewrite_scheduled")):
        if time.monotonic() > deadline:
            raise RuntimeError("the append-only file is rewritten without an end")
        time.sleep(0.5)
    os.sync()


def _compact(inline: Inline, threats: int) -> None:
    packed = inline.services.ledger.compact(inline.services.clock.now() + timedelta(hours=1), threats)
    assert packed == threats, f"only {packed} of {threats} could be compacted"


def _copy(client: redis.Redis, number: int, numbers: range) -> None:
    """Every key that names the threat `number`, its endpoint or its indicators, as if it were each of `numbers`."""
    keys = _keys_of(client, number)
    for start in range(numbers.start, numbers.stop, BATCH):
        pipe = client.pipeline(transaction=False)
        for copy in range(start, min(start + BATCH, numbers.stop)):
            for key, kind, value in keys:
                _write(pipe, str(copy), key, kind, value)
            pipe.zadd("ar:{acme}:threats", {f"THREAT-{copy}": copy})
        pipe.execute()


def _keys_of(client: redis.Redis, number: int) -> list[tuple[str, str, object]]:
    """Its keys with `@` where the number stood."""
    rows = client.zrange(f"ar:{{acme}}:threat:THREAT-{number}:rows", 0, -1)
    names = [f"threat:THREAT-{number}", f"threat:THREAT-{number}:rows", f"threat:THREAT-{number}:packed", f"event:event-{number}"]
    keys = [f"ar:{{acme}}:{name}" for name in names] + [f"ar:{{acme}}:row:{row}" for row in rows]
    readers = {
        "hash": client.hgetall,
        "zset": lambda key: dict(client.zrange(key, 0, -1, withscores=True)),
        "string": client.get,
    }
    found = []
    for key in keys:
        kind = client.type(key)
        found.append((key, kind, readers[kind](key)))
    return found


def _write(pipe: redis.Redis, name: str, key: str, kind: str, value: object) -> None:
    if kind == "hash":
        pipe.hset(_renamed(key, name), mapping=value)
    elif kind == "zset":
        pipe.zadd(_renamed(key, name), {_renamed(member, name): score for member, score in value.items()})
    else:
        pipe.set(_renamed(key, name), value)


def _renamed(text: str, name: str) -> str:
    """Another threat's name; a row's checksum is made another by the copy's number in its place."""
    text = re.sub(r"(THREAT|event|agent)-\d+", rf"\1-{name}", text)
    return re.sub(r"[0-9a-f]{12,}", lambda found: (name + found[0])[: len(found[0])], text)


def _sweeps(ledger: Ledger, client: redis.Redis) -> tuple[float, float]:
    """Milliseconds of one look for what is due: with nothing, and with a hundred events."""

    def look() -> float:
        started = time.perf_counter()
        ledger.due(5_000, timedelta())
        return (time.perf_counter() - started) * 1000

    idle = median([look() for _ in range(SWEEPS)])
    events = [an_event(FIRST_COPY - 3 * PROBED - n) for n in range(DUE)]
    ledger.accept(events, unrung={"acme"})
    busy = median([look() for _ in range(SWEEPS)])
    for event in events:
        client.zrem("ar:{acme}:due:first", f"event/{event.id}")
    return idle, busy


def _commands(inline: Inline, client: redis.Redis, first: int) -> float:
    """Redis commands per threat, those inside scripts included."""

    def count() -> int:
        return sum(each["calls"] for each in client.info("commandstats").values())

    before = count()
    inline.settle(range(first, first + PROBED))
    return (count() - before) / PROBED
