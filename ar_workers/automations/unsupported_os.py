"""Unsupported OS detected: a Linux endpoint was put into a remediate group, where nothing can be done for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.endpoints import Endpoint
    from ..domain.events import EndpointGrouped, ThreatPublished, UnsupportedOSDetected
    from .context import Context


def plan(event: ThreatPublished | EndpointGrouped | UnsupportedOSDetected, context: Context) -> Plan:
    """E-mail the customer's addresses once per endpoint, until it has left the remediate groups.

    Conditions: the endpoint is known to be in a remediate group, and its OS is known and not supported. An
    unknown platform is no reason to write: it may be a Windows endpoint whose EDR has not reported it yet.
    """
    endpoints = event.endpoints if event.type == "threat_published" else (event.endpoint,)
    fresh = (context.see(endpoint) for endpoint in endpoints)
    told = (_tell(event.customer, endpoint) for endpoint in fresh if is_unsupported(endpoint, context))
    return Plan(notifications=tuple(told))


def is_unsupported(endpoint: Endpoint, context: Context) -> bool:
    """Whether this endpoint is one that the customer must hear of."""
    return context.policy.may_remediate(endpoint) and endpoint.is_unsupported


def once_key(endpoint: Endpoint) -> str:
    """What marks an endpoint as told of, until it leaves."""
    return f"unsupported_os/{endpoint.edr}/{endpoint.agent_id}"


def _tell(customer: str, endpoint: Endpoint) -> Notification:
    groups = ", ".join(sorted(endpoint.groups or ()))
    return Notification(
        audience=Audience.CUSTOMER,
        kind=Kind.UNSUPPORTED_OS,
        customer=customer,
        headline=f"Unsupported OS in a remediate group: {endpoint.hostname}",
        facts=(
            ("Endpoint", endpoint.hostname),
            ("Operating system", str(endpoint.os)),
            ("Groups", groups),
            ("EDR", str(endpoint.edr)),
        ),
        body="Active Remediation acts on Windows and macOS. Nothing will be done automatically on this endpoint.",
        once=once_key(endpoint),
    )
