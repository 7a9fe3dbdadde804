"""Rounds that interleave, medians, and tables that show the ratio first."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from ar_workers.cli.redis_server import RedisServer
from ar_workers.cli.server_binary import server_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int = 5
    threats: int = 1_000
    rate: int = 20
    seconds: int = 20
    queued: int = 100_000
    ledgers: tuple[int, ...] = (1_000, 100_000)
    events: int = 10_000
    remembered: int = 100_000
    starts: int = 5
    #: The older one that `beside` runs.
    commit: str = ""


QUICK = Sizes(
    rounds=1, threats=100, seconds=4, queued=2_000, ledgers=(100, 1_000), events=500, remembered=300, starts=1
)  # to see that the programs work
FULL = Sizes(ledgers=(1_000, 100_000, 1_000_000))


@dataclass(frozen=True)
class Table:
    """What one measurement found; the first column names, the second is the ratio."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        lines = [self.headers, ("---",) * len(self.headers), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"**{self.title}**\n\n{table}\n" + (f"\n{self.note}\n" if self.note else "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def interleaved(rounds: int, sides: Mapping[str, Callable[[], Any]]) -> dict[str, list[Any]]:
    """Run every side once a round, so that a slow minute of the machine hits all of them."""
    found: dict[str, list[Any]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, measure in sides.items():
            found[name].append(measure())
            print(f"  round {number + 1}/{rounds}: {name}: {_short(found[name][-1])}", file=sys.stderr, flush=True)
    return found


def _short(result: object) -> str:
    return f"{result:.4g}" if isinstance(result, float) else str(result)[:100]


def median(found: Sequence[float]) -> float:
    return statistics.median(found)


def spread(found: Sequence[float]) -> str:
    """The smallest and the largest, which say how much the median is worth."""
    return f"{min(found):.4g}-{max(found):.4g}"


def at(share: float, found: Sequence[float]) -> float:
    """A percentile."""
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.contextmanager
def a_redis(**options: Any) -> Iterator[tuple[RedisServer, redis.Redis]]:
    """A server of its own in a temporary folder, and a client."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder), **options) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        yield server, client


def on_stage(peer: str, threats: int, *, python: Path | str = sys.executable, **environment: str) -> dict[str, Any]:
    """One run of `bench.peers.PEER` against a Redis of its own."""
    with a_redis() as (server, _):
        ours = {**os.environ, "BENCH_REDIS_URL": server.url, "AR_REDIS_URL": server.url, **environment}
        command = [str(python), "-m", "bench.peers", peer, str(threats)]
        said = subprocess.run(command, cwd=ROOT, env=ours, stdout=subprocess.PIPE, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


def environment() -> str:
    """What the figures depend on, in a line."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {server_binary().server} on loopback, commit {commit or 'unknown'}"
