"""Teams: a card that every flow takes, in which nothing foreign is markup."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from ar_workers.channels import teams
from ar_workers.channels.outcomes import encoded
from ar_workers.domain.results import Answer
from ar_workers.simulator.inboxes.teams import TeamsInbox
from ar_workers.simulator.server import Request
from tests.builders import a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.teams import a_teams


class Nowhere:
    def append(self, *_, **__):
        pass


def rendered(note, delivery_id="acme:teams:1"):
    return teams.Teams(teams.Config(url="https://flow.example/w?sig=x")).render(note, delivery_id)


def card_of(message):
    return message["attachments"][0]["content"]


def texts_of(message):
    return ["".join(run["text"] for run in block["inlines"]) for block in card_of(message)["body"]]


def taken_by_the_inbox(message):
    """The same judge that stands at the end of the wire."""
    return TeamsInbox(Nowhere(), sig="").answer(Request("POST", "/", {}, {}, encoded(message), ""))


@settings(max_examples=60, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_teams_takes_whatever_is_rendered(headline, value, body):
    note = a_hostile_notification(headline, value, body)
    message = rendered(note)
    reply = taken_by_the_inbox(message)
    assert (reply.status, reply.body) == (202, b"")
    assert len(encoded(message)) <= 25_000
    assert not any(mark in json.dumps(message, ensure_ascii=False) for mark in ("{{", "\0", "\u202e"))
    card, texts = card_of(message), texts_of(message)
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert not set("<>&[]*_`~") & set(card["speak"] + card["fallbackText"])
    assert texts[1] == "Severity: HIGH"
    assert texts[2] == f"Classification: {teams.inert(teams.cleaned(note.threat.classification))}"
    assert texts[3] == f"Threat: {note.threat.url}"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open threat", "url": note.threat.url}]
    assert texts[-1] == "Delivery acme:teams:1"


def test_the_longest_that_may_be_never_clips_the_essentials():
    threat = a_threat().model_copy(update={"classification": "😀" * 500, "url": "https://" + "u" * 492})
    message = rendered(a_notification(threat=threat, headline="😀" * 500))
    assert len(encoded(message)) <= 25_000
    assert texts_of(message)[2] == f"Classification: {'😀' * 500}"
    assert card_of(message)["fallbackText"].endswith(threat.url)


def test_what_is_clipped_says_how_much_is_missing():
    note = a_notification(facts=tuple((f"Fact {number}", "v" * 400) for number in range(100)))
    texts = texts_of(rendered(note))
    shown = [text for text in texts if text.startswith("Fact ")]
    assert texts[-2] == f"… ({100 - len(shown)} more, see the threat)"
    assert len(shown) > 30


def test_a_card_full_of_quotes_is_counted_as_teams_keeps_it():
    message = rendered(a_notification(facts=tuple((f"Fact {number}", '"' * 400) for number in range(100))))
    assert taken_by_the_inbox(message).status == 202
    assert len(json.dumps(json.dumps(message, separators=(",", ":")))) <= 28_672


def test_what_teams_counts_as_too_large_is_refused_though_fewer_bytes_were_sent():
    message = rendered(a_notification(facts=()))
    card_of(message)["body"][-1:-1] = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "x"}]}] * 380
    assert len(encoded(message)) < 28_672
    assert taken_by_the_inbox(message).status == 413


def test_a_long_line_goes_on_in_the_next_and_nothing_of_it_is_lost():
    texts = texts_of(rendered(a_notification(facts=(), body="x" * 1200 + "\n\ny")))
    assert [len(text) for text in texts[4:-1]] == [500, 500, 200, 1]


def test_what_is_about_no_threat_has_no_button():
    message = rendered(a_notification(threat=None))
    assert "actions" not in card_of(message)
    assert taken_by_the_inbox(message).status == 202


def test_rendering_is_deterministic():
    assert encoded(rendered(a_notification())) == encoded(rendered(a_notification()))


def test_a_copy_is_seen_to_be_one_and_an_original_is_not():
    first, copy, other = (texts_of(rendered(a_notification(), name))[-1] for name in ("d1", "d1", "d2"))
    assert first == copy != other


def test_accepted_is_not_called_delivered(simulation):
    rig = a_teams(simulation)
    result = rig.channel.send(rig.delivery, "acme:teams:1")
    assert result.answer is Answer.ACCEPTED
    assert "cannot be seen" in result.code
    assert result.reference == rig.messages()[0]["id"]


@pytest.mark.parametrize(
    "host", ["acme.webhook.office.com", "ACME.webhook.office.com", "webhook.office.com", "outlook.office.com", "outlook.office365.com"]
)
def test_a_retired_connector_is_refused_with_what_to_use_instead(host):
    with pytest.raises(ValidationError, match="Workflows") as refused:
        teams.Config(url=f"https://{host}/webhookb2/SECRET/IncomingWebhook/SECRET")
    assert "SECRET" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize(
    "host", ["prod-01.westeurope.logic.azure.com", "a1.06.environment.api.powerplatform.com", "notwebhook.office.com.example"]
)
def test_a_flow_is_taken_and_its_url_not_shown(host):
    assert "SECRET" not in repr(teams.Config(url=f"https://{host}/workflows/x?sig=SECRET"))


@pytest.mark.parametrize("url", ["http://flow.example/?sig=SECRET", "https://u:SECRET@flow.example/", "https://0x7f.1/SECRET", "SECRET"])
def test_a_url_that_is_none_is_refused_without_showing_it(url):
    with pytest.raises(ValidationError) as refused:
        teams.Config(url=url)
    assert "SECRET" not in str(refused.value) + repr(refused.value)
