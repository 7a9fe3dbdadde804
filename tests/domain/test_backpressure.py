"""Backpressure: when queues are long, who may still be rung for at once, and how few messages a canvas becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.backpressure import BACKLOG, FULL, ISOLATIONS_AHEAD, MOST_TOGETHER, coalesced, left_to_the_sweep, room, share
from ar_workers.domain.canvas import Canvas, Queue, Ring, Step

#: So many that messages are shared, and no isolations yet.
BEHIND = dict.fromkeys(Queue, BACKLOG)


def behind(isolations):
    """So many isolations stand that as many share a message."""
    return {Queue.ISOLATION: (isolations - 1) * ISOLATIONS_AHEAD}


def a_ring(name, queue=Queue.IOC, customer="acme"):
    return Ring(id=f"{customer}:{name}", queue=queue, label=f"{name} · {customer}", lane="crowdstrike/a1")


def a_step(name, queue=Queue.IOC, *then, customer="acme"):
    return Step(ring=a_ring(name, queue, customer), then=then)


def rung(steps):
    return [name for step in steps for name in (*step.ring.ids, *rung(step.then))]


def test_what_follows_an_isolation_becomes_one_message_behind_it():
    canvas = Canvas(steps=(a_step("isolate", Queue.ISOLATION, a_step("ban"), a_step("kill", Queue.IOC, a_step("delete"))),))
    (isolate,) = coalesced(canvas, BEHIND).steps
    (follow,) = isolate.then
    assert isolate.ring.ids == ("acme:isolate",)
    assert follow.ring.ids == ("acme:ban", "acme:kill", "acme:delete")
    assert follow.ring.label == "ban · acme and 2 more"


def test_isolations_are_put_into_one_message_only_behind_many_others():
    canvas = Canvas(steps=tuple(a_step(f"isolate-{n}", Queue.ISOLATION) for n in range(3)))
    assert coalesced(canvas, BEHIND) == canvas
    assert [step.ring.ids for step in coalesced(canvas, behind(2)).steps] == [("acme:isolate-0", "acme:isolate-1"), ("acme:isolate-2",)]


def test_what_follows_joined_isolations_is_joined_behind_them():
    canvas = Canvas(steps=tuple(a_step(f"isolate-{n}", Queue.ISOLATION, a_step(f"ban-{n}")) for n in range(2)))
    (isolations,) = coalesced(canvas, behind(2)).steps
    (bans,) = isolations.then
    assert bans.ring.ids == ("acme:ban-0", "acme:ban-1")


def test_customers_and_queues_are_kept_apart():
    canvas = Canvas(steps=(a_step("a"), a_step("b", Queue.NOTIFY), a_step("c", customer="globex"), a_step("d")))
    assert [step.ring.ids for step in coalesced(canvas, BEHIND).steps] == [("acme:a", "acme:d"), ("acme:b",), ("globex:c",)]


@pytest.mark.parametrize(("queue", "most"), [(Queue.RESPOND, 10), (Queue.ISOLATION, 10), (Queue.IOC, 30), (Queue.NOTIFY, 30)])
def test_one_message_of_a_queue_rings_so_many_at_most(queue, most):
    steps = tuple(a_step(f"row-{n}", queue) for n in range(most + 1))
    found = coalesced(Canvas(steps=steps), behind(10) | {queue: 1_000}).steps
    assert [len(step.ring.ids) for step in found] == [most, 1]


@given(st.lists(st.tuples(st.sampled_from(list(MOST_TOGETHER)), st.sampled_from(["acme", "globex"])), max_size=60))
def test_nothing_is_lost_and_no_message_rings_too_many(drawn):
    steps = tuple(a_step(f"row-{n}", queue, customer=customer) for n, (queue, customer) in enumerate(drawn))
    found = coalesced(Canvas(steps=steps), behind(MOST_TOGETHER[Queue.ISOLATION])).steps
    assert sorted(rung(found)) == sorted(rung(steps))
    assert all(len(step.ring.ids) <= MOST_TOGETHER[step.ring.queue] for step in found)


def test_without_a_backlog_each_row_has_its_own_message():
    canvas = Canvas(steps=tuple(a_step(f"ban-{n}") for n in range(BACKLOG - 1)))
    assert coalesced(canvas, {}) == canvas
    assert len(coalesced(canvas, {Queue.IOC: 1}).steps) == 1


@pytest.mark.parametrize(
    ("standing", "left"),
    [
        ({}, {"respond": 300, "isolation": 800, "ioc": 1200, "notify": 1200}),
        ({"respond": 29, "isolation": 799, "ioc": 39, "notify": 39}, {"respond": 10, "isolation": 1, "ioc": 30, "notify": 30}),
        ({"respond": 30, "isolation": 800, "ioc": 40, "notify": 41}, {"respond": 0, "isolation": 0, "ioc": 0, "notify": 0}),
    ],
)
def test_so_many_rows_of_each_queue_have_room(standing, left):
    assert room(standing) == left


def test_only_a_flooding_customer_is_left_to_the_sweep_and_only_where_a_queue_is_full():
    assert left_to_the_sweep(FULL, lambda: 200) == set(FULL)
    assert left_to_the_sweep(FULL, lambda: 199) == set()
    assert left_to_the_sweep({Queue.IOC: 40}, lambda: 200) == {Queue.IOC}
    assert left_to_the_sweep({Queue.IOC: 39}, lambda: 200) == set()
    assert left_to_the_sweep({}, lambda: 1 // 0) == set()


def test_customers_share_what_may_be_rung_and_none_goes_without():
    assert (share(5_000, 4), share(3, 4), share(0, 4), share(7, 0)) == (1_250, 1, 0, 7)
