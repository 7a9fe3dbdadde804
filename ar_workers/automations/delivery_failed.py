"""Delivery failed: who was to be told instead is told, and why (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import instead
from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.events import DeliveryFailed
    from .context import Context


def plan(event: DeliveryFailed, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the fallback that the delivery names. It has none itself: what fails there stays failed, and is shown."""
    fallback = event.delivery.fallback
    return Plan(deliveries=(instead(event.delivery, fallback, event.reason),) if fallback else ())
