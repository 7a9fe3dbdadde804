"""The whole pipeline: ledger, claims, guards, timeline, and beat with its sweep beside the two workers."""

from __future__ import annotations

import os

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.domain.canvas import Queue
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.limits import declare_limits
from bench import noop
from bench.peers.stage import url
from bench.threats import an_event

POOL, SIZE = os.environ.get("BENCH_POOL", "threads:8").split(":")
CUSTOMERS = [name for name in noop.customers() if name != noop.FLOOD]
SETTINGS = f"2 workers -P {POOL} -c {SIZE} over all queues, and beat; ingested 200 at a time"
_CELERY = ["-m", "celery", "-A", "bench.noop:app"]
_WORKER = [*_CELERY, "worker", "-P", POOL, "-c", SIZE, "-Q", ",".join(Queue), "-l", "WARNING"]
_PREFETCH = ["--prefetch-multiplier", os.environ["BENCH_PREFETCH"]] if "BENCH_PREFETCH" in os.environ else []
WORKERS = [*([*_WORKER, *_PREFETCH, "-n", f"{n}@%h"] for n in range(2)), [*_CELERY, "beat", "-l", "WARNING", "--pidfile="]]
AT_ONCE = 200
_ledger, _doorbell = ledger_at(url()), doorbell_at(url())
declare_limits(noop.services(url()))


def publish(numbers: range) -> None:
    for start in range(numbers.start, numbers.stop, AT_ONCE):
        some = range(start, min(start + AT_ONCE, numbers.stop))
        ingest(_ledger, _doorbell, [an_event(number, CUSTOMERS[number % len(CUSTOMERS)]) for number in some])


def is_done() -> bool:
    """Every row is settled, not only every action asked for."""
    return not any(_ledger.outstanding(name) for name in CUSTOMERS)
