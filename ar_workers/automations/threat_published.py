"""High or medium severity threat published: isolate first, and tell the TREs (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.actions import IsolateEndpoint
from ..domain.calendar import is_business_hours
from ..domain.capabilities import Means
from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan, Skip, joined
from ..domain.policies import MediumIsolation
from ..domain.threats import Severity

if TYPE_CHECKING:
    from ..domain.endpoints import Endpoint
    from ..domain.events import ThreatPublished
    from .context import Context


def plan(event: ThreatPublished, context: Context) -> Plan:
    """Isolate every affected endpoint, and tell the TREs of the threat.

    Conditions, each with its recorded reason where it says no:
    - severity is high or medium; below that nothing happens, and nobody is told;
    - medium: by the customer's `medium_isolation`, always or only outside business hours;
    - the endpoint is in a remediate group of its EDR;
    - its OS is supported: Linux is never isolated by automation;
    - its EDR can isolate that OS.
    """
    severity = event.threat.severity
    if severity is Severity.LOW:
        return Plan(skips=tuple(_skip(endpoint, "low severity: not automated") for endpoint in event.endpoints))
    isolations = [_isolate(event, context.see(endpoint), context) for endpoint in event.endpoints]
    return joined([Plan(notifications=(_tell_tres(event),)), *isolations])


def _isolate(event: ThreatPublished, endpoint: Endpoint, context: Context) -> Plan:
    reason = (
        context.out_of_reach(endpoint)
        or _wrong_os(endpoint, context)
        or (event.threat.severity is Severity.MEDIUM and _waits_for_tre(context))
    )
    if reason:
        return Plan(skips=(_skip(endpoint, reason),))
    return Plan(actions=(IsolateEndpoint(customer=event.customer, edr=endpoint.edr, endpoint=endpoint),))


def _wrong_os(endpoint: Endpoint, context: Context) -> str | None:
    if endpoint.is_unsupported:
        return f"{endpoint.os} is not supported: never isolated by automation"
    if context.capabilities.means(endpoint.edr, "isolate", endpoint.os) is Means.NONE:
        return f"{endpoint.edr} cannot isolate {endpoint.os} endpoints"
    return None


def _waits_for_tre(context: Context) -> str | None:
    outside_only = context.policy.medium_isolation is MediumIsolation.OUTSIDE_BUSINESS_HOURS
    if outside_only and is_business_hours(context.now):
        return "medium severity in business hours: a TRE decides"
    return None


def _skip(endpoint: Endpoint, reason: str) -> Skip:
    return Skip(verb="isolate", subject=endpoint.hostname, reason=reason)


def _tell_tres(event: ThreatPublished) -> Notification:
    threat = event.threat
    hosts = ", ".join(endpoint.hostname for endpoint in event.endpoints[:10]) or "none named"
    return Notification(
        audience=Audience.TRE,
        kind=Kind.THREAT_PUBLISHED,
        customer=event.customer,
        threat=threat,
        headline=f"{threat.severity.upper()} threat published: {threat.id}",
        facts=(("Endpoints", _clip(hosts)), ("Indicators", str(len(event.iocs)))),
    )


def _clip(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"  # noqa: PLR2004 - a chat line
