"""Text messages by Twilio."""

from __future__ import annotations

from ar_workers.channels import sms
from ar_workers.channels.base import essentials
from ar_workers.channels.gsm7 import transliterated
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery

from .base import AWAY, BROKEN, ELSEWHERE, TOO_OFTEN, Kit, Rig, is_clean
from .twilio import SETTINGS, an_account


def an_sms(simulation):
    config = sms.Config(**an_account(simulation, from_number="+15005550006"))
    return Rig(sms.SMS(config), simulation, "twilio", a_delivery("sms", "+15005550001"))


def _sms(channel, note):
    text = channel.render(note, "acme:sms:1")
    assert len(text.encode("utf-16-le")) // 2 <= 1600
    assert is_clean(text)
    told = dict(essentials(note))
    if told:
        assert text.startswith((f"HIGH {told['Classification']}\n", f"HIGH {transliterated(told['Classification'])}\n"))
        assert told["Threat"] in text.split("\n")


KIT = Kit(
    inbox="twilio",
    settings=SETTINGS,
    rigs={"sms": an_sms},
    outcomes=(
        ("sms", TOO_OFTEN, Answer.RETRY),
        ("sms", BROKEN, Answer.UNKNOWN),
        ("sms", AWAY, Answer.UNKNOWN),
        ("sms", Fault(action="reply", status=400, body='{"code":21211,"message":"no","status":400}'), Answer.PERMANENT),
        ("sms", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
        ("sms", Fault(action="reply", status=201, body="{}"), Answer.UNKNOWN),
        ("sms", Fault(action="reply", status=201, body="<html>"), Answer.UNKNOWN),
        ("sms", ELSEWHERE, Answer.PERMANENT),
        ("sms", Fault(action="reset_before"), Answer.UNKNOWN),
        ("sms", Fault(action="reset_after"), Answer.UNKNOWN),
        ("sms", Fault(action="truncate"), Answer.UNKNOWN),
        ("sms", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ),
    judge=_sms,
)
