"""Events a second that the ledger keeps, with Redis writing to the disk every second or before every answer."""

from __future__ import annotations

import time
from functools import partial

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.pipeline.ingest import ingest
from bench.runs import Sizes, Table, a_redis, interleaved, median, spread
from bench.threats import an_event

POLICIES = ("everysec", "always")
BATCHES = (1, 10, 100)
#: One by one is slow, and shows as much with fewer.
MOST_BATCHES = 500


def measure(sizes: Sizes) -> list[Table]:
    pairs = [(fsync, batch) for batch in BATCHES for fsync in POLICIES]
    found = interleaved(sizes.rounds, {f"{fsync}, {batch} at a time": partial(_rate, fsync, batch, sizes.events) for fsync, batch in pairs})
    base = median(found["everysec, 1 at a time"])
    rows = tuple((name, f"{median(each) / base:.2f}", f"{median(each):.0f}", spread(each)) for name, each in found.items())
    headers = ("appendfsync", "x one by one, everysec", "events/s", "least-most")
    return [Table(f"Events a second by one publisher, each rung for, medians of {sizes.rounds}", headers, rows)]


def _rate(fsync: str, batch: int, most: int) -> float:
    count = min(most, batch * MOST_BATCHES)
    with a_redis(fsync=fsync, memory="4gb") as (server, _):
        ledger, doorbell = ledger_at(server.url), doorbell_at(server.url)
        events = [an_event(number) for number in range(count)]
        started = time.perf_counter()
        for start in range(0, count, batch):
            ingest(ledger, doorbell, events[start : start + batch])
        took = time.perf_counter() - started
        assert ledger.outstanding("acme") == count
    return count / took
