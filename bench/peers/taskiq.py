"""taskiq over a Redis list: its pipelines need a result backend, so the isolation's task sends the six."""

from __future__ import annotations

import asyncio

from taskiq_redis import ListQueueBroker

from bench.peers.stage import tally, url

SETTINGS = "ListQueueBroker, 2 workers, uvloop, no results, publishing 50 at once; fan-out in the task"
WORKERS = [["-m", "taskiq", "worker", "bench.peers.taskiq:broker", "--workers", "2", "--log-level", "WARNING"]]
AT_ONCE = 50
broker = ListQueueBroker(url())


@broker.task
async def isolate(number: int) -> None:
    tally.add()
    await asyncio.gather(*(act.kiq(number) for _ in range(6)))


@broker.task
async def act(number: int) -> None:
    tally.add()


@broker.task
async def deliver(number: int) -> None:
    tally.add()


def publish(numbers: range) -> None:
    asyncio.run(_publish(numbers))


async def _publish(numbers: range) -> None:
    await broker.startup()
    try:
        for start in range(numbers.start, numbers.stop, AT_ONCE):
            some = range(start, min(start + AT_ONCE, numbers.stop))
            await asyncio.gather(*(each.kiq(number) for number in some for each in (isolate, deliver, deliver)))
    finally:
        await broker.shutdown()
