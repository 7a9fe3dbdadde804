"""Messages whose provider tells only later what became of them: done is what has arrived, and nothing is sent twice."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.channels import sms, voice
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.routes import Route
from ar_workers.domain.states import State
from ar_workers.simulator import Fault, Simulation, World
from tests.fakes import FakeChannel, some_services

from .test_routing import LOST, a_summary, play, told

SID, TO = "AC" + "1" * 32, "+15005550001"
ENDS = {
    "+15005550003": "undelivered 30003",
    "+15005550005": "busy",
    "+15005550006": "no-answer",
    "+15005550007": "late",
    "+15005550008": "failed",
}


@pytest.fixture
def simulation():
    inboxes = {"twilio": {"account_sid": SID, "auth_token": "hush", "ends": ENDS}}
    with Simulation(World.from_dict({"inboxes": inboxes})) as found:
        yield found


def by_twilio(simulation, channel, number=TO, *, fallback=True):
    """Services whose customer is told by this channel of Twilio's, and by `boss` where that fails."""
    account = {"account_sid": SID, "auth_token": "hush", "base_url": simulation.inboxes["twilio"].url, "from_number": "+15005550009"}
    made = sms.SMS(sms.Config(**account)) if channel == "sms" else voice.Voice(voice.Config(**account))
    receivers = {"oncall": Receiver(name="oncall", channel=channel, address=number)}
    receivers["boss"] = Receiver(name="boss", channel="sms", address="+15005550002")
    route = Route(kinds={"remediation_summary"}, to=("oncall",), fallback="boss" if fallback else None)
    policy = Policy(customer="acme", receivers=receivers, routes=(route,))
    return some_services(policy=policy, receivers={"oncall": made, "boss": FakeChannel()})


def a_minute(services, *events, minutes=1):
    """What happens in so many minutes of looks that are seconds apart."""
    play(services, *events, rounds=minutes * 12, step=timedelta(seconds=5))


def row_of(services):
    return services.ledger.rows("acme", "T-1")[0]


def sendings(simulation):
    return [each for each in simulation.journal.requests(vendor="twilio") if each["method"] == "POST"]


@pytest.mark.parametrize(("channel", "said"), [("sms", "delivered"), ("voice", "completed: answered by somebody, or by a mailbox")])
def test_what_has_arrived_is_done_with_its_status_as_evidence(simulation, channel, said):
    services = by_twilio(simulation, channel)
    play(services, a_summary(), rounds=0)
    accepted = row_of(services)
    assert (accepted.state, accepted.reference[:2]) == (State.PERFORMED, {"sms": "SM", "voice": "CA"}[channel])
    assert "not yet said to have arrived" in accepted.evidence
    a_minute(services)
    done = row_of(services)
    assert (done.state, done.evidence, done.reference) == (State.DONE, said, accepted.reference)
    assert len(sendings(simulation)) == 1


@pytest.mark.parametrize(
    ("channel", "number", "reason"),
    [
        ("sms", "+15005550003", "twilio undelivered 30003: the handset is off or out of reach"),
        ("sms", "+15005550008", "twilio failed: it could not be sent"),
        ("voice", "+15005550005", "twilio busy: the line was busy"),
        ("voice", "+15005550006", "twilio no-answer: nobody answered"),
    ],
)
def test_what_did_not_arrive_fails_in_words_and_the_fallback_is_told(simulation, channel, number, reason):
    services = by_twilio(simulation, channel, number)
    a_minute(services, a_summary())
    assert (row_of(services).state, row_of(services).reason) == (State.FAILED, reason)
    (sent,) = services.channels["acme", "boss"].sent
    assert sent.notification.facts[-1] == ("Sent here because", f"{channel} to {number} failed: {reason}")
    assert len(sendings(simulation)) == 1


def test_what_shows_no_end_is_never_done_and_goes_to_the_fallback_at_its_deadline(simulation):
    services = by_twilio(simulation, "sms", "+15005550007")
    a_minute(services, a_summary())
    assert row_of(services).state is State.PERFORMED
    a_minute(services, minutes=6)
    assert (row_of(services).state, row_of(services).reason) == (State.UNKNOWN, "accepted by Twilio, end not known (last it said: sent)")
    assert services.channels["acme", "boss"].sent == []
    a_minute(services, minutes=12)
    assert row_of(services).state is State.FAILED
    assert row_of(services).reason == "accepted by Twilio, end not known (last it said: sent): ask the receiver"
    assert len(services.channels["acme", "boss"].sent) == 1
    assert len(sendings(simulation)) == 1


def test_an_end_that_comes_late_counts(simulation):
    services = by_twilio(simulation, "sms", "+15005550007")
    a_minute(services, a_summary(), minutes=7)
    simulation.inboxes["twilio"].twin.settle(row_of(services).reference, "delivered")
    a_minute(services, minutes=3)
    assert (row_of(services).state, row_of(services).evidence) == (State.DONE, "delivered")


def test_a_provider_that_cannot_be_asked_is_asked_again(simulation):
    services = by_twilio(simulation, "sms")
    simulation.faults.add(Fault(action="reply", status=500, vendor="twilio", method="GET", times=3))
    play(services, a_summary(), rounds=1, step=timedelta(seconds=6))
    assert (row_of(services).state, "it cannot be asked" in row_of(services).evidence) == (State.PERFORMED, True)
    a_minute(services, minutes=3)
    assert row_of(services).state is State.DONE
    assert len(sendings(simulation)) == 1


def test_a_text_whose_answer_was_lost_is_found_and_then_followed(simulation):
    services = by_twilio(simulation, "sms", "+15005550003")
    simulation.faults.add(Fault(action="reset_after", vendor="twilio", method="POST", times=1))
    a_minute(services, a_summary(), minutes=2)
    assert (row_of(services).state, row_of(services).reason.partition(":")[0]) == (State.FAILED, "twilio undelivered 30003")
    assert len(sendings(simulation)) == 1


def test_a_text_that_is_to_be_sent_again_is_not_mistaken_for_the_first(simulation):
    services = by_twilio(simulation, "sms", "+15005550007", fallback=False)
    a_minute(services, a_summary(), minutes=7)
    first = row_of(services).reference
    services.doorbell.ring(services.ledger.resolve(row_of(services).id, by="kim", was_sent=False))
    a_minute(services)
    simulation.inboxes["twilio"].twin.settle(first, "delivered")
    a_minute(services, minutes=2)
    assert row_of(services).state is not State.DONE
    assert len(sendings(simulation)) == 2


def test_a_message_that_is_resent_and_lost_does_not_take_the_first_ones_end():
    class Following(FakeChannel):
        provider = "Somebody"

        def end(self, reference):
            return Result(answer=Answer.ACCEPTED, code="sent", is_on_its_way=True)

    on_its_way = Result(answer=Answer.ACCEPTED, reference="1", code="queued", is_on_its_way=True)
    receivers = {"oncall": Receiver(name="oncall", channel="sms", address=TO)}
    policy = Policy(customer="acme", receivers=receivers, routes=(Route(kinds={"remediation_summary"}, to=("oncall",)),))
    services = some_services(policy=policy, receivers={"oncall": Following(answers=deque([on_its_way, LOST]))})
    a_minute(services, a_summary(), minutes=7)
    services.doorbell.ring(services.ledger.resolve(row_of(services).id, by="kim", was_sent=False))
    a_minute(services)
    assert told(services) == [("sms", State.UNKNOWN, "may have been sent, and the provider cannot tell")]
