"""Calls: TwiML that Twilio can parse, words that can be heard, and nobody rung twice."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from ar_workers.channels import voice
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery, a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.voice import a_voice

CONFIG = {"account_sid": "AC" + "0" * 32, "auth_token": "x", "from_number": "+15005550006"}


def twiml(note, **more):
    return voice.Voice(voice.Config(**CONFIG, **more)).render(note)


def said(note):
    return ET.fromstring(twiml(note)).find("Say").text


@settings(max_examples=200, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_a_call_is_always_valid_within_the_limit_and_whole_in_what_matters(headline, value, body):
    note = a_hostile_notification(headline, value, body)
    text = twiml(note)
    assert len(text) <= 4000
    first, pause, again = ET.fromstring(text)
    assert (first.tag, pause.tag, first.text) == ("Say", "Pause", again.text)
    assert first.text.startswith("Active Remediation for acme. high severity. " + voice.speakable(note.threat.classification))
    assert first.text.endswith("For details see the console.")


@pytest.mark.parametrize("char", ["&", "<", "a&", " & ", "\ufffe", "\x00", "😀", "é", "漢"])
def test_the_longest_classification_is_said_whole_and_twice(char):
    longest = (char * 500)[:500]
    threat = a_threat().model_copy(update={"classification": longest})
    note = a_notification().model_copy(update={"headline": longest, "threat": threat})
    assert len(twiml(note)) <= 4000
    ET.fromstring(twiml(note))


@pytest.mark.parametrize(
    "unheard",
    ["https://acme.ar.example/threats/1042", "fb45e5999610e09e822b1919efa5d027", r"C:\Users\kim\evil.exe", "/usr/local/bin/miner"],
)
def test_nobody_is_read_a_link_a_hash_or_a_path(unheard):
    text = said(a_notification(headline=f"Found {unheard} today"))
    assert unheard not in text
    assert "Found see the console today" in text


def test_the_language_is_spoken_as_set():
    spoken = ET.fromstring(twiml(a_notification(), language="de-DE")).findall("Say")
    assert [each.get("language") for each in spoken] == ["de-DE", "de-DE"]


def test_what_is_about_no_threat_is_said_as_well():
    assert said(a_notification(threat=None, headline="Unsupported OS")) == (
        "Active Remediation for acme. Unsupported OS. For details see the console."
    )


def test_a_call_in_doubt_is_left_to_a_person(simulation):
    rig = a_voice(simulation)
    simulation.faults.add(Fault(action="reset_after", vendor="twilio", times=1))
    assert rig.channel.send(rig.delivery, "acme:voice:1").answer is Answer.UNKNOWN
    assert rig.channel.reconcile(rig.delivery, "acme:voice:1") is None
    assert (rig.channel.dedupes, rig.channel.marks_copies) == (False, False)


def test_only_a_number_is_rung(simulation):
    assert a_voice(simulation).channel.send(a_delivery("voice", "tre"), "acme:voice:1").answer is Answer.PERMANENT
    assert simulation.journal.requests() == []
