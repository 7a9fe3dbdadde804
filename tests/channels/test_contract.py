"""What every channel promises: one request per sending, the right result for every answer, and no secret anywhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_workers.channels import CHANNELS, email, pagerduty, slack
from ar_workers.domain.notifications import Notification
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import NOON, a_delivery, a_notification, a_threat

CANARY = "canary-7f3a9"
INBOXES = {
    "slack": {"token": f"xoxb-{CANARY}", "channels": ["C-TRE"]},
    "pagerduty": {"routing_key": f"{CANARY}-routing-key-0123456789"},
    "mail": {"user": "ar", "password": CANARY},
}


@dataclass
class Rig:
    channel: Any
    simulation: Simulation
    vendor: str
    delivery: Any
    #: The method under which the provider's one request stands in the journal or the fault plan.
    method: str = "POST"

    def messages(self):
        return self.simulation.journal.messages(vendor=self.vendor)

    def requests(self):
        return self.simulation.journal.requests(vendor=self.vendor)


def a_slack(simulation):
    config = slack.Config(token=INBOXES["slack"]["token"], channel="C-TRE", base_url=f"{simulation.slack.url}/api/", timeout=1)
    return Rig(slack.Slack(config), simulation, "slack", a_delivery("slack"))


def a_pagerduty(simulation):
    key = INBOXES["pagerduty"]["routing_key"]
    config = pagerduty.Config(routing_key=key, base_url=simulation.pagerduty.url, ca_file=simulation.ca_pem, timeout=1)
    return Rig(pagerduty.PagerDuty(config), simulation, "pagerduty", a_delivery("pagerduty"))


def a_mail(simulation):
    config = email.Config(
        host="127.0.0.1",
        port=simulation.mail.port,
        sender="tre@ar.example",
        user="ar",
        password=CANARY,
        ca_file=simulation.ca_pem,
        timeout=2,
    )
    return Rig(email.Email(config, now=lambda: NOON), simulation, "mail", a_delivery("email", "soc@acme.example"), "DATA")


RIGS = {"slack": a_slack, "pagerduty": a_pagerduty, "email": a_mail}


@pytest.fixture(scope="module")
def simulation():
    with Simulation(World.from_dict({"tenants": {}, "inboxes": INBOXES})) as found:
        yield found


@pytest.fixture(params=sorted(CHANNELS))
def rig(request, simulation):
    simulation.faults.clear()
    simulation.journal._entries.clear()
    return RIGS[request.param](simulation)


def test_what_is_accepted_arrives_once(rig):
    result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is Answer.ACCEPTED
    assert result.reference
    assert len(rig.messages()) == 1


def test_severity_classification_and_link_arrive(rig):
    rig.channel.send(rig.delivery, "acme:slack:1")
    shown = str(rig.messages()[0]["body"])
    for part in ("high", "Ransomware", "https://acme.ar.example/threats/1042"):
        assert part.casefold() in shown.casefold()


OUTCOMES = [
    ("slack", Fault(action="reply", status=429, headers={"Retry-After": "7"}, body='{"ok":false,"error":"ratelimited"}'), Answer.RETRY),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"invalid_auth"}'), Answer.PERMANENT),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"channel_not_found"}'), Answer.PERMANENT),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"internal_error"}'), Answer.UNKNOWN),
    ("slack", Fault(action="reply", status=503, body="<html>"), Answer.UNKNOWN),
    ("slack", Fault(action="reset_after"), Answer.UNKNOWN),
    ("slack", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("pagerduty", Fault(action="reply", status=429, headers={"Retry-After": "7"}), Answer.RETRY),
    ("pagerduty", Fault(action="reply", status=400, body="{}"), Answer.PERMANENT),
    ("pagerduty", Fault(action="reply", status=503, body="<html>"), Answer.RETRY),
    ("pagerduty", Fault(action="redirect", status=302, headers={"Location": "https://elsewhere.example/"}), Answer.PERMANENT),
    ("pagerduty", Fault(action="reset_after"), Answer.UNKNOWN),
    ("email", Fault(action="reply", status=451, body="later"), Answer.RETRY),
    ("email", Fault(action="reply", status=554, body="never"), Answer.PERMANENT),
    ("email", Fault(action="reset_after"), Answer.UNKNOWN),
]


@pytest.mark.parametrize(("name", "fault", "answer"), OUTCOMES, ids=[f"{n}-{f.action}-{f.status}-{a}" for n, f, a in OUTCOMES])
def test_every_answer_has_its_result_and_costs_one_request(simulation, name, fault, answer):
    simulation.faults.clear()
    simulation.journal._entries.clear()
    rig = RIGS[name](simulation)
    simulation.faults.add(Fault(**{**vars(fault), "vendor": rig.vendor}))
    result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is answer
    if rig.vendor != "mail":
        simulation.journal.wait_for(lambda each: each["kind"] == "request", timeout=3)
        assert len(rig.requests()) == 1
    assert len(rig.messages()) <= 1
    if fault.status == 429:
        assert result.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_a_provider_that_refuses_the_connection_was_surely_not_told(name):
    with Simulation(World.from_dict({"tenants": {}, "inboxes": INBOXES})) as closed:
        rig = RIGS[name](closed)
        for server in (closed.slack, closed.pagerduty, closed.mail):
            server.stop()
        result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is Answer.RETRY


def test_no_secret_is_logged_shown_or_raised(rig, caplog):
    caplog.set_level(logging.DEBUG)
    rig.channel.send(rig.delivery, "acme:slack:1")
    rig.simulation.faults.add(Fault(action="reply", status=500, body="no", vendor=rig.vendor))
    result = rig.channel.send(rig.delivery, "acme:slack:2")
    shown = caplog.text + repr(rig.channel) + repr(vars(rig.channel)) + repr(result) + str(rig.simulation.journal.entries())
    assert CANARY not in shown


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("<>&*_~`|[](){}!@#\"'\\\r\n\0\u202e\u2028%$"), st.characters()), min_size=1, max_size=400
)


def hostile_notification(headline, value, body):
    """Past validation: what a careless author of a notification might let through."""
    note = a_notification()
    threat = a_threat().model_copy(update={"classification": value[:200] or "x"})
    facts = tuple((value[:60], value * 3) for _ in range(40))
    return note.model_copy(update={"headline": headline, "facts": facts, "body": body * 40, "threat": threat})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headline=HOSTILE, value=HOSTILE, body=HOSTILE)
def test_slack_takes_whatever_is_rendered(headline, value, body):
    note = hostile_notification(headline, value, body)
    message = slack.Slack(slack.Config(token="x", channel="C")).render(note)
    sizes = [len(block["text"]["text"]) for block in message["blocks"]]
    assert max(sizes) <= 3000
    assert sum(sizes) < 13_000
    assert len(message["blocks"]) <= 50
    assert "<!" not in str(message["text"])
    marked = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
    link = f"<{note.threat.url}>"
    assert any(link in text for text in marked)
    assert not any("<" in text.replace(link, "") or "\0" in text for text in marked)


@settings(max_examples=150, deadline=None)
@given(headline=HOSTILE, value=HOSTILE, body=HOSTILE)
def test_mail_is_always_one_valid_message(headline, value, body):
    note = hostile_notification(headline, value, body)
    config = email.Config(host="127.0.0.1", sender="tre@ar.example")
    delivery = a_delivery("email", "soc@acme.example").model_copy(update={"notification": note})
    message = email.Email(config, now=lambda: NOON).render(delivery, "acme:email:1")
    raw = message.as_bytes()
    assert raw.count(b"\r\nSubject:") == 1
    assert b"\0" not in raw
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert note.threat.url in message.get_body(("plain",)).get_content()


@settings(max_examples=150, deadline=None)
@given(headline=HOSTILE, value=HOSTILE, body=HOSTILE)
def test_pagerduty_is_given_nothing_but_url_severity_and_classification(headline, value, body):
    note = hostile_notification(headline, "host-SECRET-name", body)
    note = note.model_copy(update={"threat": a_threat().model_copy(update={"classification": value})})
    event = pagerduty.PagerDuty(pagerduty.Config(routing_key="x")).render(note)
    assert set(event) == {"payload", "dedup_key", "links"}
    assert set(event["payload"]) == {"summary", "source", "severity", "class", "custom_details"}
    assert set(event["payload"]["custom_details"]) == {"threat_url", "severity", "classification"}
    assert len(event["payload"]["summary"]) <= 1024
    assert "SECRET" not in str(event)


def test_one_threat_has_one_dedup_key_and_two_customers_have_two():
    channel = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))
    keys = [
        channel.render(a_notification(customer=name, headline=head))["dedup_key"]
        for name, head in (("acme", "a"), ("acme", "b"), ("globex", "a"))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_pagerduty_has_nothing_to_say_without_a_threat(simulation):
    rig = a_pagerduty(simulation)
    assert rig.channel.send(a_delivery("pagerduty", threat=None), "x").answer is Answer.PERMANENT


def test_a_slack_message_in_doubt_is_found_by_its_delivery(simulation):
    rig = a_slack(simulation)
    simulation.faults.clear()
    rig.channel.send(rig.delivery, "acme:slack:findme")
    assert rig.channel.reconcile(rig.delivery, "acme:slack:findme").answer is Answer.ACCEPTED
    assert rig.channel.reconcile(rig.delivery, "acme:slack:other").answer is Answer.RETRY
    simulation.faults.add(Fault(action="reply", status=200, body='{"ok":false,"error":"missing_scope"}', vendor="slack"))
    assert rig.channel.reconcile(rig.delivery, "acme:slack:findme") is None


@pytest.mark.parametrize("address", ["a@x.example, b@y.example", "not an address", "a@", "a@x.example>", "a\r\nBcc: b@x.example"])
def test_mail_goes_to_exactly_one_address(simulation, address):
    rig = a_mail(simulation)
    delivery = rig.delivery.model_copy(update={"receiver": rig.delivery.receiver.model_copy(update={"address": address})})
    assert rig.channel.send(delivery, "x").answer is Answer.PERMANENT


def test_mail_is_threaded_by_threat_and_its_id_is_the_deliverys(simulation):
    channel = a_mail(simulation).channel
    first, again, other = (channel.render(a_delivery("email", "soc@acme.example"), name) for name in ("d1", "d1", "d2"))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"]
    assert first["Auto-Submitted"] == "auto-generated"


def test_wrong_mail_credentials_are_for_good(simulation):
    config = email.Config(
        host="127.0.0.1", port=simulation.mail.port, sender="t@ar.example", user="ar", password="no", ca_file=simulation.ca_pem
    )
    assert email.Email(config).send(a_delivery("email", "soc@acme.example"), "x").answer is Answer.PERMANENT


def test_an_unknown_certificate_is_not_trusted(simulation):
    config = email.Config(host="127.0.0.1", port=simulation.mail.port, sender="t@ar.example", user="ar", password=CANARY)
    before = len(simulation.journal.messages())
    assert email.Email(config).send(a_delivery("email", "soc@acme.example"), "x").answer is Answer.RETRY
    assert len(simulation.journal.messages()) == before


def test_rendering_is_deterministic():
    notes = [Notification.model_validate(a_notification().model_dump()) for _ in range(2)]
    channel = slack.Slack(slack.Config(token="x", channel="C"))
    assert channel.render(notes[0]) == channel.render(notes[1])
