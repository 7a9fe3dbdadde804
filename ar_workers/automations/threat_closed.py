"""Threat closed: the customer marked it remediated, so what is queued must not run any more (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.events import ThreatClosed
    from .context import Context


def plan(event: ThreatClosed, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Cancel what is queued for the threat. What the EDR has already accepted is still watched until it shows."""
    return Plan(closes=f"threat closed: {event.reason}"[:500])
