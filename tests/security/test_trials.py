"""Every trial in its short form: nothing gets through, and as much was tried as was promised."""

from __future__ import annotations

import pytest

from ar_workers.cli.processes import Interrupted
from tests.security.__main__ import main
from tests.security.trials.listed import TRIALS
from tests.security.trials.outcome import Outcome, Trial
from tests.security.trials.table import PAGE, in_page, into_page, line


@pytest.mark.parametrize("trial", TRIALS, ids=lambda each: f"{each.goal} {each.what}")
@pytest.mark.e2e
def test_nothing_gets_through(trial, tmp_path):
    outcome = trial.run(tmp_path, 1, trial.short)
    assert outcome.passed, outcome.evidence
    assert outcome.tried >= trial.short


def test_the_page_tells_of_trials_that_there_are_in_their_order():
    told = in_page(PAGE.read_text())
    assert list(told) == [key for each in TRIALS if (key := (each.goal, each.what)) in told], "run python -m tests.security --write"


def test_what_is_run_alone_leaves_the_other_lines_as_they_are():
    outcome = Outcome(1, 1, 0)
    page = PAGE.read_text()
    new = line(TRIALS[0], outcome, 7, "abc")
    written = into_page(page, TRIALS, {(TRIALS[0].goal, TRIALS[0].what): new})
    assert in_page(written) == in_page(page) | {(TRIALS[0].goal, TRIALS[0].what): new}
    assert "| 7 | abc | 1 | 1 | 0 |" in new
    assert into_page(written, (), {}).count("\n| S") == 0


def interrupted(*_):
    raise Interrupted


def broken(*_):
    raise ZeroDivisionError


RUNS = {
    "nothing gets through": (lambda *_: Outcome(3, 3, 0), 0, "3 tried, 3 refused, 0 got through"),
    "something gets through": (lambda *_: Outcome(3, 2, 1, evidence="this one"), 1, "this one"),
    "nothing was tried": (lambda *_: Outcome(0, 0, 0), 1, "FAILED"),
    "it does not end": (broken, 1, "ZeroDivisionError"),
    "Ctrl-C": (interrupted, 130, "stopped"),
}


@pytest.mark.parametrize(("run", "status", "said"), RUNS.values(), ids=RUNS.keys())
def test_the_commands_exit_status_says_what_was_found(capsys, run, status, said):
    assert main(["--short", "--seed", "7"], [Trial("S1", "x", 3, 9, run)]) == status
    assert said in capsys.readouterr().out


def test_the_page_is_not_written_with_short_forms(capsys):
    with pytest.raises(SystemExit):
        main(["--short", "--write"])
    assert "full forms" in capsys.readouterr().err
