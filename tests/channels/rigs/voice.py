"""Calls by Twilio."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ar_workers.channels import voice
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery

from .base import AWAY, BROKEN, ELSEWHERE, TOO_OFTEN, Kit, Rig
from .twilio import SETTINGS, an_account


def a_voice(simulation):
    config = voice.Config(**an_account(simulation, from_number="+15005550006"))
    return Rig(voice.Voice(config), simulation, "twilio", a_delivery("voice", "+15005550001"), link="see the console")


def _voice(channel, note):
    twiml = channel.render(note)
    assert len(twiml) <= 4000
    said = [each.text for each in ET.fromstring(twiml).iter("Say")]
    assert len(said) == 2
    assert not note.threat or "high severity" in said[0]


KIT = Kit(
    inbox="twilio",
    settings=SETTINGS,
    rigs={"voice": a_voice},
    outcomes=(
        ("voice", TOO_OFTEN, Answer.RETRY),
        ("voice", BROKEN, Answer.UNKNOWN),
        ("voice", AWAY, Answer.UNKNOWN),
        ("voice", Fault(action="reply", status=400, body='{"code":21211,"message":"no","status":400}'), Answer.PERMANENT),
        ("voice", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
        ("voice", Fault(action="reply", status=201, body="{}"), Answer.UNKNOWN),
        ("voice", Fault(action="reply", status=201, body="<html>"), Answer.UNKNOWN),
        ("voice", ELSEWHERE, Answer.PERMANENT),
        ("voice", Fault(action="reset_before"), Answer.UNKNOWN),
        ("voice", Fault(action="reset_after"), Answer.UNKNOWN),
        ("voice", Fault(action="truncate"), Answer.UNKNOWN),
        ("voice", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ),
    judge=_voice,
)
