"""Which event starts which automation: the written table.

All are managed by the service; what a customer may set of one is named in `KNOBS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.events import (
    ActionStopped,
    DeliveryFailed,
    EndpointGrouped,
    HoldExpired,
    HoldWaits,
    IsolationOverdue,
    IsolationSettled,
    NoteAdded,
    ReleaseRequested,
    RemediationRequested,
    ThreatClosed,
    ThreatPublished,
    UndoRequested,
    UnsupportedOSDetected,
    WorkHindered,
)
from ..domain.plans import joined
from ..domain.rehearsals import is_rehearsal, rehearsed
from . import (
    action_needed,
    delivery_failed,
    ioc_response,
    not_contained,
    notify_customer_of_note,
    notify_tre_of_note,
    release_requested,
    remediation_requested,
    threat_closed,
    threat_published,
    undecided,
    undo_requested,
    unsupported_os,
    work_hindered,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domain.events import Event
    from ..domain.plans import Plan
    from .context import Context

AUTOMATIONS: dict[type, tuple[Callable[..., Plan], ...]] = {
    ThreatPublished: (threat_published.plan, ioc_response.plan, unsupported_os.plan),
    ThreatClosed: (threat_closed.plan,),
    RemediationRequested: (remediation_requested.plan,),
    NoteAdded: (notify_tre_of_note.plan, notify_customer_of_note.plan),
    EndpointGrouped: (unsupported_os.plan,),
    UnsupportedOSDetected: (unsupported_os.plan,),
    ActionStopped: (action_needed.plan,),
    IsolationOverdue: (not_contained.plan,),
    IsolationSettled: (not_contained.plan,),
    HoldWaits: (undecided.plan,),
    HoldExpired: (undecided.plan,),
    DeliveryFailed: (delivery_failed.plan,),
    ReleaseRequested: (release_requested.plan,),
    UndoRequested: (undo_requested.plan,),
    WorkHindered: (work_hindered.plan,),
}

#: Automation -> the keys that a customer's file may set of it. Any other key of these is refused as managed.
KNOBS: dict[str, frozenset[str]] = {
    "threat_published": frozenset({"medium_isolation"}),
    "ioc_response": frozenset({"file_response"}),
    "remediation_requested": frozenset(),
    "notify_tre_of_note": frozenset(),
    "notify_customer_of_note": frozenset({"emails"}),
    "unsupported_os": frozenset({"emails"}),
    "threat_closed": frozenset({"undo_false_positives"}),
    "action_needed": frozenset(),
    "not_contained": frozenset({"high", "medium"}),
    "undecided": frozenset(),
    "delivery_failed": frozenset(),
    "release_requested": frozenset(),
    "undo_requested": frozenset(),
    "work_hindered": frozenset(),
}


def plan_for(event: Event, context: Context) -> Plan:
    """What all automations of this event decide together; as a dry run, if the event or the customer is to be rehearsed."""
    plan = joined(automation(event, context) for automation in AUTOMATIONS[type(event)])
    return rehearsed(plan, event) if is_rehearsal(event, context.policy) else plan
