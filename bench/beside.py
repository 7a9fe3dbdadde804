"""The whole pipeline and its latency beside those of an older commit, in the same rounds: `python -m bench beside --commit f52dcab`.

Each is run from its own checkout, with its own environment and with the server that it brings.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.runs import ROOT, Sizes, Table, interleaved, median, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Run in either checkout, so of what both have.
_RATE = "import json, sys; from bench.runs import on_stage; print(json.dumps({'rate': on_stage('ours', int(sys.argv[1]))['rate']}))"
_DELAYS = (
    "import json, sys; from bench import latency; from bench.runs import Sizes; "
    "print(json.dumps(latency.ours(Sizes(rate=int(sys.argv[1]), seconds=int(sys.argv[2])))))"
)


def measure(sizes: Sizes) -> list[Table]:
    with _checkout(sizes.commit) as folder:
        places = {"now": (ROOT, Path(sys.executable)), "then": (folder, folder / ".venv" / "bin" / "python")}
        found = interleaved(sizes.rounds, {name: partial(_both, *place, sizes) for name, place in places.items()})
    values = {name: {what: [each[what] for each in runs] for what in runs[0]} for name, runs in found.items()}
    now, then = values["now"], values["then"]
    rows = (
        ("the whole pipeline, threats/s", _ratio(now["rate"], then["rate"]), _told(now["rate"]), _told(then["rate"])),
        *((f"latency {share}, ms", _ratio(then[share], now[share]), _told(now[share]), _told(then[share])) for share in ("p50", "p99")),
    )
    title = f"This commit beside {sizes.commit}, medians of {sizes.rounds}"
    note = (
        "Of rates now over then, of delays then over now: above 1 this commit is the faster one. "
        f"{sizes.threats} threats; the latency at {sizes.rate} a second."
    )
    return [Table(title, ("", "faster by", "now", "then"), rows, note)]


def _ratio(over: list[float], under: list[float]) -> str:
    return f"{median(over) / median(under):.2f}"


def _told(found: list[float]) -> str:
    return f"{median(found):.4g} ({spread(found)})"


def _both(folder: Path, python: Path, sizes: Sizes) -> dict[str, float]:
    return {**_said(folder, python, _RATE, sizes.threats), **_said(folder, python, _DELAYS, sizes.rate, sizes.seconds)}


def _said(folder: Path, python: Path, program: str, *arguments: int) -> dict[str, float]:
    command = [str(python), "-c", program, *map(str, arguments)]
    said = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


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
