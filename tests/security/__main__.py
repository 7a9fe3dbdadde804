"""`python -m tests.security`: the full forms of all trials, one after the other, and a table of what was tried and what got through."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ar_workers.cli.processes import Interrupted, interruptible
from tests.security.trials.listed import TRIALS
from tests.security.trials.outcome import Outcome
from tests.security.trials.table import PAGE, commit, into_page, line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.security.trials.outcome import Trial

GOT_THROUGH, INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None, trials: Sequence[Trial] = TRIALS) -> int:
    """The exit status: 0 if nothing got through, 1 if something did or a trial did not end, 130 after Ctrl-C."""
    arguments = _arguments(argv, trials)
    chosen = [trial for trial in trials if not arguments.only or trial.goal in arguments.only]
    found: list[tuple[Trial, Outcome]] = []
    status = 0
    with tempfile.TemporaryDirectory(prefix="trials-") as temporary, interruptible():
        logging.basicConfig(filename=Path(temporary) / "log")  # each refusal is told there, as it should be
        try:
            for number, trial in enumerate(chosen):
                found.append((trial, _run(trial, Path(temporary) / f"{number:02}-{trial.goal}", arguments)))
        except Interrupted:
            _say("stopped; what was found until now:")
            status = INTERRUPTED
    tested = commit()
    lines = {(trial.goal, trial.what): line(trial, outcome, arguments.seed, tested) for trial, outcome in found}
    _say(table(lines.values()))
    if arguments.write:
        PAGE.write_text(into_page(PAGE.read_text(), trials, lines))
    return status or (0 if all(outcome.passed for _, outcome in found) else GOT_THROUGH)


def _run(trial: Trial, folder: Path, arguments: argparse.Namespace) -> Outcome:
    folder.mkdir(parents=True)
    _say(f"{trial.goal} {trial.what} ...")
    started = time.monotonic()
    try:
        outcome = trial.run(folder, arguments.seed, trial.short if arguments.short else trial.full)
    except Exception:
        outcome = Outcome(0, 0, 0, "did not end", traceback.format_exc())
    said = f"{outcome.tried:,} tried, {outcome.refused:,} refused, {outcome.got_through:,} got through"
    note = f"; {outcome.note}" if outcome.note else ""
    _say(f"{trial.goal} {'passed' if outcome.passed else 'FAILED'} in {time.monotonic() - started:.0f} s: {said}{note}")
    if not outcome.passed:
        _say(outcome.evidence)
    return outcome


def _arguments(argv: Sequence[str] | None, trials: Sequence[Trial]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    goals = sorted({trial.goal for trial in trials}, key=lambda goal: int(goal[1:]))
    parser.add_argument("--only", action="append", choices=goals, metavar="GOAL", help=f"may be repeated: {', '.join(goals)}")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tries the same (default 1)")
    parser.add_argument("--short", action="store_true", help="as few as `make test` tries")
    parser.add_argument("--write", action="store_true", help="put the lines into docs/security.md, too")
    arguments = parser.parse_args(argv)
    if arguments.short and arguments.write:
        parser.error("--write takes full forms: the table of the page is of these")
    return arguments


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    sys.exit(main())
