"""One delivery by a channel: sent again if it was refused, and not twice if it may have arrived."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.results import Answer, Result
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.fakes import FakeChannel, some_services

from .building import an_edr, play, published, states


def test_what_is_told_says_when_it_happened():
    services = some_services(edr=an_edr())
    event = published()
    play(services, event)
    assert [sent.occurred_at for sent in services.channels["tre", "slack"].sent] == [event.occurred_at]


def test_a_refused_delivery_is_sent_again_and_never_fails_the_remediation():
    slack = FakeChannel(answers=deque([Result(answer=Answer.RETRY, code="429")] * 3))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()))
    assert states(services)["slack"][0] == State.DONE
    assert len(slack.sent) == 1
    assert states(services)["isolate"][0] == State.DONE


def test_a_delivery_in_doubt_is_not_sent_twice():
    slack = FakeChannel(answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()), rounds=20)
    assert states(services)["slack"] == (State.UNKNOWN, "may have been sent, and the provider cannot tell")
    assert len(slack.sent) == 1


@pytest.mark.parametrize(("shown", "copies"), [(Answer.ACCEPTED, 1), (Answer.RETRY, 2)])
def test_a_delivery_in_doubt_is_settled_by_asking_the_provider(shown, copies):
    slack = FakeChannel(answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]), history=Result(answer=shown))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()))
    assert states(services)["slack"][0] == State.DONE
    assert len(slack.sent) == copies


def test_a_channel_whose_copies_are_marked_sends_one_more_and_no_third():
    doubts = deque([Result(answer=Answer.UNKNOWN, code="reset")] * 2)
    slack = FakeChannel(marks_copies=True, answers=doubts)
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()), rounds=20)
    assert states(services)["slack"][0] == State.UNKNOWN
    assert len(slack.sent) == 2


def test_a_receiver_that_recognises_repetitions_is_told_again():
    pagerduty = FakeChannel(dedupes=True, answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]))
    services = some_services(edr=an_edr(), channels={"slack": FakeChannel(), "pagerduty": pagerduty})
    play(services, published(iocs=()))
    assert states(services)["pagerduty"][0] == State.DONE


def test_a_channel_that_is_not_configured_is_an_outcome():
    services = some_services(edr=an_edr(), channels={"slack": FakeChannel()})
    play(services, published(iocs=()))
    assert states(services)["pagerduty"] == (State.FAILED, "tre has no receiver pagerduty configured")


def a_day_of(services, event):
    """By the hour, with what is due in between."""
    play(services, event, rounds=1)
    for _ in range(25):
        services.clock.advance(timedelta(hours=1))
        sweep(services)
        services.doorbell.answer(services)


@pytest.mark.parametrize(
    ("answer", "sent", "reason"),
    [
        (Answer.RETRY, 0, "deadline passed: not delivered"),
        (Answer.UNKNOWN, 1, "may have been sent, and the provider cannot tell: ask the receiver"),
    ],
)
def test_what_was_not_delivered_in_a_day_fails_loudly(answer, sent, reason):
    slack = FakeChannel(answers=deque([Result(answer=answer, code="503")] * 100))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    a_day_of(services, published(iocs=()))
    assert states(services)["slack"] == (State.FAILED, reason)
    assert len(slack.sent) == sent


def test_a_receiver_that_wishes_to_be_left_alone_is_left_alone_by_every_threat():
    slack = FakeChannel(answers=deque([Result(answer=Answer.RETRY, code="429", retry_after=timedelta(minutes=10))]))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    other = published(id="e2", threat=published().threat.model_copy(update={"id": "THREAT-2"}))
    for event in (published(iocs=()), other):
        ingest(services.ledger, services.doorbell, [event])
        services.doorbell.answer(services)
    assert states(services, "THREAT-2")["slack"] == (State.PENDING, "slack/tre asked to be left alone")
    assert slack.sent == []
