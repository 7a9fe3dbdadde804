"""A canvas with as few messages as its order allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.canvas import MOST_TOGETHER, Canvas, Queue, Ring, Step, coalesced


def a_ring(name, queue=Queue.IOC, customer="acme"):
    return Ring(id=f"{customer}:{name}", queue=queue, label=f"{name} · {customer}", lane="crowdstrike/a1")


def a_step(name, queue=Queue.IOC, *then, customer="acme"):
    return Step(ring=a_ring(name, queue, customer), then=then)


def rung(steps):
    return [name for step in steps for name in (*step.ring.ids, *rung(step.then))]


def test_what_follows_an_isolation_becomes_one_message_behind_it():
    canvas = Canvas(steps=(a_step("isolate", Queue.ISOLATION, a_step("ban"), a_step("kill", Queue.IOC, a_step("delete"))),))
    (isolate,) = coalesced(canvas).steps
    (follow,) = isolate.then
    assert isolate.ring.ids == ("acme:isolate",)
    assert follow.ring.ids == ("acme:ban", "acme:kill", "acme:delete")
    assert follow.ring.label == "ban · acme and 2 more"


def test_isolations_are_put_into_one_message_only_where_that_is_asked_for():
    canvas = Canvas(steps=tuple(a_step(f"isolate-{n}", Queue.ISOLATION) for n in range(3)))
    assert coalesced(canvas) == canvas
    assert [step.ring.ids for step in coalesced(canvas, isolations=2).steps] == [("acme:isolate-0", "acme:isolate-1"), ("acme:isolate-2",)]


def test_what_follows_joined_isolations_is_joined_behind_them():
    canvas = Canvas(steps=tuple(a_step(f"isolate-{n}", Queue.ISOLATION, a_step(f"ban-{n}")) for n in range(2)))
    (isolations,) = coalesced(canvas, isolations=2).steps
    (bans,) = isolations.then
    assert bans.ring.ids == ("acme:ban-0", "acme:ban-1")


def test_customers_and_queues_are_kept_apart():
    canvas = Canvas(steps=(a_step("a"), a_step("b", Queue.NOTIFY), a_step("c", customer="globex"), a_step("d")))
    assert [step.ring.ids for step in coalesced(canvas).steps] == [("acme:a", "acme:d"), ("acme:b",), ("globex:c",)]


@given(st.lists(st.tuples(st.sampled_from(list(MOST_TOGETHER)), st.sampled_from(["acme", "globex"])), max_size=60))
def test_nothing_is_lost_and_no_message_rings_too_many(wishes):
    steps = tuple(a_step(f"row-{n}", queue, customer=customer) for n, (queue, customer) in enumerate(wishes))
    found = coalesced(Canvas(steps=steps), isolations=MOST_TOGETHER[Queue.ISOLATION]).steps
    assert sorted(rung(found)) == sorted(rung(steps))
    assert all(len(step.ring.ids) <= MOST_TOGETHER[step.ring.queue] for step in found)
