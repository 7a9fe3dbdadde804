"""The whole pipeline and its latency beside those of an older commit, in the same rounds: `python -m bench beside --commit f52dcab`.

Each is run from its own checkout, with its own environment and with the server that it brings; the older one also with ours, which
tells what is the code's from what is the server's.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ar_workers.cli.server_binary import server_binary
from bench.runs import ROOT, Sizes, Table, interleaved, median, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Run in either checkout, so of what both have.
_RATE = "import json, sys; from bench.runs import on_stage; print(json.dumps({'rate': on_stage('ours', int(sys.argv[1]))['rate']}))"
_DELAYS = (
    "import json, sys; from bench import latency; from bench.runs import Sizes; "
    "print(json.dumps(latency.ours(Sizes(rate=int(sys.argv[1]), seconds=int(sys.argv[2])))))"
)


def measure(sizes: Sizes) -> list[Table]:
    with _checkout(sizes.commit) as folder, _our_server() as ours:
        then = folder / ".venv" / "bin" / "python"
        places = {"now": (ROOT, Path(sys.executable), {}), "then": (folder, then, {}), "code": (folder, then, ours)}
        found = interleaved(sizes.rounds, {name: partial(_both, *place, sizes) for name, place in places.items()})
    values = {name: {what: [each[what] for each in runs] for what in runs[0]} for name, runs in found.items()}
    rows = (
        ("the whole pipeline, threats/s", *_row(values, "rate", _ratio)),
        *((f"latency {share}, ms", *_row(values, share, lambda now, then: _ratio(then, now))) for share in ("p50", "p99")),
    )
    title = f"This commit beside {sizes.commit}, medians of {sizes.rounds}"
    note = (
        "Of rates now over then, of delays then over now: above 1 this commit is the faster one. "
        f"{sizes.threats} threats; the latency at {sizes.rate} a second."
    )
    return [Table(title, ("", "faster by", "its code alone by", "now", "then", "then, on our server"), rows, note)]


def _row(values: Mapping[str, Mapping[str, list[float]]], what: str, faster: Callable[[list[float], list[float]], str]) -> tuple[str, ...]:
    now, then, code = (values[name][what] for name in ("now", "then", "code"))
    return (faster(now, then), faster(now, code), *map(_told, (now, then, code)))


def _ratio(over: list[float], under: list[float]) -> str:
    return f"{median(over) / median(under):.2f}"


def _told(found: list[float]) -> str:
    return f"{median(found):.4g} ({spread(found)})"


def _both(folder: Path, python: Path, more: Mapping[str, str], sizes: Sizes) -> dict[str, float]:
    run = partial(_said, folder, python, {**os.environ, **more})
    return {**run(_RATE, sizes.threats), **run(_DELAYS, sizes.rate, sizes.seconds)}


def _said(folder: Path, python: Path, environment: Mapping[str, str], program: str, *arguments: int) -> dict[str, float]:
    command = [str(python), "-c", program, *map(str, arguments)]
    said = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


@contextlib.contextmanager
def _our_server() -> Iterator[dict[str, str]]:
    """What makes any commit start the server that we do: older ones took the first `redis-server` on PATH."""
    binary = server_binary().path
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "redis-server").symlink_to(binary)
        yield {"AR_REDIS_SERVER": str(binary), "PATH": f"{temporary}{os.pathsep}{os.environ['PATH']}"}


@contextlib.contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    """The older commit in a folder of its own, installed."""
    git = partial(subprocess.run, cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "then"
        git(["git", "worktree", "add", "--quiet", "--detach", str(folder), commit])
        try:
            subprocess.run(["make", "install", f"PYTHON={sys.executable}"], cwd=folder, stdout=sys.stderr, check=True)
            yield folder
        finally:
            git(["git", "worktree", "remove", "--force", str(folder)])
