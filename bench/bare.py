"""Bare Celery for the latency: its isolate task writes down when it ran."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import redis
from celery import Celery, group

from bench.noop import MARKS

app = Celery("bare", broker=os.environ.get("AR_REDIS_URL"), set_as_current=False)
app.config_from_object({"task_acks_late": True, "task_ignore_result": True, "broker_connection_retry_on_startup": True})
_marks = redis.Redis.from_url(os.environ.get("AR_REDIS_URL", "redis://127.0.0.1:6379/0"))


@app.task(name="isolate", queue="isolation")
def isolate(number: int) -> None:
    _marks.hset(MARKS, str(number), time.time())


@app.task(name="act", queue="ioc")
def act(number: int) -> None:
    """An empty task."""


def bare_workflow(url: str) -> Callable[[int], None]:
    """What publishes a threat: chain and group, and two more."""
    sender = Celery("sender", broker=url, set_as_current=False)
    sender.conf.task_ignore_result = True

    def task(name: str, number: int, queue: str):
        return sender.signature(name, args=(number,), immutable=True, options={"queue": queue})

    def publish(number: int) -> None:
        (task("isolate", number, "isolation") | group([task("act", number, "ioc") for _ in range(6)], app=sender)).apply_async()
        for _ in range(2):
            task("act", number, "ioc").apply_async()

    return publish
