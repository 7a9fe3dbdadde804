"""High or medium severity threat published: isolate first, and tell the TREs (managed). Of unknown severity: tell them only."""

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
    from ..domain.unread import Unread
    from .context import Context


_FIRST = 5
_GRADED = {each: f"{each.upper()} threat" for each in Severity} | {Severity.UNKNOWN: "Threat of unknown severity"}


def plan(event: ThreatPublished, context: Context) -> Plan:
    """Isolate every affected endpoint, and tell the TREs of the threat.

    Conditions, each with its recorded reason where it says no:
    - severity is high or medium; below that nothing happens, and nobody is told;
    - the event is not one that is told only, and its severity is known;
    - the endpoint could be read;
    - medium: by the customer's `medium_isolation`, always or only outside business hours;
    - the endpoint is in a remediate group of its EDR;
    - its OS is supported: Linux is never isolated by automation;
    - its EDR can isolate that OS.
    """
    unread = Plan(skips=tuple(Skip(verb="isolate", subject=each.shown, reason=each.reason) for each in event.unread_endpoints))
    if event.threat.severity is Severity.LOW:
        return joined([Plan(skips=tuple(_skip(endpoint, "low severity: not automated") for endpoint in event.endpoints)), unread])
    isolations = [_isolate(event, context.see(endpoint), context) for endpoint in event.endpoints]
    return joined([Plan(notifications=(_tell_tres(event),)), *isolations, unread])


def _isolate(event: ThreatPublished, endpoint: Endpoint, context: Context) -> Plan:
    reason = (
        event.not_acted_on
        or context.out_of_reach(endpoint)
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
    threat, not_acted_on = event.threat, event.not_acted_on
    hosts = ", ".join(endpoint.hostname for endpoint in event.endpoints) or "none named"
    return Notification(
        audience=Audience.TRE,
        kind=Kind.THREAT_PUBLISHED,
        customer=event.customer,
        threat=threat,
        headline=f"{_GRADED[threat.severity]} published: {threat.id}",
        facts=(
            ("Endpoints", hosts),
            ("Indicators", str(len(event.iocs))),
            *((("Not acted on", not_acted_on),) if not_acted_on else ()),
            *((("Not read", _not_read(event.unread)),) if event.unread else ()),
        ),
    )


def _not_read(unread: tuple[Unread, ...]) -> str:
    """How many, and the first of them; each is a row of its own."""
    more = [f"and {len(unread) - _FIRST} more"] if len(unread) > _FIRST else []
    return f"{len(unread)}: " + "; ".join([*(each.line for each in unread[:_FIRST]), *more])
