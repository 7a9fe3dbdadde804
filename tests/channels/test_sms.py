"""Text messages: never dearer than they must be, whole in what matters, and never sent twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.channels import gsm7, sms
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from ar_workers.simulator.inboxes.twilio import segments as counted_by_the_twin
from tests.builders import a_delivery, a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.sms import an_sms
from .rigs.twilio import an_account

SERVICE = {"account_sid": "AC" + "0" * 32, "auth_token": "x", "messaging_service_sid": "MG" + "0" * 32}


def rendered(note):
    return sms.SMS(sms.Config(**SERVICE)).render(note, "acme:sms:1")


def threatened(classification, **changes):
    return a_notification(threat=a_threat(classification=classification), **changes)


@settings(max_examples=200, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_a_text_is_within_the_limit_and_whole_in_what_matters(headline, value, body):
    note = a_hostile_notification(headline, value, body)
    text = rendered(note)
    assert len(text.encode("utf-16-le", "surrogatepass")) // 2 <= 1600
    lines = text.split("\n")
    assert len(lines) == 4
    assert lines[0].startswith("HIGH ")
    assert lines[2:] == [note.threat.url, f"ref {sms.code_of('acme:sms:1')}"]
    told = sms.essentials(note)[1][1]
    assert lines[0] == "HIGH " + (gsm7.transliterated(told) if gsm7.is_spelt(told) else told)
    assert gsm7.is_gsm7(text) or not gsm7.is_spelt(told)


@given(st.text(max_size=700))
def test_segments_are_counted_as_the_network_does(text):
    assert gsm7.segments(text) == counted_by_the_twin(text.replace("\r", "☃").replace("\f", "☃"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 153, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("ж" * 66 + "😀" * 34, 3),
        ("a" * 159 + "\u2019", 3),
    ],
)
def test_escapes_and_pairs_count_twice_and_are_never_cut(text, count):
    assert gsm7.segments(text) == count


@given(TEXT)
def test_transliteration_ends_in_the_alphabet_and_never_more_than_doubles(text):
    plain = gsm7.transliterated(text)
    assert gsm7.is_gsm7(plain)
    assert len(plain) <= 2 * len(text)
    assert gsm7.transliterated(plain) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u201cdon\u2019t\u201d \u2013 stop\u2026", '"don\'t" - stop..'),
        ("Łódź", "Lodz"),
        ("crème brûlée", "crème brulée"),
        ("漢", "?"),
        ("😀", "?"),
        ("①ﬁ", "1fi"),
        ("Ç ç", "Ç Ç"),
    ],
)
def test_what_is_alike_takes_the_place_of_what_is_missing(text, plain):
    assert gsm7.transliterated(text) == plain


def test_an_ordinary_alert_costs_one_segment():
    assert gsm7.segments(rendered(a_notification())) == 1


def test_a_long_headline_gives_way_to_what_matters():
    text = rendered(threatened("Ransomware", headline="x" * 400))
    assert gsm7.segments(text) == 1
    assert ".." in text.split("\n")[1]


def test_two_segments_are_paid_for_where_one_leaves_no_room_to_say_what_it_is_about():
    text = rendered(threatened("c" * 100, headline="Remediation complete: THREAT-1042"))
    assert gsm7.segments(text) == 2
    assert "acme: Remediation complete: THREAT-1042" in text


def test_a_classification_in_another_script_is_kept_and_not_turned_into_question_marks():
    assert "ランサムウェア" in rendered(threatened("ランサムウェア"))


def test_what_is_about_no_threat_has_no_empty_lines():
    assert rendered(a_notification(threat=None, headline="Unsupported OS: web-01")).split("\n")[0] == "acme: Unsupported OS: web-01"


def test_the_request_says_when_it_is_too_late(simulation):
    rig = an_sms(simulation)
    rig.channel.send(rig.delivery, "acme:sms:1")
    sent = rig.messages()[0]["body"]
    assert (sent["ValidityPeriod"], sent["SmartEncoded"], sent["From"]) == ("900", "true", "+15005550006")
    assert sent["num_segments"] == str(gsm7.segments(sent["Body"]))


def test_a_messaging_service_may_pick_the_number(simulation):
    config = sms.Config(**an_account(simulation, messaging_service_sid=SERVICE["messaging_service_sid"]))
    assert sms.SMS(config).send(a_delivery("sms", "+15005550001"), "acme:sms:1").answer is Answer.ACCEPTED
    assert simulation.journal.messages()[0]["body"]["MessagingServiceSid"] == SERVICE["messaging_service_sid"]


@pytest.mark.parametrize(
    ("number", "answer", "code"),
    [
        ("+15005550010", Answer.PERMANENT, "twilio 21610"),
        ("+15005550008", Answer.PERMANENT, "twilio 21408"),
        ("+15005550004", Answer.RETRY, "twilio 20429"),
    ],
)
def test_twilios_own_code_is_kept(simulation, number, answer, code):
    result = an_sms(simulation).channel.send(a_delivery("sms", number), "acme:sms:1")
    assert (result.answer, result.code) == (answer, code)


@pytest.mark.parametrize("address", ["15005550001", "+05005550001", "+1500555000x", "+1 500 555 0001", "+123456", "tre", "+15005550001\n"])
def test_only_a_number_is_texted(simulation, address):
    delivery = a_delivery("sms", "+15005550001")
    delivery = delivery.model_copy(update={"receiver": delivery.receiver.model_copy(update={"address": address})})
    assert an_sms(simulation).channel.send(delivery, "acme:sms:1").answer is Answer.PERMANENT
    assert simulation.journal.requests() == []


def test_a_text_in_doubt_is_found_by_its_code(simulation):
    rig = an_sms(simulation)
    simulation.faults.add(Fault(action="reset_after", vendor="twilio", method="POST", times=1))
    assert rig.channel.send(rig.delivery, "acme:sms:found").answer is Answer.UNKNOWN
    found = rig.channel.reconcile(rig.delivery, "acme:sms:found")
    assert (found.answer, found.reference) == (Answer.ACCEPTED, rig.messages()[0]["id"])


def test_a_text_is_found_behind_the_first_page_and_for_its_number_only(simulation):
    rig = an_sms(simulation)
    for number in range(60):
        rig.channel.send(rig.delivery, f"acme:sms:{number}")
    assert rig.channel.reconcile(rig.delivery, "acme:sms:0").answer is Answer.ACCEPTED
    assert rig.channel.reconcile(a_delivery("sms", "+15005550002"), "acme:sms:0") is None


def test_a_text_that_is_not_listed_is_never_sent_again(simulation):
    rig = an_sms(simulation)
    assert rig.channel.reconcile(rig.delivery, "acme:sms:nowhere") is None
    simulation.faults.add(Fault(action="reply", status=500, vendor="twilio"))
    assert rig.channel.reconcile(rig.delivery, "acme:sms:nowhere") is None
    assert (rig.channel.dedupes, rig.channel.marks_copies) == (False, False)


def test_a_text_that_the_network_refused_is_not_called_sent(simulation):
    rig = an_sms(simulation)
    sid = rig.channel.send(rig.delivery, "acme:sms:late").reference
    simulation.inboxes["twilio"].twin.settle(sid, "undelivered", 30003)
    found = rig.channel.reconcile(rig.delivery, "acme:sms:late")
    assert (found.answer, found.code) == (Answer.PERMANENT, "twilio undelivered 30003: the handset is off or out of reach")


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_number": "+15005550006"},
        {"messaging_service_sid": None},
        {"messaging_service_sid": None, "from_number": "5005550006"},
        {"account_sid": "AC1"},
        {"base_url": "https://api.twilio.com.evil.example"},
        {"base_url": "http://api.twilio.com"},
        {"base_url": "http://10.0.0.1:80"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        sms.Config(**(SERVICE | wrong))


def test_an_account_may_live_in_a_region():
    assert sms.Config(**SERVICE, base_url="https://api.dublin.ie1.twilio.com").base_url.endswith("ie1.twilio.com")


def test_a_proxy_in_the_environment_is_not_used(simulation, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    rig = an_sms(simulation)
    assert rig.channel.send(rig.delivery, "acme:sms:1").answer is Answer.ACCEPTED
