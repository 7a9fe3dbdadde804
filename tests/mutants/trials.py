"""Run tests on copies of the repository, each with one defect: two at a time, each in a fork of this process, which has imported the libraries.

A trial ends with the first test that fails; one that takes too long is killed and counts as noticed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import coverage
import pytest

# They bring along every library, once for all trials; what is ours each trial imports anew.
import tests.builders
import tests.conftest
import tests.edr.rigs
import tests.fakes  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
COPIED = ("ar_workers", "tests", "examples", "docs", "pyproject.toml", "celeryconfig.py", "README.md")
#: Many times what the slowest stage takes: two cores may be busy with other things.
LONGEST = 600.0
#: A single test that takes so long hangs.
LONGEST_TEST = 120
OPTIONS = (
    *("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0", f"--timeout={LONGEST_TEST}"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of what this process has imported for the trials
)
#: Of a child that did not come to run pytest.
_BROKEN = 99


class Defect(Protocol):
    """What a trial needs to know of a mutant."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    def text(self, whole: str) -> str:
        """The file with the defect."""


class Trial(NamedTuple):
    """`stages` are arguments of pytest, tried in turn until one notices."""

    mutant: Defect
    stages: Sequence[Sequence[str]]


class _Running(NamedTuple):
    """A trial at one of its stages; `whole` is the file without the defect."""

    trial: Trial
    folder: Path
    whole: str
    stage: int
    since: float


@contextlib.contextmanager
def copies(number: int) -> Iterator[list[Path]]:
    """So many copies of the repository, which vanish with all that tests leave beside them."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as above:
        folders = [Path(above) / str(each) for each in range(number)]
        for folder in folders:
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / name, folder)
            (folder / "tmp").mkdir()
        yield folders


def tests_by_line(folder: Path, tests: Sequence[str], packages: Sequence[str]) -> dict[str, dict[int, list[str]]]:
    """Which of `tests` run each line: {file: {line: tests}}; no test for one that is run by importing it.

    It is the test of the copy as well: what fails there without a defect would say nothing of one.
    """
    measured = [f"--cov={each}" for each in packages]
    run = [sys.executable, "-m", "pytest", *OPTIONS, *measured, "--cov-context=test", "--cov-report=", *tests]
    ended = subprocess.run(run, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"the tests fail without a defect:\n{ended.stdout[-3000:]}{ended.stderr[-1000:]}")
    data = coverage.CoverageData(str(folder / ".coverage"))
    data.read()
    return {
        Path(path).relative_to(folder.resolve()).as_posix(): {line: _tests(names) for line, names in data.contexts_by_lineno(path).items()}
        for path in data.measured_files()
    }


def _tests(contexts: list[str]) -> list[str]:
    """Without their parameters, and none for a line that importing runs: it decides for every test."""
    return [] if "" in contexts else sorted({each.partition("|")[0].partition("[")[0] for each in contexts})


def survivors(trials: Iterable[Trial], folders: Sequence[Path]) -> Iterator[tuple[Trial, str]]:
    """Each trial as it ends, with what noticed the defect: "" if nothing did."""
    waiting, free = iter(trials), list(folders)
    running: dict[int, _Running] = {}
    try:
        while True:
            while free and (trial := next(waiting, None)):
                folder = free.pop()
                path = folder / trial.mutant.path
                whole = path.read_text()
                _write(path, trial.mutant.text(whole))
                running[_start(folder, trial.stages[0])] = _Running(trial, folder, whole, 0, time.monotonic())
            if not running:
                return
            pid, status = _ended(running)
            ended = running.pop(pid)
            trial, folder, stage = ended.trial, ended.folder, ended.stage + 1
            noticed = _noticed(folder, status, trial)
            if not noticed and stage < len(trial.stages):
                running[_start(folder, trial.stages[stage])] = ended._replace(stage=stage, since=time.monotonic())
                continue
            _write(folder / trial.mutant.path, ended.whole)
            free.append(folder)
            yield trial, noticed
    finally:
        for pid in running:
            _kill(pid)


def _write(path: Path, text: str) -> None:
    """And forget what was compiled: that knows the file by its size and second."""
    path.write_text(text)
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _start(folder: Path, arguments: Sequence[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        _inside(folder)
        code = int(pytest.main([*OPTIONS, *arguments]))
    except BaseException:  # a child must not go on as its parent
        traceback.print_exc()
        code = _BROKEN
    for each in (sys.stdout, sys.stderr):
        each.flush()
    os._exit(code)


def _inside(folder: Path) -> None:
    """As a Python that was started in `folder`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for each in (1, 2):
        os.dup2(output, each)
    os.chdir(folder)
    os.environ.update(_environment(folder))
    tempfile.tempdir = None
    sys.path[:] = [str(folder), *(each for each in sys.path if each not in {"", str(ROOT)})]
    for name in [each for each in sys.modules if each.partition(".")[0] in {"tests", "ar_workers"}]:
        del sys.modules[name]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder), "TMPDIR": str(folder / "tmp")}


def _ended(running: dict[int, _Running]) -> tuple[int, int]:
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            return pid, os.waitstatus_to_exitcode(status)
        for each, trial in running.items():
            if time.monotonic() - trial.since > LONGEST:
                _kill(each)
                return each, -signal.SIGKILL
        time.sleep(0.02)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _noticed(folder: Path, status: int, trial: Trial) -> str:
    if status == 0:
        return ""
    said = (folder / "output").read_text(errors="replace")
    if status in {_BROKEN, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise SystemExit(f"no test ran for {trial.mutant.name}:\n{said[-3000:]}")
    failed = [line.split(" - ")[0] for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[-1] if failed else "it hangs" if status < 0 else "nothing can be imported"
