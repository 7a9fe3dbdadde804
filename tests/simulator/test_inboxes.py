"""Inboxes that take, refuse and remember as the real ones do, asked by their vendors' own clients where there are any."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from email.message import EmailMessage

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from ar_workers.simulator import Fault, Simulation, World

KEY = "0123456789abcdef0123456789abcdef"
INBOXES = {
    "slack": {"token": "xoxb-1", "channels": ["C1"], "hook": "T0/B0/hush"},
    "pagerduty": {"routing_key": KEY},
    "mail": {"user": "ar", "password": "hush", "refusals": {"gone@x.example": "550 no such user"}},
    "teams": {"sig": "hush"},
    "webhook": {"secrets": ["whsec_" + base64.b64encode(b"k" * 24).decode()]},
}


@pytest.fixture
def simulation():
    with Simulation(World.from_dict({"inboxes": INBOXES})) as found:
        yield found


def a_slack(simulation, token="xoxb-1"):
    return WebClient(token, base_url=f"{simulation.inboxes['slack'].url}/api/", retry_handlers=[])


def test_a_slack_thread_and_its_metadata_are_kept(simulation):
    client = a_slack(simulation)
    root = client.chat_postMessage(channel="C1", text="root", metadata={"event_type": "e", "event_payload": {"id": "7"}})
    client.chat_postMessage(channel="C1", text="reply", thread_ts=root["ts"])
    assert [one["text"] for one in client.conversations_history(channel="C1")["messages"]] == ["root"]
    found = client.conversations_replies(channel="C1", ts=root["ts"], include_all_metadata=True)["messages"]
    assert [one["text"] for one in found] == ["reply", "root"]
    assert (found[0]["thread_ts"], found[1]["metadata"]["event_payload"]) == (root["ts"], {"id": "7"})
    assert "metadata" not in client.conversations_history(channel="C1")["messages"][0]


def test_slack_history_comes_page_by_page_from_a_time_on(simulation):
    client = a_slack(simulation)
    stamps = [client.chat_postMessage(channel="C1", text=str(number))["ts"] for number in range(4)]
    first = client.conversations_history(channel="C1", limit=2, oldest=stamps[0])
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.conversations_history(channel="C1", limit=2, oldest=stamps[0], cursor=cursor)
    assert [one["text"] for one in first["messages"] + rest["messages"]] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("token", "message", "error"),
    [
        ("xoxb-2", {"channel": "C1", "text": "x"}, "invalid_auth"),
        ("xoxb-1", {"channel": "C2", "text": "x"}, "channel_not_found"),
        ("xoxb-1", {"channel": "C1", "text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ],
)
def test_slack_refuses_with_status_200(simulation, token, message, error):
    with pytest.raises(SlackApiError) as refused:
        a_slack(simulation, token).chat_postMessage(**message)
    assert (refused.value.response.status_code, refused.value.response["error"]) == (200, error)
    assert simulation.journal.messages() == []


def test_slack_says_when_it_is_asked_too_often(simulation):
    body = json.dumps({"ok": False, "error": "ratelimited"})
    simulation.faults.add(Fault(action="reply", vendor="slack", status=429, headers={"Retry-After": "9"}, body=body))
    with pytest.raises(SlackApiError) as refused:
        a_slack(simulation).chat_postMessage(channel="C1", text="x")
    assert refused.value.response.headers["Retry-After"] == "9"


def test_slack_answers_broken_json(simulation):
    headers = {"Authorization": "Bearer xoxb-1", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{simulation.inboxes['slack'].url}/api/chat.postMessage", b"{", headers)
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply)["error"] == "invalid_json"


def posted(simulation, url, document, headers=None):
    trusted = ssl.create_default_context(cafile=str(simulation.ca_pem))
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = urllib.request.Request(url, raw, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, context=trusted) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_a_slack_webhook_answers_in_plain_words_and_its_secret_is_not_written_down(simulation):
    url = f"{simulation.inboxes['slack_hook'].url}/services"
    assert posted(simulation, f"{url}/T0/B0/hush", {"text": "x"}) == (200, b"ok")
    assert posted(simulation, f"{url}/T0/B0/wrong", {"text": "x"}) == (404, b"no_service")
    assert posted(simulation, f"{url}/T0/B0/hush", b"{") == (400, b"invalid_payload")
    assert posted(simulation, f"{url}/T0/B0/hush", {"text": "x", "blocks": [{"type": "divider"}] * 51})[0] == 400
    assert [one["channel"] for one in simulation.journal.messages()] == ["C1"]
    assert "hush" not in json.dumps(list(simulation.journal))


def a_card(**changes):
    run = {"type": "TextRun", "text": "x"}
    card = {"type": "AdaptiveCard", "version": "1.4", "lang": "en", "fallbackText": "x", "speak": "x"}
    card |= {"body": [{"type": "RichTextBlock", "inlines": [run]}]} | changes
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]}


def test_a_flow_takes_a_card_with_202_and_its_signature_is_not_written_down(simulation):
    assert posted(simulation, f"{simulation.inboxes['teams'].url}/w?sig=hush", a_card())[0] == 202
    assert posted(simulation, f"{simulation.inboxes['teams'].url}/w?sig=wrong", a_card())[0] == 401
    assert "hush" not in json.dumps(list(simulation.journal))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "AdaptiveCard", "version": "1.4"},
        a_card(version="1.5"),
        a_card(version="2"),
        a_card(fallbackText=""),
        a_card(msteams={"width": "Full"}),
        a_card(body=[{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "x", "style": "heading"}]}]),
        a_card(body=[{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": ""}]}]),
        a_card(body=[{"type": "Marquee"}]),
        a_card(actions=[{"type": "Action.OpenUrl", "title": "x", "url": "javascript:alert(1)"}]),
        {**a_card(), "attachments": []},
        b"[",
    ],
)
def test_a_card_that_teams_would_drop_is_refused(simulation, wrong):
    assert posted(simulation, f"{simulation.inboxes['teams'].url}/w?sig=hush", wrong)[0] == 400
    assert simulation.journal.messages() == []


def test_a_card_that_is_too_large_is_refused(simulation):
    assert posted(simulation, f"{simulation.inboxes['teams'].url}/w?sig=hush", a_card(fallbackText="x" * 29_000))[0] == 413


def signed(body, *, name="msg_1", stamp=None, key=b"k" * 24):
    stamp = str(int(time.time()) if stamp is None else stamp)
    code = base64.b64encode(hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)).decode()
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{code}"}


ENVELOPE = json.dumps({"type": "a.b", "timestamp": "2026-11-24T12:00:00Z", "data": {"headline": "h"}}).encode()


def test_a_webhook_is_taken_again_under_the_same_id_and_marked(simulation):
    for name in ("msg_1", "msg_1", "msg_2"):
        assert posted(simulation, simulation.inboxes["webhook"].url, ENVELOPE, signed(ENVELOPE, name=name))[0] == 204
    assert [one["duplicate"] for one in simulation.journal.messages()] == [False, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-id": "msg_2"},
        {"webhook-id": "msg.1"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": str(int(time.time()) - 1)},
        signed(ENVELOPE, key=b"x" * 24),
        signed(ENVELOPE, stamp=int(time.time()) - 3600),
        signed(ENVELOPE, stamp=int(time.time()) + 3600),
        signed(ENVELOPE + b" "),
    ],
)
def test_a_webhook_that_is_not_signed_for_now_is_refused(simulation, wrong):
    assert posted(simulation, simulation.inboxes["webhook"].url, ENVELOPE, signed(ENVELOPE) | wrong)[0] == 401
    assert simulation.journal.messages() == []


@pytest.mark.parametrize("wrong", [b"{", b"[]", b'{"type": "a"}', ENVELOPE + b" " * 20_000])
def test_a_webhook_that_is_no_envelope_is_refused(simulation, wrong):
    assert posted(simulation, simulation.inboxes["webhook"].url, wrong, signed(wrong))[0] == 400


def an_event(**changes):
    payload = {"summary": "s", "source": "x", "severity": "critical"}
    return {"routing_key": KEY, "event_action": "trigger", "dedup_key": "k", "payload": payload} | changes


def paged(simulation, event, broken=""):
    trusted = ssl.create_default_context(cafile=str(simulation.ca_pem))
    headers = {"Content-Type": "application/json"} if broken else {}
    request = urllib.request.Request(f"{simulation.inboxes['pagerduty'].url}/v2/enqueue", (json.dumps(event) + broken).encode(), headers)
    try:
        with urllib.request.urlopen(request, context=trusted) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_an_open_page_is_updated_and_a_resolved_one_opens_anew(simulation):
    for action in ("trigger", "trigger", "resolve", "trigger"):
        assert paged(simulation, an_event(event_action=action))[0] == 202
    assert [one["opened"] for one in simulation.journal.messages() if one["body"]["event_action"] == "trigger"] == [True, False, True]


def test_pages_without_a_key_are_not_merged(simulation):
    keys = [paged(simulation, an_event(dedup_key=None))[1]["dedup_key"] for _ in range(2)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing_key": "0" * 32},
        {"event_action": "page"},
        {"dedup_key": "k" * 256},
        {"payload": {"summary": "s" * 1025, "source": "x", "severity": "info"}},
        {"payload": {"summary": "s", "source": "x", "severity": "CRITICAL"}},
        {"payload": {"summary": "s", "severity": "info"}},
    ],
)
def test_a_page_out_of_bounds_is_refused(simulation, wrong):
    assert paged(simulation, an_event(**wrong))[0] == 400
    assert simulation.journal.messages() == []


@pytest.mark.parametrize("broken", ["", "{"])
def test_a_routing_key_is_never_written_down(simulation, broken):
    paged(simulation, an_event(), broken)
    assert KEY not in json.dumps(list(simulation.journal))


def mailed(simulation, *recipients, login=True):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Grüße", "ar@x.example", ", ".join(recipients)
    message["Message-ID"] = "<1@x.example>"
    message.set_content("Körper\n")
    with smtplib.SMTP("127.0.0.1", simulation.inboxes["mail"].port, timeout=5) as client:
        if login:
            client.starttls(context=ssl.create_default_context(cafile=str(simulation.ca_pem)))
            client.login("ar", "hush")
        return client.send_message(message)


@pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")
def test_a_mail_is_kept_for_each_recipient(simulation):
    assert mailed(simulation, "a@x.example", "b@x.example") == {}
    kept = simulation.journal.messages(vendor="mail")
    assert [one["channel"] for one in kept] == ["a@x.example", "b@x.example"]
    assert (kept[0]["id"], kept[0]["subject"], kept[0]["body"]["text"].strip()) == ("<1@x.example>", "Grüße", "Körper")


def test_mail_wants_a_login(simulation):
    with pytest.raises(smtplib.SMTPException):
        mailed(simulation, "a@x.example", login=False)
    assert simulation.journal.messages() == []


@pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")
def test_one_refused_recipient_does_not_hold_up_the_other(simulation):
    assert mailed(simulation, "a@x.example", "gone@x.example") == {"gone@x.example": (550, b"no such user")}


@pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")
@pytest.mark.parametrize(("action", "kept"), [("reset_before", 0), ("reset_after", 1)])
def test_a_connection_lost_after_the_final_dot_tells_nothing(simulation, action, kept):
    simulation.faults.add(Fault(action=action, vendor="mail"))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        mailed(simulation, "a@x.example")
    assert len(simulation.journal.messages()) == kept
