"""R6-R10, R12, R13, R16 in short: networks, vendors, floods, clocks, beats and strangers misbehave."""

from __future__ import annotations

import pytest

from tests.chaos import clocks, floods, poison, vendors
from tests.chaos.shims import compiler

pytestmark = pytest.mark.e2e


def assert_sound(outcome):
    assert outcome.sound, f"{outcome.goal} seed {outcome.seed}: {outcome.counts}\n{outcome.evidence}"


def test_network_cuts_lose_and_double_nothing_and_end_no_worker(tmp_path):
    assert_sound(vendors.network_cuts(tmp_path, 6, threats=10, spells=10, longest=1.0, batch=2))


def test_a_hung_tenant_takes_nothing_from_the_others(tmp_path):
    assert_sound(vendors.hung_tenant(tmp_path, 9, tenants=5, threats=20, batch=10, pairs=1))


def test_a_flood_loses_nothing(tmp_path):
    assert_sound(floods.flood(tmp_path, 10, events=300, tenants=5))


def test_answers_lost_after_the_effect_are_settled_by_looking(tmp_path):
    assert_sound(vendors.lost_answers(tmp_path, 7, threats=25, share=0.2))


def test_a_throttled_action_does_not_come_back_before_its_time(tmp_path):
    assert_sound(vendors.one_throttled(tmp_path, 8, retry_after=2))


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler for the clock shim")
def test_wrong_and_jumping_clocks_change_nothing(tmp_path):
    assert_sound(clocks.skewed_clocks(tmp_path, 12, threats=25, jumps=4))


def test_poison_ends_no_worker_and_holds_nothing_up(tmp_path):
    assert_sound(poison.poison(tmp_path, 13, threats=20, each=2, megabytes=10))


def test_three_beats_tick_as_one_and_the_last_one_takes_over(tmp_path):
    assert_sound(clocks.three_beats(tmp_path, 16, strangers=3))


def test_wrong_types_under_a_customers_keys_end_no_worker_and_are_that_customers_trouble_alone(tmp_path):
    assert_sound(poison.wrong_types(tmp_path, 13, threats=12, seconds=1))
