"""What every ledger promises of messages: told once, in one thread, and many of them in one digest."""

from __future__ import annotations

from datetime import timedelta

from ar_workers.domain.claims import VisitResult
from ar_workers.domain.notifications import Digest
from ar_workers.domain.states import State
from tests.builders import a_delivery as a_real_delivery
from tests.ledger.building import a_delivery, an_event, claimed, concluded, recorded, wait


def test_what_is_told_once_is_told_again_only_after_it_was_forgotten(ledger):
    key = "unsupported_os/crowdstrike/a1/email/x@y.example"
    recorded(ledger, a_delivery(once=key))
    recorded(ledger, a_delivery("slack:2", once=key), event=an_event("e2"))
    assert ledger.row("acme:slack:2").state == State.SKIPPED
    assert ledger.knows("acme", "unsupported_os/") == {key}
    ledger.forget("acme", [key])
    recorded(ledger, a_delivery("slack:3", once=key), event=an_event("e3"))
    assert ledger.row("acme:slack:3").state == State.PENDING


def test_the_first_message_that_a_receiver_accepts_is_the_thread_of_the_next(ledger):
    recorded(ledger, a_delivery(remote="slack/C1"), a_delivery("slack:2", remote="slack/C1"), a_delivery("slack:3", remote="slack/C2"))
    first = claimed(ledger, "acme:slack:1")
    assert first.thread == ""
    concluded(ledger, first, VisitResult(state=State.DONE, reference="C1/1.0"))
    second = claimed(ledger, "acme:slack:2")
    assert second.thread == "C1/1.0"
    concluded(ledger, second, VisitResult(state=State.DONE, reference="C1/2.0"))
    assert claimed(ledger, "acme:slack:3").thread == ""
    recorded(ledger, a_delivery("slack:4", remote="slack/C1"), event=an_event("e2"))
    assert claimed(ledger, "acme:slack:4").thread == "C1/1.0"


TWO_A_MINUTE = Digest(more_than=2, within=timedelta(minutes=1))


def seated(ledger, number, digest=TWO_A_MINUTE):
    seat = ledger.seat(f"acme:slack:{number}", "slack/tre/action_needed", digest)
    return seat and seat.carrier


def test_what_comes_after_the_first_few_is_sent_with_the_first_of_them(ledger):
    deliveries = [a_real_delivery(headline=f"no. {n}") for n in range(5)]
    recorded(ledger, *[a_delivery(f"slack:{n}", order=each.model_dump_json()) for n, each in enumerate(deliveries)])
    assert [seated(ledger, n) for n in range(5)] == [None, None, "acme:slack:2", "acme:slack:2", "acme:slack:2"]
    assert [seated(ledger, n) for n in range(5)] == [None, None, "acme:slack:2", "acme:slack:2", "acme:slack:2"]
    assert ledger.gathered("acme:slack:2") == deliveries[2:]
    assert ledger.gathered("acme:slack:3") == []
    assert timedelta(seconds=50) < ledger.seat("acme:slack:4", "slack/tre/action_needed", TWO_A_MINUTE).wait <= timedelta(minutes=1)


def test_another_kind_or_receiver_is_counted_for_itself(ledger):
    recorded(ledger, *[a_delivery(f"slack:{n}") for n in range(3)])
    one = TWO_A_MINUTE.model_copy(update={"more_than": 1})
    assert ledger.seat("acme:slack:0", "slack/a", one) is None
    assert ledger.seat("acme:slack:1", "slack/b", one) is None
    assert ledger.seat("acme:slack:2", "slack/a", one).carrier == "acme:slack:2"


def test_nobody_gets_a_seat_when_the_window_is_over(ledger):
    recorded(ledger, *[a_delivery(f"slack:{n}") for n in range(4)])
    short = Digest.model_construct(more_than=1, within=timedelta(milliseconds=60))
    assert [seated(ledger, n, short) for n in range(2)] == [None, "acme:slack:1"]
    wait(ledger, 0.08)
    assert [seated(ledger, n, short) for n in (2, 3)] == [None, "acme:slack:3"]
    assert ledger.seat("acme:slack:1", "slack/tre/action_needed", short).wait == timedelta(0)
