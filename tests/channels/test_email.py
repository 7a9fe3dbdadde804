"""Mail: one valid message to one address, over a verified connection."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ar_workers.channels import email
from ar_workers.domain.results import Answer
from tests.builders import NOON, a_delivery

from .hostile import TEXT, a_hostile_notification
from .rigs import CANARY, a_mail


@settings(max_examples=150, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_mail_is_always_one_valid_message(headline, value, body):
    note = a_hostile_notification(headline, value, body)
    config = email.Config(host="127.0.0.1", sender="tre@ar.example")
    delivery = a_delivery("email", "soc@acme.example").model_copy(update={"notification": note})
    message = email.Email(config, now=lambda: NOON).render(delivery, "acme:email:1")
    raw = message.as_bytes()
    assert raw.count(b"\r\nSubject:") == 1
    assert b"\0" not in raw
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert note.threat.url in message.get_body(("plain",)).get_content()


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
    assert email.Email(config).send(a_delivery("email", "soc@acme.example"), "x").answer is Answer.RETRY
    assert simulation.journal.messages() == []
