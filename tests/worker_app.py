"""An app like ours whose one task leaves a mark in Redis, for tests that start a real worker."""

from __future__ import annotations

import os
import time

import redis
from celery.app.control import Inspect
from kombu.exceptions import OperationalError

from ar_workers.celery import TASKS, celery_at
from ar_workers.domain.canvas import Queue

app = celery_at(os.environ["AR_BROKER_URL"])
app.conf.imports = ()
app.conf.broker_transport_options |= {"health_check_interval": 0.5, "socket_timeout": float(os.environ.get("SOCKET_SECONDS", "10"))}
marks = redis.Redis.from_url(os.environ["MARKS_URL"])


def act(*ids: str) -> None:
    """Leave word that it has begun, and take a while if asked to."""
    marks.rpush("ran", *ids)
    time.sleep(float(os.environ.get("TASK_SECONDS", "0")))


for queue in (Queue.IOC, Queue.NOTIFY):
    app.task(act, name=TASKS[queue])


if os.environ.get("HELLO_FAILS"):
    _hello = Inspect.hello

    def _failing_once(self, *args, **options):
        Inspect.hello = _hello
        raise OperationalError("the connection was reset")

    Inspect.hello = _failing_once
