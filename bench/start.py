"""Seconds from `make run` to the first verified containment: in a fresh clone with a warm package cache, and the second time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ar_workers.bootstrap import ledger_at
from ar_workers.domain.errors import ARError
from bench.runs import ROOT, Sizes, Table, interleaved, median, spread

DEADLINE = 600.0
FRESH, AGAIN = "a fresh clone, packages in the cache", "installed"


def measure(sizes: Sizes) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        clones = iter(Path(folder) / str(number) for number in range(sizes.starts))
        current: list[Path] = []

        def fresh() -> float:
            current[:] = [next(clones)]
            subprocess.run(["git", "clone", "--quiet", "--local", ROOT, current[0]], check=True)
            return _until_contained(current[0])

        found = interleaved(sizes.starts, {FRESH: fresh, AGAIN: lambda: _until_contained(current[0])})
    base = median(found[AGAIN])
    rows = tuple((name, f"{median(each) / base:.2f}", f"{median(each):.1f}", spread(each)) for name, each in found.items())
    return [Table(f"`make run` to the first verified containment, medians of {sizes.starts}", ("", "ratio", "seconds", "least-most"), rows)]


def _until_contained(clone: Path) -> float:
    home = clone / ".home"
    environment = {name: value for name, value in os.environ.items() if name not in {"AR_REDIS_URL", "AR_BROKER_URL", "PYTHONPATH"}}
    started = time.perf_counter()
    demo = subprocess.Popen(
        ["make", "run"], cwd=clone, env={**environment, "AR_HOME": str(home)}, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        while not _is_contained(home / "run.json"):
            if demo.poll() is not None or time.perf_counter() - started > DEADLINE:
                raise RuntimeError(f"nothing was contained: make run ended with {demo.poll()}")
            time.sleep(0.05)
        return time.perf_counter() - started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGINT)
        demo.wait(60)


def _is_contained(word: Path) -> bool:
    """Whether the ledger of the running demo shows an isolation that its EDR has shown."""
    try:
        ledger = ledger_at(json.loads(word.read_text())["redis_url"])
        since = datetime.now(UTC) - timedelta(hours=1)
        threats = [each for customer in ledger.customers() for each in ledger.threats(customer, since=since, limit=10)]
        return any(row.verb == "isolate" and row.state == "done" for each in threats for row in ledger.rows(each.customer, each.id))
    except (OSError, ValueError, ARError):
        return False
