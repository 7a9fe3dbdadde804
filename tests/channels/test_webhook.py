"""The customer's webhook: signed as the standard says, small, and the same at every attempt."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from ar_workers.channels import webhook
from ar_workers.channels.outcomes import encoded
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import NOON, a_delivery, a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.base import CANARY, an_egress
from .rigs.webhook import SECRET, a_webhook

OTHER = "whsec_" + base64.b64encode(b"another-secret-of-24-byte").decode()


def a_channel(**more):
    return webhook.Webhook(webhook.Config(url="https://acme.example/hook", secrets=[SECRET]), **more)


def rendered(note, **more):
    return a_channel(now=lambda: NOON).render(a_delivery("webhook").model_copy(update={"notification": note, **more}))


def test_the_published_vector_is_met():
    """From the test suites of the standard's own libraries."""
    keys = [webhook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    found = webhook.signature(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@settings(max_examples=60, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_whatever_is_rendered_is_below_20_kb_and_whole_in_its_essentials(headline, value, body):
    note = a_hostile_notification(headline, value, body)
    raw = encoded(rendered(note))
    assert len(raw) < 20_000
    envelope = json.loads(raw)
    assert envelope["data"]["threat"] == {
        "id": note.threat.id,
        "severity": "high",
        "classification": webhook.cleaned(note.threat.classification),
        "url": note.threat.url,
    }
    assert len(envelope["data"]["facts"]) + envelope["data"]["facts_left_out"] == 40
    assert "\0" not in str(envelope)
    assert "\u202e" not in str(envelope)


def test_the_longest_essentials_fit():
    threat = a_threat().model_copy(update={"classification": "😀" * 500, "url": "https://" + "u" * 492})
    raw = encoded(rendered(a_notification(threat=threat, headline="😀" * 500, body="😀" * 5_000)))
    assert len(raw) < 20_000
    assert json.loads(raw)["data"]["threat"]["classification"] == "😀" * 500


def test_what_is_clipped_says_how_much_is_missing():
    note = a_notification(facts=tuple(("Fact", "v" * 400) for _ in range(100)), body="b" * 20_000)
    data = rendered(note)["data"]
    assert data["facts_left_out"] == 100 - len(data["facts"]) > 0
    kept = data["body"].count("b")
    assert data["body"] == "b" * kept + f"… ({20_000 - kept} more characters, see the threat)"


def test_the_envelope_tells_when_it_happened_and_not_when_it_was_sent():
    happened = NOON - timedelta(hours=3)
    assert rendered(a_notification(), occurred_at=happened)["timestamp"] == "2026-11-24T09:00:00Z"
    assert rendered(a_notification())["type"] == "active_remediation.threat_published"


def test_a_repetition_has_the_same_id_and_body_and_is_marked_as_a_duplicate(simulation):
    rig = a_webhook(simulation)
    delivery = rig.delivery.model_copy(update={"occurred_at": NOON})
    simulation.faults.add(Fault(action="reset_after", vendor="webhook", times=1))
    first = rig.channel.send(delivery, "acme:webhook:1")
    second = rig.channel.send(delivery, "acme:webhook:1")
    assert (first.answer, second.answer) == (Answer.UNKNOWN, Answer.ACCEPTED)
    one, two = rig.messages()
    assert (one["duplicate"], two["duplicate"]) == (False, True)
    assert one["id"] == two["id"] == second.reference
    assert one["body"] == two["body"]


def test_two_deliveries_have_two_ids_without_a_full_stop():
    ids = [webhook.message_id_of(name) for name in ("acme:webhook:1", "acme:webhook:2", "a.b\r\nx: y")]
    assert len(set(ids)) == 3
    assert not any("." in each or "\n" in each for each in ids)


@pytest.mark.parametrize("secrets", [[SECRET, OTHER], [OTHER, SECRET]])
def test_while_a_key_is_rotated_the_receiver_may_have_either(simulation, secrets):
    config = webhook.Config(url=f"{simulation.inboxes['webhook'].url}/", secrets=secrets)
    channel = webhook.Webhook(config, an_egress(simulation, simulation.inboxes["webhook"]))
    assert channel.send(a_delivery("webhook"), "x").answer is Answer.ACCEPTED


def test_a_receiver_with_another_key_refuses(simulation):
    config = webhook.Config(url=f"{simulation.inboxes['webhook'].url}/", secrets=[OTHER])
    result = webhook.Webhook(config, an_egress(simulation, simulation.inboxes["webhook"])).send(a_delivery("webhook"), "x")
    assert (result.answer, result.code) == (Answer.PERMANENT, "http 401")


def test_an_attempt_is_signed_with_its_own_time(simulation):
    """An hour-old one would not be taken."""
    late = a_webhook(simulation).channel
    stale = webhook.Webhook(late._config, late._egress, now=lambda: NOON - timedelta(days=9))
    assert stale.send(a_delivery("webhook").model_copy(update={"occurred_at": NOON}), "x").code == "http 401"
    assert late.send(a_delivery("webhook").model_copy(update={"occurred_at": NOON}), "x").answer is Answer.ACCEPTED


@pytest.mark.parametrize(
    "secret",
    ["", CANARY, "whsec_", "whsec_c2hvcnQ=", "whsec_" + "A" * 92, "whsec_!" + "A" * 31, "whsec_" + "A" * 31, SECRET.removeprefix("whsec_")],
)
def test_a_secret_in_another_form_is_refused_without_showing_it(secret):
    with pytest.raises(ValidationError) as refused:
        webhook.Config(url="https://acme.example/", secrets=[secret])
    assert secret in {"", "whsec_"} or secret not in str(refused.value)


@pytest.mark.parametrize("secrets", [[], [SECRET] * 6])
def test_there_is_at_least_one_secret_and_there_are_not_too_many(secrets):
    with pytest.raises(ValidationError):
        webhook.Config(url="https://acme.example/", secrets=secrets)


def test_neither_url_nor_secret_is_shown():
    config = webhook.Config(url=f"https://acme.example/{CANARY}", secrets=[SECRET])
    assert CANARY not in repr(config)
    assert SECRET not in repr(config)
