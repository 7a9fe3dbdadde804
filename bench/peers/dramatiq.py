"""Dramatiq: its pipelines cannot end in a group, so the isolation's actor sends the six."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.stage import tally, url

SETTINGS = "2 processes x 8 threads, default middleware, no results; fan-out in the actor"
WORKERS = [["-m", "dramatiq", "bench.peers.dramatiq", "--processes", "2", "--threads", "8"]]
dramatiq.set_broker(RedisBroker(url=url()))


@dramatiq.actor(queue_name="isolation")
def isolate(number: int) -> None:
    tally.add()
    for _ in range(6):
        act.send(number)


@dramatiq.actor(queue_name="ioc")
def act(number: int) -> None:
    tally.add()


@dramatiq.actor(queue_name="ioc")
def deliver(number: int) -> None:
    tally.add()


def publish(numbers: range) -> None:
    for number in numbers:
        isolate.send(number)
        deliver.send(number)
        deliver.send(number)
