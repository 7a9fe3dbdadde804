"""Logs of earlier starts."""

from __future__ import annotations

import os
import sys

from ar_workers.cli.logs import KEPT, put_away
from ar_workers.cli.processes import Crew
from tests.clusters import eventually


def test_they_are_kept_latest_first_and_no_more_than_the_bound(tmp_path):
    log = tmp_path / "beat.log"
    for start in range(KEPT + 3):
        put_away(log)
        log.write_text(f"start {start}")
    kept = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert kept == {"beat.log": "start 7", **{f"beat.log.{age}": f"start {7 - age}" for age in range(1, KEPT + 1)}}


def test_an_empty_or_small_one_stays(tmp_path):
    log = tmp_path / "beat.log"
    put_away(log)
    log.touch()
    put_away(log)
    log.write_text("x" * 9)
    put_away(log, only_from=10)
    assert [each.name for each in tmp_path.iterdir()] == ["beat.log"]


def test_a_child_begins_a_new_log_and_a_restart_goes_on_with_it(tmp_path, monkeypatch):
    (tmp_path / "says.py").write_text("print('hello', flush=True)")
    (tmp_path / "says.log").write_text("the start before")
    monkeypatch.setattr("ar_workers.cli.processes.PAUSE", 0.0)
    crew = Crew({**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    child = crew.add("says", "says")
    eventually(lambda: not child.is_alive)
    assert crew.mend() == ["says"]
    eventually(lambda: child.log.read_text() == "hello\n" * 2)
    crew.stop()
    assert (tmp_path / "says.log.1").read_text() == "the start before"
    assert sys.executable in child.command
