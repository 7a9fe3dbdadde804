"""R1, R2, R3, R19 in short: processes and Redis are killed under load."""

from __future__ import annotations

import pytest

from tests.chaos import crashes, points, storms

pytestmark = pytest.mark.e2e


def assert_sound(outcome):
    assert outcome.sound, f"{outcome.goal} seed {outcome.seed}: {outcome.counts}\n{outcome.evidence}"


def test_a_crash_between_any_two_steps_loses_and_doubles_nothing(tmp_path):
    assert_sound(crashes.sweep(tmp_path, 1, rounds=1, points=points.gaps()))


def test_a_storm_of_kills_freezes_and_restarts_loses_and_doubles_nothing(tmp_path):
    assert_sound(storms.kill_storm(tmp_path, 2, threats=20, strikes=6, workers=2, batch=5, settings=storms.HASTE, weights=(0.5, 0.1, 0.4)))


def test_a_worker_that_wakes_up_after_its_lease_doubles_nothing(tmp_path):
    assert_sound(crashes.late_writers(tmp_path, 2, rounds=1))


def test_workers_outlast_a_redis_that_is_killed_again_and_again(tmp_path):
    assert_sound(storms.redis_storm(tmp_path, 3, threats=20, kills=2, pauses=(1, 2), batch=5, outage=0))


def test_restarts_of_one_worker_after_the_other_lose_and_double_nothing(tmp_path):
    assert_sound(storms.rolling_restarts(tmp_path, 19, threats=16, restarts=3, batch=4))
