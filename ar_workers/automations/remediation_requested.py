"""Remediation requested: the customer asks for help, the TREs are told (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.events import RemediationRequested
    from .context import Context


def plan(event: RemediationRequested, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs by Slack and PagerDuty. No condition: a request for help is never filtered."""
    return Plan(
        notifications=(
            Notification(
                audience=Audience.TRE,
                kind=Kind.REMEDIATION_REQUESTED,
                customer=event.customer,
                threat=event.threat,
                headline=f"Remediation requested: {event.threat.id}",
                facts=(("Requested by", event.requested_by),),
            ),
        )
    )
