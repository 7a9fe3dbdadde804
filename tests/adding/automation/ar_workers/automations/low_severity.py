"""Low severity: the TREs are told of a low threat on more endpoints than one (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.threats import Severity

if TYPE_CHECKING:
    from ..domain.events import ThreatPublished
    from .context import Context


def plan(event: ThreatPublished, context: Context) -> Plan:
    """Tell the TREs, if the threat is low and on more endpoints than one."""
    if event.threat.severity is not Severity.LOW or len(event.endpoints) < 2:
        return Plan()
    told = Notification(
        audience=Audience.TRE,
        kind=Kind.THREAT_PUBLISHED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Low, on {len(event.endpoints)} endpoints: {event.threat.id}",
    )
    return Plan(notifications=(told,))
