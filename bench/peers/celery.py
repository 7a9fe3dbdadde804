"""Bare Celery: chain + group and two more, acks_late; BENCH_TRANSPORT=ours puts our transport under it, nothing else."""

from __future__ import annotations

import os

from celery import Celery, group

from bench.peers.stage import tally, url

POOL, SIZE = os.environ.get("BENCH_POOL", "threads:4").split(":")
IS_OURS = os.environ.get("BENCH_TRANSPORT") == "ours"
SETTINGS = f"2 workers -P {POOL} -c {SIZE}, {'our transport' if IS_OURS else 'stock transport, acks_late'}; chain + group"
_WORKER = ["-m", "celery", "-A", "bench.peers.celery:app", "worker", "-P", POOL, "-c", SIZE, "-Q", "isolation,ioc", "-l", "WARNING"]
WORKERS = [[*_WORKER, "-n", f"{n}@%h"] for n in range(2)]
app = Celery("bare", broker=url())
app.config_from_object({"task_ignore_result": True, "task_acks_late": not IS_OURS, "broker_connection_retry_on_startup": True})
if IS_OURS:
    app.conf.broker_transport = "ar_workers.transport:Transport"


@app.task(name="isolate", queue="isolation")
def isolate(number: int) -> None:
    tally.add()


@app.task(name="act", queue="ioc")
def act(number: int) -> None:
    tally.add()


@app.task(name="deliver", queue="ioc")
def deliver(number: int) -> None:
    tally.add()


def publish(numbers: range) -> None:
    for number in numbers:
        (isolate.si(number) | group(act.si(number) for _ in range(6))).apply_async()
        deliver.si(number).apply_async()
        deliver.si(number).apply_async()
