"""RQ: the isolation's job enqueues the six in one pipeline."""

from __future__ import annotations

import redis
from rq import Queue

from bench.peers.stage import tally, url

SETTINGS = "2 SimpleWorkers (no fork per job), results kept for 0 s, enqueue_many; fan-out in the job"
_WORK = (
    "import redis; from rq import SimpleWorker, Queue; from bench.peers.stage import url; "
    "c = redis.Redis.from_url(url()); SimpleWorker([Queue('bench', connection=c)], connection=c).work(logging_level='WARNING')"
)
WORKERS = [["-c", _WORK]] * 2
queue = Queue("bench", connection=redis.Redis.from_url(url()))


def _send(*tasks) -> None:
    queue.enqueue_many([Queue.prepare_data(task, args=(number,), result_ttl=0) for task, number in tasks])


def isolate(number: int) -> None:
    tally.add()
    _send(*[(act, number)] * 6)


def act(number: int) -> None:
    tally.add()


def deliver(number: int) -> None:
    tally.add()


def publish(numbers: range) -> None:
    for number in numbers:
        _send((isolate, number), (deliver, number), (deliver, number))
