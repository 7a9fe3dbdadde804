"""What an automation decided: actions, notifications, and every "no" with its reason."""

from __future__ import annotations

from .actions import Action, Verb
from .model import Value
from .notifications import Notification
from .text import Line


class Skip(Value):
    """Something that will not be done, and why: shown to the TRE word for word."""

    verb: Verb
    subject: Line
    reason: Line


class Plan(Value):
    """The decision of one or several automations. `closes` cancels what is still queued for the threat."""

    actions: tuple[Action, ...] = ()
    notifications: tuple[Notification, ...] = ()
    skips: tuple[Skip, ...] = ()
    closes: Line | None = None

    def __add__(self, other: Plan) -> Plan:
        """Both decisions; the first closing reason wins."""
        return Plan.model_construct(  # both are valid
            actions=self.actions + other.actions,
            notifications=self.notifications + other.notifications,
            skips=self.skips + other.skips,
            closes=self.closes or other.closes,
        )
