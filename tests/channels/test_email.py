"""Mail: one valid message to one address, over a verified connection."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ar_workers.channels import email
from ar_workers.channels.base import essentials
from ar_workers.domain.results import Answer
from ar_workers.simulator import Simulation, World
from tests.builders import NOON, a_delivery

from .hostile import TEXT, a_hostile_notification
from .rigs.base import CANARY
from .rigs.email import SETTINGS, a_mail


@settings(max_examples=60, deadline=None)
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
    for kind in ("plain", "html"):
        shown = message.get_body((kind,)).get_content().replace("\r\n", "\n")
        assert "HIGH" in shown
        assert note.threat.url in shown
    classification = dict(essentials(note))["Classification"]
    assert f"\nClassification: {classification}\n" in message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert message.get_body(("html",)).get_content().count("<a ") == 1


@pytest.mark.parametrize(
    "address", ["a@x.example, b@y.example", "not an address", "a@", "@x.example", "a@x.example>", "a\r\nBcc: b@x.example"]
)
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
        host="127.0.0.1", port=simulation.inboxes["mail"].port, sender="t@ar.example", user="ar", password="no", ca_file=simulation.ca_pem
    )
    assert email.Email(config).send(a_delivery("email", "soc@acme.example"), "x").answer is Answer.PERMANENT


def test_an_unknown_certificate_is_not_trusted(simulation):
    config = email.Config(host="127.0.0.1", port=simulation.inboxes["mail"].port, sender="t@ar.example", user="ar", password=CANARY)
    assert email.Email(config).send(a_delivery("email", "soc@acme.example"), "x").answer is Answer.RETRY
    assert simulation.journal.messages() == []


def test_all_mails_about_a_threat_bear_one_subject_and_others_their_headline():
    channel = email.Email(email.Config(host="127.0.0.1", sender="tre@ar.example"), now=lambda: NOON)
    mails = [a_delivery("email", "soc@acme.example", headline=each) for each in ("HIGH threat published", "Remediation complete")]
    subjects = {channel.render(each, each.notification.headline)["Subject"] for each in mails}
    assert subjects == {"[Active Remediation] HIGH threat THREAT-1042: Malicious Software (Ransomware)"}
    alone = channel.render(a_delivery("email", "soc@acme.example", threat=None, headline="Unsupported OS"), "3")
    assert (alone["Subject"], alone["References"]) == ("[Active Remediation] Unsupported OS", None)


def test_very_many_facts_are_cut_with_their_number():
    facts = tuple(("Outstanding", f"delete file {number}") for number in range(250))
    delivery = a_delivery("email", "soc@acme.example", facts=facts)
    message = email.Email(email.Config(host="127.0.0.1", sender="tre@ar.example"), now=lambda: NOON).render(delivery, "1")
    assert "(50 more, see the threat)" in message.get_body(("plain",)).get_content()


def test_a_recipient_that_the_server_refuses_is_not_called_told(simulation):
    rig = a_mail(simulation)
    simulation.inboxes["mail"].refusals["gone@acme.example"] = "550 no such user"
    simulation.inboxes["mail"].refusals["full@acme.example"] = "452 mailbox full"
    answers = [rig.channel.send(a_delivery("email", f"{name}@acme.example"), "x").answer for name in ("gone", "full")]
    simulation.inboxes["mail"].refusals.clear()
    assert answers == [Answer.PERMANENT, Answer.RETRY]
    assert rig.messages() == []


@pytest.mark.parametrize("address", ["käthe@acme.example", "soc@bücher.example"])
def test_an_address_beyond_ascii_needs_a_server_that_takes_it(simulation, address):
    rig = a_mail(simulation)
    result = rig.channel.send(a_delivery("email", address), "x")
    assert (result.answer, "SMTPUTF8" in result.code) == (Answer.PERMANENT, True)
    with Simulation(World.from_dict({"inboxes": {"mail": SETTINGS | {"smtputf8": True}}})) as modern:
        rig = a_mail(modern)
        assert rig.channel.send(a_delivery("email", address), "x").answer is Answer.ACCEPTED
        assert rig.messages()[0]["channel"] == address


@pytest.mark.parametrize("address", ["a\uff0cb@x.example", "a\u3000b@x.example", "😀@x.example", "käthe@x.example, b@x.example", "ä@"])
def test_not_everything_beyond_ascii_is_an_address(address):
    assert not email.is_one_address(address)
