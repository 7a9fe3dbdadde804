"""Our queue alone: our doorbell and transport play nine empty tasks as one canvas; no ledger, and nothing is coalesced."""

from __future__ import annotations

import os

from ar_workers import celery
from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.domain.canvas import Canvas, Queue, Ring, Step
from bench.peers.stage import tally, url

POOL, SIZE = os.environ.get("BENCH_POOL", "threads:4").split(":")
_PREFETCH = os.environ.get("BENCH_PREFETCH", "4")
_CELERY = ["-m", "celery", "-A", "bench.peers.queue:app", "worker", "--prefetch-multiplier", _PREFETCH]
_WORKER = [*_CELERY, "-P", POOL, "-c", SIZE, "-Q", "isolation,ioc,notify", "-l", "WARNING"]
SETTINGS = f"2 workers -P {POOL} -c {SIZE}, prefetch {_PREFETCH}, our transport and doorbell; chain + group"
WORKERS = [[*_WORKER, "-n", f"{n}@%h"] for n in range(2)]
celery.BACKLOG = 10**9
app = celery_at(url())
app.conf.imports = ()


@app.task(name="ar_workers.tasks.isolate")
def isolate(*ids: str) -> None:
    tally.add()


@app.task(name="ar_workers.tasks.act")
def act(*ids: str) -> None:
    tally.add()


@app.task(name="ar_workers.tasks.deliver")
def deliver(*ids: str) -> None:
    tally.add()


def publish(numbers: range) -> None:
    doorbell = CeleryDoorbell(app)
    for number in numbers:
        doorbell.play(_score(f"acme:{number}"))


def _score(name: str) -> Canvas:
    def step(queue: Queue, *then: Step) -> Step:
        return Step(ring=Ring(id=name, queue=queue, label=name, lane="", more=()), then=then)

    return Canvas(steps=(step(Queue.ISOLATION, *(step(Queue.IOC) for _ in range(6))), step(Queue.NOTIFY), step(Queue.NOTIFY)))
