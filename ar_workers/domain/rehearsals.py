"""A dry run: the same plan, of which everybody can see that nothing of it is asked of an EDR."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .dry_runs import DryRun
from .events import ActionStopped, ReleaseRequested, ThreatClosed, ThreatPublished, UndoRequested
from .notifications import Kind
from .verbs import GIVING_BACK

if TYPE_CHECKING:
    from .actions import Action
    from .events import Event
    from .notifications import Notification
    from .plans import Plan
    from .policies import Policy


_FACT = ("Dry run", "no order is given to an EDR")


def is_rehearsal(event: Event, policy: Policy) -> bool:
    """Whether what is planned for the event is a dry run.

    One that is so by itself stays so. Otherwise the customer's mode decides, and only about what would lead to an action: a person's
    note or call for help is in earnest, and so is what stopped after the EDR had been asked.
    """
    if event.dry_run or not policy.is_dry:
        return event.dry_run
    match event:
        case ThreatPublished() | ThreatClosed():
            return True
        case ReleaseRequested() | UndoRequested():
            return not event.for_real
        case ActionStopped():  # what is held was never asked of the EDR, and never will be
            return event.state == "held" and event.verb not in GIVING_BACK
        case _:
            return False


def rehearsed(plan: Plan, event: Event) -> Plan:
    """The plan as a dry run: its actions are orders of their own, and what is told of them says so."""
    return replace(
        plan,
        actions=tuple(each.model_copy(update={"is_dry": True}) for each in plan.actions),
        notifications=tuple(_told(each, event) for each in plan.notifications),
        is_dry=True,
    )


def _told(note: Notification, event: Event) -> Notification:
    """That an endpoint cannot be remediated is true in any mode, and told once: a dry event must not use that up."""
    if note.kind is Kind.UNSUPPORTED_OS and not event.dry_run:
        return note
    once = f"dry_run/{event.id}/{note.once}" if note.once and event.dry_run else note.once
    return note.marked(DryRun.YES).model_copy(update={"facts": (_FACT, *note.facts), "once": once})


def is_dry(action: Action, policy: Policy) -> bool:
    """Whether the EDR must not be asked for the action: it is a dry one, or the customer's mode has become so since it was planned.

    A release that was planned in earnest goes on: it undoes what was done in earnest.
    """
    return action.is_dry or (policy.is_dry and action.verb not in GIVING_BACK)
