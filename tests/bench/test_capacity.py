"""The arithmetic of the capacity tables, and the simulated worst day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.limits import Limits, Rate
from bench.capacity import HIT, SHELL_SECONDS, SHELLS, VISIT, Bucket, need, worst_day


def limits(calls: int, seconds: int, *, sessions: int | None = None) -> Limits:
    return Limits(rates=(Rate(calls=calls, per=timedelta(seconds=seconds)),), sessions=sessions, on_429="", source="")


GENEROUS = limits(10**9, 1)


def test_need_grows_with_customers_as_with_endpoints():
    assert need(10, 1_000).threats_per_second == pytest.approx(need(1, 10_000).threats_per_second)
    assert need(10, 1_000).worker_cores == pytest.approx(10 * need(1, 1_000).worker_cores)


def test_a_customer_is_never_split_over_shards():
    assert need(1, 100_000_000).shards == 1
    assert need(1_000, 100_000).shards > 1


@pytest.mark.parametrize(("calls", "seconds"), [(100, 60), (1_500, 3_600), (10, 1)])
def test_no_window_sees_more_requests_than_the_vendor_allows(calls, seconds):
    bucket, now, begun = Bucket(calls, seconds), 0.0, []
    while now < 3 * seconds:
        now += bucket.wait(now, may_use_reserve=True) + 1e-9
        bucket.take(now)
        begun.append(now)
    for start in begun:
        assert sum(VISIT for each in begun if start <= each < start + seconds) <= calls + VISIT


def test_ordinary_visits_leave_a_reserve_for_isolations():
    bucket = Bucket(100, 60)
    while not bucket.wait(0.0, may_use_reserve=False):
        bucket.take(0.0)
    assert not bucket.wait(0.0, may_use_reserve=True)


def test_without_limits_nothing_waits():
    day = worst_day(GENEROUS, 1_000)
    assert max(day.isolated) == 0
    assert day.ended < 3_600 + SHELL_SECONDS


def test_every_isolation_and_every_shell_is_visited_once():
    day = worst_day(limits(300, 60, sessions=2), 500)
    hit = int(500 * HIT)
    assert len(day.isolated) == hit
    assert day.requests == hit * (1 + SHELLS) * VISIT


def test_the_day_lasts_at_least_as_long_as_the_allowance_makes_it():
    rate = limits(100, 60)
    day = worst_day(rate, 10_000)
    assert day.ended >= (day.requests - 100) / (100 / 60)


def test_isolations_do_not_wait_for_the_shells():
    """An allowance that carries the isolations alone, but not the shells behind them."""
    hit = 1_000
    day = worst_day(limits(2 * hit * VISIT, 3_600), int(hit / HIT))
    assert day.ended > 2 * 3_600
    assert sorted(day.isolated)[hit // 2] < 60


def test_few_shells_at_once_stretch_the_day_and_not_the_isolations():
    one, many = (worst_day(limits(10**6, 60, sessions=sessions), 1_000) for sessions in (1, 100))
    assert one.isolated == many.isolated
    assert one.ended >= 100 * SHELLS * SHELL_SECONDS > many.ended
