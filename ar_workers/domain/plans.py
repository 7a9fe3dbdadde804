"""What an automation decided: actions, notifications, and every "no" with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from .actions import Verb
from .model import Value
from .text import Whole, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .actions import Action
    from .notifications import Delivery, Notification


class Skip(Value):
    """Something that will not be done, and why: shown to the TRE word for word.

    `act_on` stands for what no verb is known for: naming one would say that it could have been done.
    """

    verb: Verb | Literal["act_on"]
    subject: Annotated[Whole, otherwise("unnamed")]
    reason: Annotated[Whole, otherwise("no reason given")]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The decision of one or several automations, of what is valid already.

    Who gets a copy of `notifications` is for the routes to say; `deliveries` name their receiver. `closes` cancels what is still
    queued for the threat.
    """

    actions: tuple[Action, ...] = ()
    notifications: tuple[Notification, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    skips: tuple[Skip, ...] = ()
    closes: str | None = None
    #: Nothing of it is asked of an EDR (see `rehearsals`).
    is_dry: bool = False


def joined(plans: Iterable[Plan]) -> Plan:
    """All decisions together; the first closing reason wins."""
    known = list(plans)
    return Plan(
        actions=tuple(each for plan in known for each in plan.actions),
        notifications=tuple(each for plan in known for each in plan.notifications),
        deliveries=tuple(each for plan in known for each in plan.deliveries),
        skips=tuple(each for plan in known for each in plan.skips),
        closes=next((plan.closes for plan in known if plan.closes), None),
    )
