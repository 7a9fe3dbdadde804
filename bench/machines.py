"""Workers as in production, each with queues of its own, or two alike: started for a measurement, and ready when it begins."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ar_workers.cli.machine import ALONE, WORKERS
from ar_workers.domain.canvas import Queue
from bench.runs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ALIKE = {f"alike{number}": (",".join(Queue), 4) for number in range(2)}
PRODUCTION = WORKERS
DEADLINE = 60.0


@contextlib.contextmanager
def running(
    url: str, layout: Mapping[str, tuple[str, int]], *, app: str = "bench.noop:app", beat: bool = True, **environment: str
) -> Iterator[dict[str, int]]:
    """Gives out the process id of each role."""
    ours = {**os.environ, "AR_REDIS_URL": url, "BENCH_REDIS_URL": url, **environment}
    celery = [sys.executable, "-m", "celery", "-A", app]
    commands = {
        name: [*celery, "worker", "-P", "threads", "-c", str(threads), "-Q", queues, "-n", f"{name}@%h", "-l", "INFO", *ALONE]
        for name, (queues, threads) in layout.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        logs = {name: Path(folder) / name for name in commands}
        processes = {name: _start(command, ours, logs[name]) for name, command in commands.items()}
        try:
            _await(processes, logs)
            if beat:
                processes["beat"] = _start([*celery, "beat", "-l", "WARNING", "--pidfile="], ours, Path(folder) / "beat")
            yield {name: each.pid for name, each in processes.items()}
        finally:
            for each in processes.values():
                each.terminate()
            for each in processes.values():
                each.wait(30)


def _start(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log.open("wb"), stderr=subprocess.STDOUT)


def _await(processes: dict[str, subprocess.Popen[bytes]], logs: dict[str, Path]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not all(b" ready." in log.read_bytes() for log in logs.values()):
        for name, each in processes.items():
            if each.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(logs[name].read_text()[-3000:])
        time.sleep(0.05)
