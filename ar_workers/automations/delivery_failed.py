"""Delivery failed: who was to be told instead is told, and why; and that the TREs' own receiver takes nothing any more (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.causes import Trouble, detail_of, kind_of
from ..domain.next_steps import command
from ..domain.notifications import TRE, Audience, Delivery, Kind, Notification, instead
from ..domain.plans import Plan
from ..domain.text import whole

if TYPE_CHECKING:
    from ..domain.events import DeliveryFailed
    from .context import Context


def plan(event: DeliveryFailed, context: Context) -> Plan:
    """Tell the fallback that the delivery names. It has none itself: what fails there stays failed, and is shown.

    A receiver of the TREs has no fallback: the others are told all the same. When it refuses for good, whatever it is told, these say
    so, once a day.
    """
    fallback = event.delivery.fallback
    if fallback:
        return Plan(deliveries=(instead(event.delivery, fallback, event.reason),))
    if kind_of(event.cause) is not Trouble.RECEIVER or not context.is_first_refusal:
        return Plan()
    others = [each for each in context.tre_receivers if each.place != event.delivery.receiver.place]
    told = _refused(event)
    return Plan(deliveries=tuple(Delivery(notification=told, receiver=each, occurred_at=event.occurred_at) for each in others))


def _refused(event: DeliveryFailed) -> Notification:
    receiver, fix = event.delivery.receiver, detail_of(event.cause)
    looks = (command("notify", "test", "--customer", TRE, "--receiver", receiver.name), command("deliveries", "--state", "failed"))
    return Notification(
        audience=Audience.TRE,
        kind=Kind.RECEIVER_REFUSED,
        customer=event.customer,
        threat=event.threat,
        headline=f"The TREs are not told by {receiver.channel}, which refuses for good ({event.reason}): {fix}",
        facts=(
            ("Refused", whole(event.reason) or "not known"),
            ("To be mended", whole(fix) or "not known"),
            ("Not told there", event.delivery.notification.headline),
        ),
        body="\n".join(("Once it is mended, a test shows whether it takes messages again, and a list what it was not told:", *looks)),
        incident=f"receiver_refused/{receiver.place}/{event.occurred_at:%Y-%m-%d}",
    )
