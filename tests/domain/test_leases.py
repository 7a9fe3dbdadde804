"""A lease ends by its holder's own clock, and what has ended is not prolonged."""

from __future__ import annotations

from ar_workers.domain import leases
from ar_workers.domain.leases import Lease, working_under


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_lease(since=0.0, seconds=10.0):
    clock = Clock()
    return Lease(since, seconds, clock), clock


def assert_it_ends_at(end, lease, clock):
    clock.now = end - 0.1
    assert not lease.is_over()
    clock.now = end
    assert lease.is_over()


def test_its_time_runs_from_when_it_was_asked_for_and_not_from_when_it_was_granted():
    assert_it_ends_at(15.0, *a_lease(since=5.0))


def test_it_is_prolonged_from_when_that_was_asked_for():
    lease, clock = a_lease()
    clock.now = 9.0
    lease.prolong(8.0)
    assert_it_ends_at(18.0, lease, clock)


def test_an_answer_that_came_after_its_end_prolongs_nothing():
    lease, clock = a_lease()
    clock.now = 30.0
    lease.prolong(9.0)
    assert lease.is_over()
    lease.prolong(30.0)
    assert lease.is_over()


def test_only_a_thread_that_works_under_a_lease_is_asked():
    lease, clock = a_lease()
    clock.now = 11.0
    assert not leases.is_over()
    with working_under(lease):
        assert leases.is_over()
    assert not leases.is_over()
