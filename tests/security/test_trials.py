"""Every trial in its short form: nothing gets through, and as much was tried as was promised."""

from __future__ import annotations

import pytest

from tests.security.trials.listed import TRIALS
from tests.security.trials.outcome import Outcome
from tests.security.trials.table import PAGE, in_page, into_page, line


@pytest.mark.parametrize("trial", TRIALS, ids=lambda each: f"{each.goal} {each.what}")
@pytest.mark.e2e
def test_nothing_gets_through(trial, tmp_path):
    outcome = trial.run(tmp_path, 1, trial.short)
    assert outcome.passed, outcome.evidence
    assert outcome.tried >= trial.short


def test_what_is_run_alone_leaves_the_other_lines_as_they_are():
    outcome = Outcome(1, 1, 0)
    page = PAGE.read_text()
    new = line(TRIALS[0], outcome, 7, "abc")
    written = into_page(page, TRIALS, {(TRIALS[0].goal, TRIALS[0].what): new})
    assert in_page(written) == in_page(page) | {(TRIALS[0].goal, TRIALS[0].what): new}
    assert "| 7 | abc | 1 | 1 | 0 |" in new
    assert into_page(written, (), {}).count("\n| S") == 0
