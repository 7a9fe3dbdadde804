"""Not contained in time: an isolation is not in effect, and the TREs hear of it until it is, or until one acknowledges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.states import State
from ..domain.summaries import OUTCOMES
from ..domain.text import spoken, whole

if TYPE_CHECKING:
    from ..domain.events import IsolationOverdue, IsolationSettled
    from .context import Context

#: Where the row itself says nothing.
_WHY = {
    State.PENDING: "it has not been begun: no worker has come to it",
    State.LEASED: "a worker has it in hand",
    State.PERFORMED: "the EDR took the order, and does not show it yet",
    State.HELD: "it waits for a person",
}


def plan(event: IsolationOverdue | IsolationSettled, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs what is not contained yet and why; and once, that what they were told of is, or is called off.

    When, is for the ledger to say: after the customer's `high` or `medium`, after one more hour, and then every day.
    """
    return Plan(notifications=(_overdue(event) if event.type == "isolation_overdue" else _settled(event),))


def _overdue(event: IsolationOverdue) -> Notification:
    waited = spoken(event.occurred_at - event.since)
    return Notification(
        audience=Audience.TRE,
        kind=Kind.NOT_CONTAINED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Not contained after {waited}: {event.subject}",
        facts=(
            ("Endpoint", whole(event.subject) or "unnamed"),
            ("EDR", event.edr or "not known"),
            ("State", f"{event.state}: {OUTCOMES[event.state]}"),
            ("Why", whole(event.reason) or _WHY.get(event.state, "not known")),
            ("Next", _next_step(event)),
        ),
        incident=event.row,
    )


def _next_step(event: IsolationOverdue) -> str:
    """With the command to type."""
    acknowledge = f'arctl actions acknowledge {event.row} --reason "..." ends these reminders, and not the isolation'
    if event.state is State.HELD:
        is_paused = event.reason.startswith("paused")
        return f"{'arctl resume opens the kill switch' if is_paused else f'arctl actions requeue {event.row} lets it pass'}; {acknowledge}"
    return f"it goes on by itself; {acknowledge}"


def _settled(event: IsolationSettled) -> Notification:
    is_so = event.state in {State.DONE, State.ALREADY}
    said = "Contained now" if is_so else f"Isolation {OUTCOMES[event.state]}"
    return Notification(
        audience=Audience.TRE,
        kind=Kind.CONTAINMENT_SETTLED,
        customer=event.customer,
        threat=event.threat,
        headline=f"{said}: {event.subject}",
        facts=(
            ("Endpoint", whole(event.subject) or "unnamed"),
            ("EDR", event.edr or "not known"),
            ("What the EDR shows" if is_so else "Why", whole(event.reason) or "not known"),
        ),
        incident=event.row,
    )
