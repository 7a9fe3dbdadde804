"""`arctl notify`: whether a receiver can be reached, before it matters."""

from __future__ import annotations

import inspect
import json
import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from ..bootstrap import channels_of
from ..domain.errors import ARError, InvalidSettings
from ..domain.notifications import TRE, Audience, Delivery, Kind, Notification, Receiver
from ..domain.results import Answer
from ..domain.threats import Severity, Threat
from ..receivers import TRE_RECEIVERS
from ..settings import load_settings
from .names import known_are, no_such
from .output import say, say_all

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..ports import Channel
    from ..settings import Settings

#: What a channel's `render` may be made from.
_FROM = ("notification", "delivery", "delivery_id")


@click.group()
def notify() -> None:
    """Try out receivers."""


@notify.command()
@click.option("--customer", required=True, help="Whose receiver; `tre` for the TREs' own.")
@click.option("--receiver", "name", required=True, help="Its name in the customer's file; a mail address there for the default mail.")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent.")
def test(customer: str, name: str, *, dry_run: bool) -> None:
    """Send one message that is marked TEST, and say what became of it. Nothing is recorded. Exit status 1 unless it was accepted.

    Example: arctl notify test --customer acme --receiver oncall --dry-run
    """
    settings = load_settings(os.environ)
    channel, delivery, delivery_id = _prepared(settings, customer, name)
    say_all(_redacted(payload_of(channel, delivery, delivery_id), settings, customer))
    if dry_run:
        return
    itself = getattr(channel, "test", None)  # PagerDuty closes again what its test has opened
    result = itself() if itself else channel.send(delivery, delivery_id)
    later = "on its way, see whether it arrives:" if result.is_on_its_way else ""
    said = " ".join(part for part in (later, result.code, result.reference) if part)
    say(f"{delivery.receiver.channel} {name}: {result.answer}" + (f" ({said})" if said else ""))
    if result.answer is not Answer.ACCEPTED:
        raise click.exceptions.Exit(1)


def _prepared(settings: Settings, customer: str, name: str) -> tuple[Channel, Delivery, str]:
    receiver = _receiver(settings, customer, name)
    problems: list[str] = []
    channel = channels_of(settings, problems).get((customer, receiver.name))
    if problems:
        raise InvalidSettings(problems)
    if channel is None:
        raise ARError(f"{customer}: {receiver.channel} is not configured by the operator (AR_{receiver.channel.upper()}_...)")
    notification = _test_notification(customer)
    delivery = Delivery(notification=notification, receiver=receiver, occurred_at=datetime.now(UTC))
    return channel, delivery, f"{customer}:{receiver.channel}:test-{uuid.uuid4().hex[:16]}"


def _receiver(settings: Settings, customer: str, name: str) -> Receiver:
    if customer == TRE:
        known = {each.name: each for each in TRE_RECEIVERS}
    elif customer in settings.customers:
        policy = settings.customers[customer].policy
        emails = (*policy.summary_emails, *policy.unsupported_os_emails)
        known = {**policy.receivers, **{each: Receiver(channel="email", address=each) for each in emails}}
    else:
        raise ARError(no_such("customer", customer, [*settings.customers, TRE]))
    if name not in known:
        raise ARError(f"{customer} has no receiver {name}: {known_are(name, known)}")
    return known[name]


def _test_notification(customer: str) -> Notification:
    about = Threat(id="TEST", severity=Severity.LOW, classification="TEST", title="TEST", url="https://example.invalid/test")
    return Notification(
        audience=Audience.TRE if customer == TRE else Audience.CUSTOMER,
        kind=Kind.ACTION_NEEDED,
        customer=customer,
        threat=about,
        headline="[TEST] Active Remediation can reach you",
        body="This is a test. There is no threat, and nothing needs to be done.",
    )


def _redacted(payload: str, settings: Settings, customer: str) -> str:
    """`payload` without the owner's secrets. Sending adds them, so none should be in it; a mistake there must not show one."""
    owned: Iterable[Any] = vars(settings.system).values()
    if customer != TRE:
        owned = (value for options in settings.customers[customer].receivers.values() for value in options.values())
    for value in owned:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, SecretStr) and each.get_secret_value():
                payload = payload.replace(each.get_secret_value(), "**********")
    return payload


def payload_of(channel: Any, delivery: Delivery, delivery_id: str) -> str:
    """What the channel makes of the delivery, as text."""
    parts = dict(zip(_FROM, (delivery.notification, delivery, delivery_id), strict=True))
    wanted = inspect.signature(channel.render).parameters
    payload = channel.render(**{name: part for name, part in parts.items() if name in wanted})
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "replace")
    return json.dumps(payload, indent=2, ensure_ascii=False) if isinstance(payload, dict) else str(payload)
