"""Threat closed: the customer marked it remediated, or its source shows it as over: what is queued must not run any more (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.threats import Severity

if TYPE_CHECKING:
    from ..domain.events import ThreatClosed
    from .context import Context

_WHAT_NOW = (
    "What was queued for it is cancelled, and an order that is not yet in effect is taken back where the EDR can. "
    "What has been done stays as it is: an endpoint that is isolated stays so until somebody releases it."
)


def plan(event: ThreatClosed, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Cancel what is queued for the threat, and tell the TREs of it. What the EDR has already accepted is taken back or watched.

    A threat of low severity is closed like any other, but as nobody was told of it, nobody is told of its end.
    """
    told = () if event.threat.severity is Severity.LOW else (_tell_tres(event),)
    return Plan(closes=f"threat closed: {event.reason}", notifications=told)


def _tell_tres(event: ThreatClosed) -> Notification:
    return Notification(
        audience=Audience.TRE,
        kind=Kind.THREAT_CLOSED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Threat closed: {event.threat.id}",
        facts=(("Reason", event.reason),),
        body=_WHAT_NOW,
    )
