"""Action needed: an action failed for good, or a guard holds it, and only a person can go on (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.text import shortened
from ..domain.verbs import CONTAINMENT

if TYPE_CHECKING:
    from ..domain.events import ActionStopped
    from .context import Context


def plan(event: ActionStopped, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs, and those of the customer's receivers whose routes ask for it.

    What the kill switch holds is told to nobody: whoever closed it knows.
    """
    return Plan(notifications=tuple(_told(event, audience) for audience in Audience))


def _told(event: ActionStopped, audience: Audience) -> Notification:
    what = f"{event.verb.replace('_', ' ')} {event.subject}"
    return Notification(
        audience=audience,
        kind=Kind.ACTION_NEEDED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Action needed: {what} {'is held' if event.state == 'held' else 'failed'}"[:500],
        facts=(("Action", what[:500]), ("State", event.state), ("Reason", shortened(event.reason, 500) or "not known")),
        # An endpoint that is not cut off, or does not get its network back, is nobody's line in a digest.
        incident=event.id if event.verb in CONTAINMENT else "",
    )
