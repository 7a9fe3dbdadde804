"""Phone calls by Twilio: what happened and how severe it is, said twice; everything else is in the console."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from twilio.twiml.voice_response import VoiceResponse

from ..domain.results import Answer, Result
from .base import Entry, essentials, one_line
from .twilio_api import PROVIDER, Account, Number, Twilio, is_number
from .twilio_api import probe as account_probe

if TYPE_CHECKING:
    from ..domain.checkups import Check
    from ..domain.notifications import Delivery, Notification

#: Twilio's limit for inline TwiML is 4000 characters after escaping. A sentence is said twice, and nothing in it needs
#: escaping, so a classification of 500 characters and this much of a headline stay below it.
HEADLINE = 200
#: Seconds between the two, for finding a pen.
PAUSE = 2
#: What nobody can take down by ear: links, hashes and long ids, paths of Windows and Unix.
_UNHEARD = re.compile(r"\w+://\S+|\b[0-9a-fA-F]{16,}\b|\b[A-Za-z]:\\\S+|(?<!\S)/\S+")


class Config(Account):
    """Whose number is shown, and the language that is spoken (a BCP 47 tag such as en-US)."""

    from_number: Number = Field(description="The number that is shown.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2}-[A-Z]{2}$")] = Field("en-US", description="What is spoken, as a BCP 47 tag.")


def probe(config: Config) -> Check:
    """The account, as far as it shows without sending."""
    return account_probe("voice", config)


class Voice:
    """`ports.Channel`. A call bears no mark of ours, so one in doubt is left to a person, and never placed again."""

    provider = PROVIDER
    dedupes = False
    marks_copies = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._twilio = Twilio(config)

    def render(self, notification: Notification) -> str:
        """The TwiML."""
        told = dict(essentials(notification))
        sentences = [*(["Dry run"] if notification.mark else []), f"Active Remediation for {notification.customer}"]
        if told:
            sentences += [f"{told['Severity'].lower()} severity", told["Classification"]]
        sentences += [one_line(_UNHEARD.sub("see the console", notification.headline), HEADLINE), "For details see the console"]
        text = ". ".join(map(speakable, sentences)) + "."
        response = VoiceResponse()
        response.say(text, language=self._config.language)
        response.pause(length=PAUSE)
        response.say(text, language=self._config.language)
        return str(response.to_xml())

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002 - nothing bears it
        """Have Twilio place the call once."""
        address = delivery.receiver.address
        if not is_number(address):
            return Result(answer=Answer.PERMANENT, code="not an E.164 number")
        twiml = self.render(delivery.notification)
        return self._twilio.create(lambda client: client.calls.create(to=address, from_=self._config.from_number, twiml=twiml))

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002 - see the class
        """Twilio lists calls by number and time only: which of two alerts a call was about, nobody can tell."""
        return None

    def end(self, reference: str) -> Result | None:
        """`ports.Following`: whether anybody answered."""
        return self._twilio.end(lambda client: client.calls(reference).fetch())


def speakable(text: str) -> str:
    """Letters, digits and punctuation: neither what XML cannot hold (U+FFFE, controls) nor what it must escape."""
    plain = text.replace(" & ", " and ").replace("&", "+").replace("<", " ").replace(">", " ")
    return " ".join("".join(char if unicodedata.category(char)[0] in "LMNPZ" or char in "$+=€£" else " " for char in plain).split())


ENTRY = Entry(Config, Voice, probe)
