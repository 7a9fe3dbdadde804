"""What every ledger promises of what people put right: what failed or is held requeued, a delivery in doubt resolved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Refusal, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.states import State
from tests.ledger.building import LEASE, a_delivery, a_row, an_event, claimed, concluded, recorded, refused, settle, state_of


def test_a_failed_row_comes_back_with_a_new_generation(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.FAILED, "denied")
    ring = ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert (ring.id, ring.queue, ring.label) == ("acme:isolate:1", Queue.ISOLATION, "isolate:1 FIN-1")
    claim = claimed(ledger)
    assert (claim.generation, claim.attempts, claim.was) == (2, 0, State.PENDING)
    assert ledger.row("acme:isolate:1").settled_at is None


@pytest.mark.parametrize("state", [State.DONE, State.ALREADY, State.SKIPPED, State.CANCELLED])
def test_nothing_but_a_failed_row_is_requeued(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state)
    refusal = ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert refusal.reason.startswith(f"is {state}")
    assert state_of(ledger) == state


def test_of_many_parallel_requeues_one_counts(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.FAILED)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ledger.requeue("acme:isolate:1", by="kim", life=LEASE), range(20)))
    assert sum(not isinstance(answer, Refusal) for answer in answers) == 1
    assert ledger.row("acme:isolate:1").generation == 2


def held(ledger):
    recorded(ledger, a_row())
    concluded(ledger, claimed(ledger), VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED))


def test_a_persons_word_opens_the_guard_that_held_the_row(ledger):
    held(ledger)
    assert refused(ledger) == State.HELD
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert claimed(ledger).approved == {Guard.PROTECTED}


def test_what_has_failed_since_is_asked_of_every_guard_anew(ledger):
    held(ledger)
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    settle(ledger, "acme:isolate:1", State.FAILED)
    ledger.requeue("acme:isolate:1", by="kim", life=LEASE)
    assert claimed(ledger).approved == frozenset()


def released(ledger, by="kim"):
    recorded(ledger, a_row("release:1", asked_by=by), event=an_event("e2", "THREAT-2"))


@pytest.mark.parametrize("state", [State.FAILED, State.HELD, State.CANCELLED, State.DONE])
def test_an_isolation_that_is_older_than_a_release_never_comes_back(ledger, state):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", state)
    released(ledger)
    answer = ledger.requeue("acme:isolate:1", by="sam", life=LEASE)
    assert answer == Refusal(reason="is older than the release: the endpoint was released by kim")
    assert state_of(ledger) == (State.CANCELLED if state is State.HELD else state)


def test_an_isolation_that_is_younger_than_the_release_is_requeued(ledger):
    released(ledger)
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.FAILED)
    assert not isinstance(ledger.requeue("acme:isolate:1", by="sam", life=LEASE), Refusal)


def unknown(ledger):
    recorded(ledger, a_delivery())
    settle(ledger, "acme:slack:1", State.UNKNOWN, "may have been sent")


def test_a_delivery_in_doubt_that_was_sent_is_done_by_whose_word(ledger):
    unknown(ledger)
    assert ledger.resolve("acme:slack:1", by="kim", was_sent=True) == []
    row = ledger.row("acme:slack:1")
    assert (row.state, row.reason) == (State.DONE, "said to have been sent by kim")
    assert row.settled_at
    assert ledger.due(10, LEASE) == []


def test_a_delivery_in_doubt_that_was_not_sent_begins_anew(ledger):
    unknown(ledger)
    (ring,) = ledger.resolve("acme:slack:1", by="kim", was_sent=False)
    assert (ring.id, ring.queue) == ("acme:slack:1", Queue.NOTIFY)
    claim = claimed(ledger, "acme:slack:1")
    assert (claim.was, claim.attempts, claim.is_late) == (State.PENDING, 0, False)
    assert any(entry.text == "unknown -> pending: to be sent again, says kim" for entry in ledger.threat("acme", "THREAT-1").timeline)


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.PENDING])
def test_only_what_is_in_doubt_is_resolved(ledger, state):
    recorded(ledger, a_delivery())
    settle(ledger, "acme:slack:1", state)
    assert ledger.resolve("acme:slack:1", by="kim", was_sent=False) == Refusal(
        reason=f"is {state}: only unknown deliveries can be resolved"
    )
    assert ledger.resolve("acme:slack:9", by="kim", was_sent=True) == Refusal(reason="no such row")


def test_an_action_in_doubt_is_looked_at_and_not_resolved(ledger):
    recorded(ledger, a_row())
    settle(ledger, "acme:isolate:1", State.UNKNOWN)
    assert isinstance(ledger.resolve("acme:isolate:1", by="kim", was_sent=True), Refusal)


def test_of_many_parallel_resolutions_one_counts(ledger):
    unknown(ledger)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: ledger.resolve("acme:slack:1", by=f"p{n}", was_sent=n % 2 == 0), range(20)))
    assert sum(not isinstance(answer, Refusal) for answer in answers) == 1
