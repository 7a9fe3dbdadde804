"""A receiver of the TREs that refuses for good: the other one says so, once a day, and what to mend."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.channels import pagerduty, slack
from ar_workers.domain.notifications import Kind
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.states import State
from ar_workers.simulator import Simulation, World
from tests.builders import a_threat, a_threat_published
from tests.fakes import FakeChannel, FakeEDR, some_services

from .test_routing import NEVER, play

GONE = Result(answer=Answer.PERMANENT, code="channel_not_found", fix="check the channel (AR_SLACK_CHANNEL), and invite the bot into it")
AWAY = timedelta(minutes=6)


def threats(number, first=0):
    return [
        a_threat_published(id=f"e{n}", threat=a_threat(id=f"T-{n}", url=f"https://ar.example/{n}"), endpoints=(), iocs=())
        for n in range(first, first + number)
    ]


def refusals(services, name):
    return [each.notification for each in services.channels["tre", name].sent if each.notification.kind is Kind.RECEIVER_REFUSED]


def services_with(**answers):
    channels = {name: FakeChannel(dedupes=name == "pagerduty", answers=deque(answers.get(name, ()))) for name in ("slack", "pagerduty")}
    return some_services(edr=FakeEDR(), channels=channels)


@pytest.mark.parametrize(("refused", "other"), [("slack", "pagerduty"), ("pagerduty", "slack")])
def test_the_other_receiver_says_once_what_is_refused_and_what_to_mend(refused, other):
    services = services_with(**{refused: [GONE] * 9})
    play(services, *threats(4))
    (told,) = refusals(services, other)
    assert told.headline == f"The TREs are not told by {refused}, which refuses for good (channel_not_found): {GONE.fix}"
    assert f"arctl notify test --customer tre --receiver {refused}" in told.body.splitlines()
    assert refusals(services, refused) == []


def test_it_is_said_again_on_the_next_day():
    services = services_with(slack=[GONE] * 9)
    play(services, *threats(2))
    play(services, rounds=1, step=timedelta(days=1))
    play(services, *threats(2, first=2))
    assert len(refusals(services, "pagerduty")) == 2
    assert len({each.incident for each in refusals(services, "pagerduty")}) == 2


def test_it_is_said_once_for_all_customers():
    services = services_with(slack=[GONE] * 9)
    services.policies["globex"] = services.policies["acme"].model_copy(update={"customer": "globex"})
    play(services, *threats(1))
    play(services, *(event.model_copy(update={"customer": "globex"}) for event in threats(1)))
    assert len(refusals(services, "pagerduty")) == 1


def test_two_that_refuse_come_to_an_end_and_both_failures_are_shown():
    services = services_with(slack=[GONE] * 20, pagerduty=[GONE] * 20)
    play(services, *threats(2), rounds=20)
    rows = [row for n in range(2) for row in services.ledger.rows("acme", f"T-{n}")]
    assert {row.state for row in rows} == {State.FAILED}
    assert len(rows) == 4 + 2


def test_a_refusal_of_one_message_is_not_one_of_the_receiver():
    services = services_with(slack=[NEVER])
    play(services, *threats(2))
    assert refusals(services, "pagerduty") == []


def test_what_is_said_to_be_first_stays_so_for_whom_it_was_said():
    ledger = services_with().ledger
    asked = [ledger.is_first("slack", who, timedelta(days=2)) for who in ("a", "b", "a")]
    assert asked == [True, False, True]


@pytest.fixture
def simulation():
    with Simulation(World.from_dict({"tenants": {}})) as found:
        yield found


def real_channels(simulation, *, token="xoxb-simulated", channel="C-TRE", key="simulated-routing-key-0123456789"):
    slack_config = slack.Config(token=token, channel=channel, base_url=f"{simulation.inboxes['slack'].url}/api/")
    pages = pagerduty.Config(routing_key=key, base_url=simulation.inboxes["pagerduty"].url, ca_file=simulation.ca_pem)
    return {"slack": slack.Slack(slack_config), "pagerduty": pagerduty.PagerDuty(pages)}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"token": "xoxb-revoked"}, ("invalid_auth", "AR_SLACK_TOKEN")), ({"channel": "C-GONE"}, ("channel_not_found", "AR_SLACK_CHANNEL"))],
)
def test_pagerduty_says_what_slack_refuses(simulation, wrong, said):
    services = some_services(edr=FakeEDR(), channels=real_channels(simulation, **wrong))
    play(services, *threats(3))
    pages = [each["body"]["payload"]["summary"] for each in simulation.journal.messages(vendor="pagerduty")]
    (told,) = [page for page in pages if "slack" in page]
    assert all(part in told for part in said)


def test_slack_says_what_pagerduty_refuses(simulation):
    services = some_services(edr=FakeEDR(), channels=real_channels(simulation, key="another-routing-key-012345678901"))
    play(services, *threats(3))
    texts = [each["body"]["text"] for each in simulation.journal.messages(vendor="slack")]
    assert sum("AR_PAGERDUTY_ROUTING_KEY" in text.replace("\u2060", "") for text in texts) == 1
