"""The pretend Twilio, asked by Twilio's own client."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from ar_workers.simulator import Simulation, World

SID, TO, FROM = "AC" + "1" * 32, "+15005550001", "+15005550006"
INBOXES = {"twilio": {"account_sid": SID, "auth_token": "hush", "refusals": {"+15005550010": 21610, "+15005550004": 20429}}}
TWIML = "<Response><Say>a &amp; b</Say></Response>"


@pytest.fixture
def simulation():
    with Simulation(World.from_dict({"inboxes": INBOXES})) as found:
        yield found


class _Loopback(TwilioHttpClient):
    base = ""

    def request(self, method, url, **more):
        return super().request(method, url.replace("https://api.twilio.com", self.base), **more)


def a_client(simulation, token="hush"):
    http = _Loopback(pool_connections=False)
    http.base = simulation.inboxes["twilio"].url
    return Client(SID, token, http_client=http)


@pytest.mark.parametrize(
    ("body", "segments"), [("a" * 160, "1"), ("a" * 161, "2"), ("\u2019" + "a" * 70, "2"), ("€" * 81, "2"), ("😀" * 35, "1")]
)
def test_a_message_is_queued_counted_and_kept(simulation, body, segments):
    made = a_client(simulation).messages.create(to=TO, from_=FROM, body=body)
    assert (made.status, made.num_segments) == ("queued", segments)
    (kept,) = simulation.journal.messages(vendor="twilio")
    assert (kept["channel"], kept["id"], kept["subject"]) == (TO, made.sid, body)


def test_messages_are_listed_by_number_newest_first_over_all_pages(simulation):
    client = a_client(simulation)
    for number in range(5):
        client.messages.create(to=TO, from_=FROM, body=str(number))
    client.messages.create(to="+15005550002", from_=FROM, body="other")
    assert [each.body for each in client.messages.list(to=TO, page_size=2)] == ["4", "3", "2", "1", "0"]


def test_a_call_says_what_its_twiml_says(simulation):
    made = a_client(simulation).calls.create(to=TO, from_=FROM, twiml=TWIML)
    assert made.sid.startswith("CA")
    assert simulation.journal.messages(vendor="twilio")[0]["subject"] == "a & b"
    assert [each.sid for each in a_client(simulation).calls.list(to=TO)] == [made.sid]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "5005550001"}, 400, 21211),
        ({"to": "+15005550010"}, 400, 21610),
        ({"to": "+15005550004"}, 429, 20429),
        ({"body": "a" * 1601}, 400, 21617),
        ({"body": "😀" * 801}, 400, 21617),
        ({"body": ""}, 400, 21602),
        ({"from_": ""}, 400, 21603),
    ],
)
def test_twilio_refuses_with_a_code_of_its_own(simulation, changes, status, code):
    with pytest.raises(TwilioRestException) as refused:
        a_client(simulation).messages.create(**({"to": TO, "from_": FROM, "body": "x"} | changes))
    assert (refused.value.status, refused.value.code) == (status, code)
    assert simulation.journal.messages() == []


@pytest.mark.parametrize(("twiml", "code"), [("<Response>", 12100), (f"<Response><Say>{'a' * 4000}</Say></Response>", 21218), ("", 21205)])
def test_a_call_without_usable_twiml_is_refused(simulation, twiml, code):
    with pytest.raises(TwilioRestException) as refused:
        a_client(simulation).calls.create(to=TO, from_=FROM, twiml=twiml)
    assert refused.value.code == code


def test_a_wrong_token_is_refused_and_the_right_one_never_written_down(simulation):
    with pytest.raises(TwilioRestException) as refused:
        a_client(simulation, "wrong").messages.create(to=TO, from_=FROM, body="x")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    a_client(simulation).messages.create(to=TO, from_=FROM, body="x")
    assert "hush" not in str(simulation.journal.entries())
