"""Undecided: what a guard holds still waits for a person, or was called off because nobody decided in time (managed)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ..domain.causes import of_the_day, too_many
from ..domain.next_steps import decided
from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.text import spoken, whole

if TYPE_CHECKING:
    from ..domain.events import HoldExpired, HoldWaits
    from .context import Context

_OVER = (
    "Nothing of it was done, and nothing comes of it any more. What is still wanted is published again, as an event with another id; "
    "its timeline says of each action which guard held it."
)


def plan(event: HoldWaits | HoldExpired, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs, all that one guard holds of a customer as one, under the page of when it was first told.

    When, is for the ledger to say: when an isolation of high severity should have been in effect, after one more hour, every day, and an
    hour before the end that the customer's `holds_expire` sets.
    """
    return Plan(notifications=(_waits(event) if event.type == "hold_waits" else _expired(event),))


def _waits(event: HoldWaits) -> Notification:
    waited = spoken(event.occurred_at - event.since)
    ends = f"the oldest is called off at {event.ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if event.ends else "it stays held"
    return _about(
        event,
        f"Still held after {waited}: {_actions(event)} ({event.guard})",
        ("Without a decision", ends),
        body="\n".join(("See all of it, then let it pass or call it off:", *decided(event.guard, event.customer))),
    )


def _expired(event: HoldExpired) -> Notification:
    what = f"Called off, because nobody decided within {spoken(event.after)}: {_actions(event)} ({event.guard})"
    return _about(event, what, ("Held by", event.guard), body=_OVER)


def _about(event: HoldWaits | HoldExpired, headline: str, fact: tuple[str, str], *, body: str) -> Notification:
    more = [f"and {event.number - len(event.named)} more"] if event.number > len(event.named) else []
    return Notification(
        audience=Audience.TRE,
        kind=Kind.ACTION_NEEDED,
        customer=event.customer,
        headline=headline,
        facts=(("Customer", event.customer), ("Actions", whole(", ".join((*event.named, *more))) or "unnamed"), fact),
        body=body,
        incident=of_the_day(too_many(event.cap), event.since) if event.cap else f"hold/{event.guard}/{event.since:%Y-%m-%d}",
    )


def _actions(event: HoldWaits | HoldExpired) -> str:
    return "1 action" if event.number == 1 else f"{event.number} actions"
