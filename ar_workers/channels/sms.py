"""Text messages by Twilio: severity, classification and link whole, and of the headline what a segment has room for."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from ..domain.results import Answer, Result
from .base import Entry, essentials, one_line
from .gsm7 import SEPTETS, UNITS, is_gsm7, is_spelt, size, transliterated
from .twilio_api import PROVIDER, Account, Number, Twilio, is_number, judged
from .twilio_api import probe as account_probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domain.checkups import Check
    from ..domain.notifications import Delivery, Notification

#: Two segments stay below the 320 characters that Twilio advises; its limit is 1600, which the essentials never reach.
SEGMENTS = (1, 2)
HEADLINE, LEAST_HEADLINE = 300, 40
#: Seconds that Twilio may keep it back: a stale alert is noise.
VALIDITY = 900
#: How far back a message in doubt is looked for, and among how many.
LOOK_BACK, MOST_LISTED = timedelta(hours=26), 200


class Config(Account):
    """Who it comes from: a number, or a messaging service that picks one."""

    from_number: Number | None = Field(None, description="The number that it comes from. Either this, or `messaging_service_sid`.")
    messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-f]{32}$")] | None = Field(
        None, description="A messaging service, which picks the number."
    )

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if (self.from_number is None) == (self.messaging_service_sid is None):
            raise ValueError("set either from_number or messaging_service_sid")
        return self


def probe(config: Config) -> Check:
    """The account, as far as it shows without sending."""
    return account_probe("sms", config)


class SMS:
    """`ports.Channel`. Twilio recognises no repetition, so one in doubt is looked for by its code, and never sent again."""

    provider = PROVIDER
    dedupes = False
    marks_copies = False

    def __init__(self, config: Config, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._config, self._now = config, now
        self._twilio = Twilio(config)

    def render(self, notification: Notification, delivery_id: str) -> str:
        """The text, in GSM-7 unless that would cost letters of the classification."""
        told = dict(essentials(notification))
        subject = f"{told['Severity']} {told['Classification']}" if told else ""
        write = transliterated if is_spelt(subject) else str
        before = [f"{notification.mark}{write(subject)}"] if told else []
        after = [*([told["Threat"]] if told else []), f"ref {code_of(delivery_id)}"]
        headline = write(one_line(f"{notification.customer}: {notification.headline}", HEADLINE))
        return "\n".join([*before, _fitted(headline, "\n".join([*before, *after])), *after])

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002 - there are no threads
        """Hand it to Twilio once."""
        address = delivery.receiver.address
        if not is_number(address):
            return Result(answer=Answer.PERMANENT, code="not an E.164 number")
        body = self.render(delivery.notification, delivery_id)
        return self._twilio.create(
            lambda client: client.messages.create(to=address, body=body, validity_period=VALIDITY, smart_encoded=True, **self._sender())
        )

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """Look for the code in what Twilio lists. Not to find it is no proof: the list may lag behind."""
        to, since, code = delivery.receiver.address, self._now() - LOOK_BACK, code_of(delivery_id)
        listed = self._twilio.listed(lambda client: client.messages.list(to=to, date_sent_after=since, limit=MOST_LISTED))
        found = next((each for each in listed or () if f"ref {code}" in str(each.body)), None)
        return None if found is None else judged(found)

    def end(self, reference: str) -> Result | None:
        """`ports.Following`: what the handset's network said in the end."""
        return self._twilio.end(lambda client: client.messages(reference).fetch())

    def _sender(self) -> dict[str, Any]:
        config = self._config
        return {"from_": config.from_number} if config.from_number else {"messaging_service_sid": config.messaging_service_sid}


def code_of(delivery_id: str) -> str:
    """What tells this delivery from all others to the same number: short, and without meaning to anybody else."""
    return hashlib.sha256(delivery_id.encode()).hexdigest()[:8].upper()


def _fitted(headline: str, rest: str) -> str:
    """As much of the headline as one segment leaves room for, or two where one leaves too little to tell what it is about."""
    lone, each = SEPTETS if is_gsm7(headline + rest) else UNITS
    for count in SEGMENTS:
        # One is kept free at each border: an escape or a surrogate pair is not cut in two.
        room = (lone if count == 1 else count * (each - 1)) - size(rest) - 1
        if room >= min(size(headline), LEAST_HEADLINE):
            return _cut(headline, room)
    return _cut(headline, LEAST_HEADLINE)


def _cut(text: str, room: int) -> str:
    if size(text) <= room:
        return text
    while size(text) > room - 2:
        text = text[:-1]
    return text + ".."


ENTRY = Entry(Config, SMS, probe)
