"""What is told to whom: a notification is the content, a delivery is one copy of it to one receiver."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from .endpoints import CustomerId
from .model import Value
from .text import Line, Prose
from .threats import Threat


class Audience(StrEnum):
    """TREs are told by managed automations; customers by what they chose."""

    TRE = "tre"
    CUSTOMER = "customer"


class Kind(StrEnum):
    """Why somebody is told."""

    THREAT_PUBLISHED = "threat_published"
    REMEDIATION_REQUESTED = "remediation_requested"
    NOTE_FROM_CUSTOMER = "note_from_customer"
    REMEDIATION_SUMMARY = "remediation_summary"
    UNSUPPORTED_OS = "unsupported_os"


class Notification(Value):
    """The content, before any channel has rendered it.

    `threat` is None for what is about an endpoint alone. `facts` are label and value, in reading order.
    `once` names something that is told only once until it is forgotten (an endpoint with an unsupported OS).
    """

    audience: Audience
    kind: Kind
    customer: CustomerId
    threat: Threat | None = None
    headline: Line
    facts: tuple[tuple[Line, Line], ...] = ()
    body: Prose = ""
    once: str | None = None


class Receiver(Value):
    """Where one copy goes: a channel, and the address on it. Never a secret: those stay in the settings.

    `address` is a mail address, a Slack channel id, a phone number, a syslog host, or a name such as `tre` for a
    destination that the settings hold.
    """

    channel: Literal["slack", "pagerduty", "email", "teams", "webhook", "sms", "voice", "syslog"]
    address: Line


class Delivery(Value):
    """One notification to one receiver. `occurred_at` is when that happened of which it tells."""

    verb: Literal["deliver"] = "deliver"
    notification: Notification
    receiver: Receiver
    occurred_at: AwareDatetime | None = None

    @property
    def customer(self) -> str:
        """Whose matter it is."""
        return self.notification.customer

    @property
    def label(self) -> str:
        """For people: the channel and what it says."""
        return f"{self.receiver.channel} {self.notification.kind}"


_DELIVERY: TypeAdapter[Delivery] = TypeAdapter(Annotated[Delivery, Field()])


def delivery_identity(delivery: Delivery, event_id: str) -> str:
    """`customer:channel:digest`: one event tells one receiver once."""
    note = delivery.notification
    parts = (note.customer, event_id, note.audience, note.kind, delivery.receiver.channel, delivery.receiver.address)
    return f"{note.customer}:{delivery.receiver.channel}:{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:16]}"


def load_delivery(text: str) -> Delivery:
    """A delivery as the ledger kept it."""
    return _DELIVERY.validate_json(text)
