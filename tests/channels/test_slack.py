"""Slack, by token and by webhook."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from ar_workers.channels import slack
from ar_workers.channels.egress import Egress
from ar_workers.domain.notifications import Notification
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_notification

from .hostile import TEXT, a_hostile_notification
from .rigs.slack import a_slack, a_slack_hook


@settings(max_examples=60, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_slack_takes_whatever_is_rendered(headline, value, body):
    note = a_hostile_notification(headline, value, body)
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
    essentials = marked[0].splitlines()[:3]
    assert essentials[0] == "*Severity:* HIGH"
    assert essentials[1] == f"*Classification:* {slack.escaped(slack.one_line(note.threat.classification, 500))}"


def test_what_is_clipped_says_how_much_is_missing():
    note = a_notification(facts=tuple((f"Fact {number}", "v" * 400) for number in range(60)), body="b" * 16_000)
    texts = [block["text"]["text"] for block in slack.Slack(slack.Config(token="x", channel="C")).render(note)["blocks"]]
    shown = sum(text.count("*Fact ") for text in texts)
    assert 0 < shown < 60
    assert f"… ({60 - shown} more, see the threat)" in "".join(texts)
    kept = len(texts[-1]) - len(texts[-1].lstrip("b"))
    assert texts[-1][kept:] == f"… ({16_000 - kept} more characters, see the threat)"


def test_rendering_is_deterministic():
    notes = [Notification.model_validate(a_notification().model_dump()) for _ in range(2)]
    channel = slack.Slack(slack.Config(token="x", channel="C"))
    assert channel.render(notes[0]) == channel.render(notes[1])


def test_a_message_in_doubt_is_found_by_its_delivery(simulation):
    rig = a_slack(simulation)
    rig.channel.send(rig.delivery, "acme:slack:findme")
    assert rig.channel.reconcile(rig.delivery, "acme:slack:findme").answer is Answer.ACCEPTED
    assert rig.channel.reconcile(rig.delivery, "acme:slack:other").answer is Answer.RETRY
    simulation.faults.add(Fault(action="reply", status=200, body='{"ok":false,"error":"missing_scope"}', vendor="slack"))
    assert rig.channel.reconcile(rig.delivery, "acme:slack:findme") is None


ODD_HISTORIES = {
    "messages that are none": ('{"ok":true,"messages":[1.5,null,{"metadata":1.5},{"metadata":{"event_payload":[]}}]}', Answer.RETRY),
    "no list of messages": ('{"ok":true,"messages":1.5}', None),
    "no word on whether there are more": ('{"ok":true,"messages":[],"response_metadata":1.5}', None),
    "no object": ("1.5", None),
}


@pytest.mark.parametrize(("body", "answer"), ODD_HISTORIES.values(), ids=ODD_HISTORIES)
def test_an_odd_history_ends_no_delivery(simulation, body, answer):
    rig = a_slack(simulation)
    simulation.faults.add(Fault(action="reply", status=200, body=body, vendor="slack"))
    found = rig.channel.reconcile(rig.delivery, "acme:slack:findme")
    assert (found and found.answer) is answer


def test_later_messages_of_a_threat_stand_in_its_thread_and_are_not_broadcast(simulation):
    rig = a_slack(simulation)
    first = rig.channel.send(rig.delivery, "acme:slack:1")
    rig.channel.send(rig.delivery, "acme:slack:2", thread=first.reference)
    root, reply = (message["body"] for message in rig.messages())
    assert "thread_ts" not in root
    assert reply["thread_ts"] == root["ts"]
    assert rig.requests()[1]["body"]["reply_broadcast"] is False


@pytest.mark.parametrize("thread", ["C-OTHER/1700000000.000001", "C-TRE/", "C-TRE/1.2\n", "acme:slack:1", "C-TRE/<!channel>"])
def test_a_reference_that_names_no_message_here_makes_no_thread(simulation, thread):
    rig = a_slack(simulation)
    assert rig.channel.send(rig.delivery, "acme:slack:1", thread=thread).answer is Answer.ACCEPTED
    assert "thread_ts" not in rig.messages()[0]["body"]


def test_a_reply_in_doubt_is_found_in_its_thread_which_the_history_does_not_show(simulation):
    rig = a_slack(simulation)
    root = rig.channel.send(rig.delivery, "acme:slack:1").reference
    rig.channel.send(rig.delivery, "acme:slack:2", thread=root)
    assert rig.channel.reconcile(rig.delivery, "acme:slack:2", thread=root).answer is Answer.ACCEPTED
    assert rig.channel.reconcile(rig.delivery, "acme:slack:1", thread=root).answer is Answer.ACCEPTED
    assert rig.channel.reconcile(rig.delivery, "acme:slack:3", thread=root).answer is Answer.RETRY
    assert rig.channel.reconcile(rig.delivery, "acme:slack:2").answer is Answer.RETRY


def test_a_message_in_doubt_is_found_behind_a_storm_of_others(simulation):
    rig = a_slack(simulation)
    rig.channel.send(rig.delivery, "acme:slack:findme")
    client = rig.channel.client()
    for number in range(1_200):
        client.chat_postMessage(channel="C-TRE", text=f"{number}")
    assert rig.channel.reconcile(rig.delivery, "acme:slack:findme").answer is Answer.ACCEPTED


@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
def test_a_reply_in_doubt_stays_so_if_only_half_can_be_looked_at(simulation, method):
    rig = a_slack(simulation)
    root = rig.channel.send(rig.delivery, "acme:slack:1").reference
    simulation.faults.add(Fault(action="reply", status=200, body='{"ok":false,"error":"ratelimited"}', path=f"*{method}"))
    assert rig.channel.reconcile(rig.delivery, "acme:slack:3", thread=root) is None


def test_a_webhook_message_names_its_delivery_and_knows_no_thread(simulation):
    rig = a_slack_hook(simulation)
    result = rig.channel.send(rig.delivery, "acme:slack:77", thread="C-TRE/1700000000.000001")
    (message,) = rig.messages()
    assert "Delivery acme:slack:77" in json.dumps(message["body"]["blocks"])
    assert "thread_ts" not in message["body"]
    assert result.reference == "acme:slack:77"
    assert rig.channel.reconcile(rig.delivery, "acme:slack:77") is None


@pytest.mark.parametrize(
    ("said", "code"), [("no_service", "http 404 no_service"), ("<html>https://hooks.slack.com/services/x", "http 404")]
)
def test_a_webhook_that_refuses_is_quoted_only_if_it_says_one_word(simulation, said, code):
    rig = a_slack_hook(simulation)
    simulation.faults.add(Fault(action="reply", status=404, body=said))
    assert rig.channel.send(rig.delivery, "x").code == code


def test_only_what_cannot_be_looked_up_is_sent_again_as_a_copy(simulation):
    assert a_slack_hook(simulation).channel.marks_copies
    assert not a_slack(simulation).channel.marks_copies


REFUSED = [
    {},
    {"channel": "C"},
    {"token": "x", "channel": "C", "webhook_url": "https://hooks.slack.com/services/SECRET"},
    {"channel": "C", "webhook_url": "https://hooks.slack.com/services/SECRET"},
    {"webhook_url": "https://hooks.slack.com.evil.example/services/SECRET"},
    {"webhook_url": "https://evil.example/hooks.slack.com/SECRET"},
    {"webhook_url": "https://hooks.slack.com@evil.example/SECRET"},
    {"webhook_url": "https://evilhooks.slack.com/services/SECRET"},
    {"webhook_url": "http://hooks.slack.com/services/SECRET"},
    {"webhook_url": "https://10.0.0.1/services/SECRET"},
]


@pytest.mark.parametrize("config", REFUSED)
def test_a_config_of_neither_form_is_refused_without_showing_it(config):
    with pytest.raises(ValidationError) as refused:
        slack.Config(**config)
    assert "SECRET" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize("host", ["hooks.slack.com", "HOOKS.slack-gov.com"])
def test_slacks_own_hosts_are_taken_and_not_shown(host):
    assert "SECRET" not in repr(slack.Config(webhook_url=f"https://{host}/services/SECRET"))


def test_loopback_is_refused_where_the_operator_has_not_opened_it(simulation):
    config = slack.Config(webhook_url=f"{simulation.inboxes['slack_hook'].url}/services/x")
    egress = Egress(ports=[simulation.inboxes["slack_hook"].port], ca_file=simulation.ca_pem)
    result = slack.Slack(config, egress).send(a_slack_hook(simulation).delivery, "x")
    assert (result.answer, result.code) == (Answer.PERMANENT, "address refused: it is not public")
    assert simulation.journal.requests() == []
