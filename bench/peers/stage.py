"""The same stage for all: start the workers, warm both of them up, publish, and wait until every task has run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType

import redis

TASKS_PER_THREAT = 9
PROCESSES = 2
WARM_UP = 10
DEADLINE = 600.0
DONE = "bench:done"


def url() -> str:
    return os.environ["BENCH_REDIS_URL"]


class Tally:
    """Counts in memory and tells Redis every 20 ms, so that counting costs a task nothing. Knows when it was forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = self._count = 0

    def add(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._count = os.getpid(), 0
                threading.Thread(target=self._tell, daemon=True).start()
            self._count += 1

    def _tell(self) -> None:
        told = 0
        with redis.Redis.from_url(url()) as client, contextlib.suppress(redis.RedisError):
            while True:
                if told != self._count:
                    told = self._count
                    client.hset(DONE, str(self._pid), told)
                time.sleep(0.02)


tally = Tally()


@contextlib.contextmanager
def working(commands: list[list[str]]):
    """Run each `python ...` until the end of the block; their output is shown if one dies."""
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / f"{number}.log" for number in range(len(commands))]
        started = [
            subprocess.Popen([sys.executable, *command], stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True)
            for command, log in zip(commands, logs, strict=True)
        ]

        def check() -> None:
            for each, log in zip(started, logs, strict=True):
                if each.poll() is not None:
                    raise RuntimeError(f"{each.args} ended:\n{log.read_text()[-3000:]}")

        try:
            yield check
        finally:
            _end(started)


def _end(started: list[subprocess.Popen[bytes]]) -> None:
    for each in started:
        each.terminate()
    for each in started:
        try:
            each.wait(15)
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()


def run(peer: ModuleType, threats: int) -> dict[str, float | str]:
    """Threats a second from the first publishing until the last task has run, and what it costs: Redis commands per task,
    and milliseconds of CPU per threat, which a busy machine disturbs less than it does the rate.
    """
    is_done = getattr(peer, "is_done", lambda: True)
    with redis.Redis.from_url(url()) as client, working(peer.WORKERS) as check:

        def count() -> int:
            return sum(map(int, client.hvals(DONE)))

        published = 0
        while client.hlen(DONE) < PROCESSES:  # a few threats at a time, until every worker process has run something
            peer.publish(range(published, published + WARM_UP))
            published += WARM_UP
            _until(lambda: count() >= published * TASKS_PER_THREAT and is_done(), check)  # noqa: B023 - it is called at once
        before, started = _used(client), time.perf_counter()
        peer.publish(range(published, published + threats))
        sent = time.perf_counter()
        _until(lambda: count() >= (published + threats) * TASKS_PER_THREAT and is_done(), check)
        took = time.perf_counter() - started
        spent = {name: (value - before[name]) / threats for name, value in _used(client).items()}
    return {
        "rate": threats / took,
        "publishing": (sent - started) / took,
        "commands": spent.pop("commands") / TASKS_PER_THREAT,
        **spent,
        "settings": peer.SETTINGS,
    }


def _used(client: redis.Redis) -> dict[str, float]:
    """So far: commands that Redis ran, and milliseconds of CPU by whom."""
    load = client.info("cpu")
    return {
        "commands": client.info("stats")["total_commands_processed"],
        "redis_ms": (load["used_cpu_user"] + load["used_cpu_sys"]) * 1000,
        "workers_ms": sum(_cpu_ms(int(pid)) for pid in client.hkeys(DONE)),
        "publisher_ms": time.process_time() * 1000,
    }


def _cpu_ms(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


def _until(is_reached, check) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_reached():
        if time.monotonic() > deadline:
            raise RuntimeError("the run did not end")
        check()
        time.sleep(0.02)
