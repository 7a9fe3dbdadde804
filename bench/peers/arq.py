"""arq: it knows no chains, so the isolation's job sends the six."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from arq import create_pool, run_worker
from arq.connections import RedisSettings

from bench.peers.stage import tally, url

SETTINGS = "2 processes, 100 jobs at once, poll every 10 ms, uvloop, no results; fan-out in the job"
_WORK = "import uvloop; uvloop.install(); from bench.peers.arq import work; work()"
WORKERS = [["-c", _WORK]] * 2
AT_ONCE = 50


async def isolate(ctx: dict, number: int) -> None:
    tally.add()
    await asyncio.gather(*(ctx["redis"].enqueue_job("act", number) for _ in range(6)))


async def act(ctx: dict, number: int) -> None:
    tally.add()


async def deliver(ctx: dict, number: int) -> None:
    tally.add()


class Settings:
    functions = (isolate, act, deliver)
    redis_settings = replace(RedisSettings.from_dsn(url()), max_connections=1000)
    max_jobs = 100
    poll_delay = 0.01
    keep_result = 0


def work() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    run_worker(Settings)


def publish(numbers: range) -> None:
    asyncio.run(_publish(numbers))


async def _publish(numbers: range) -> None:
    pool = await create_pool(Settings.redis_settings)
    for start in range(numbers.start, numbers.stop, AT_ONCE):
        some = range(start, min(start + AT_ONCE, numbers.stop))
        await asyncio.gather(*(pool.enqueue_job(name, number) for number in some for name in ("isolate", "deliver", "deliver")))
    await pool.aclose()
