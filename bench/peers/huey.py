"""huey: a pipeline has no fan-out, so the isolation's task sends the six."""

from __future__ import annotations

from huey import RedisHuey

from bench.peers.stage import tally, url

SETTINGS = "consumer -k process -w 2, blocking pop, no results, no periodic tasks; fan-out in the task"
WORKERS = [["-m", "huey.bin.huey_consumer", "bench.peers.huey.app", "-k", "process", "-w", "2", "-n", "-q"]]
app = RedisHuey("bench", url=url(), results=False, blocking=True)


@app.task()
def isolate(number: int) -> None:
    tally.add()
    for _ in range(6):
        act(number)


@app.task()
def act(number: int) -> None:
    tally.add()


@app.task()
def deliver(number: int) -> None:
    tally.add()


def publish(numbers: range) -> None:
    for number in numbers:
        isolate(number)
        deliver(number)
        deliver(number)
