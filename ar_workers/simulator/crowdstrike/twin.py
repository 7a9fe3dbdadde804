"""The Falcon API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: RTR's admin commands and file retrieval, and commands of its shell beside those of a responder; changes of
host groups; actions on hosts other than containment; `bulk_update` of indicators; updates of alerts other than their status;
`q`, `from_parent` and `include_hidden`; policies, Flight Control, identity protection, and everything else that Falcon has.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..limits import Allowance, SlidingWindow
from ..routes import Routes
from ..server import Reply, Request
from ..world import World
from . import alerts, batches, groups, hosts, iocs, quarantine, rtr, sessions
from .auth import Gate
from .envelope import Answer, Envelopes, Refusal
from .options import Options

Handler = Callable[[sessions.SessionCall], Answer]

TOKEN, REVOKE = "/oauth2/token", "/oauth2/revoke"
#: (method, path) -> (scope that the client needs, handler)
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "/devices/queries/devices/v1"): ("hosts:read", hosts.query),
    ("GET", "/devices/queries/devices-scroll/v1"): ("hosts:read", hosts.scroll),
    ("GET", "/devices/combined/devices/v1"): ("hosts:read", hosts.combined),
    ("GET", "/devices/entities/devices/v2"): ("hosts:read", hosts.details_by_query),
    ("POST", "/devices/entities/devices/v2"): ("hosts:read", hosts.details),
    ("GET", "/devices/entities/online-state/v1"): ("hosts:read", hosts.online_state),
    ("POST", "/devices/entities/devices-actions/v2"): ("hosts:write", hosts.act),
    ("GET", "/devices/combined/host-groups/v1"): ("host-group:read", groups.combined),
    ("GET", "/devices/queries/host-groups/v1"): ("host-group:read", groups.query),
    ("GET", "/devices/entities/host-groups/v1"): ("host-group:read", groups.details),
    ("GET", "/devices/combined/host-group-members/v1"): ("host-group:read", groups.members),
    ("GET", "/devices/queries/host-group-members/v1"): ("host-group:read", groups.member_ids),
    ("GET", "/iocs/combined/indicator/v1"): ("ioc:read", iocs.combined),
    ("GET", "/iocs/queries/indicators/v1"): ("ioc:read", iocs.query),
    ("GET", "/iocs/entities/indicators/v1"): ("ioc:read", iocs.details),
    ("POST", "/iocs/entities/indicators/v1"): ("ioc:write", iocs.create),
    ("PATCH", "/iocs/entities/indicators/v1"): ("ioc:write", iocs.update),
    ("DELETE", "/iocs/entities/indicators/v1"): ("ioc:write", iocs.delete),
    ("GET", "/iocs/queries/ioc-types/v1"): ("ioc:read", iocs.types),
    ("GET", "/iocs/queries/actions/v1"): ("ioc:read", iocs.actions),
    ("GET", "/iocs/queries/severities/v1"): ("ioc:read", iocs.severities),
    ("GET", "/iocs/queries/platforms/v1"): ("ioc:read", iocs.platforms),
    ("POST", "/real-time-response/entities/sessions/v1"): ("real-time-response:read", sessions.open_session),
    ("DELETE", "/real-time-response/entities/sessions/v1"): ("real-time-response:read", sessions.close_session),
    ("POST", "/real-time-response/entities/refresh-session/v1"): ("real-time-response:read", sessions.refresh_session),
    ("POST", "/real-time-response/entities/command/v1"): ("real-time-response:read", rtr.read),
    ("GET", "/real-time-response/entities/command/v1"): ("real-time-response:read", rtr.output),
    ("POST", "/real-time-response/entities/active-responder-command/v1"): ("real-time-response:write", rtr.act),
    ("GET", "/real-time-response/entities/active-responder-command/v1"): ("real-time-response:write", rtr.output),
    ("POST", "/real-time-response/entities/queued-sessions/GET/v1"): ("real-time-response:read", sessions.queued),
    ("DELETE", "/real-time-response/entities/queued-sessions/command/v1"): ("real-time-response:read", sessions.unqueue),
    ("POST", "/real-time-response/combined/batch-init-session/v1"): ("real-time-response:read", batches.init),
    ("POST", "/real-time-response/combined/batch-refresh-session/v1"): ("real-time-response:read", batches.refresh),
    ("POST", "/real-time-response/combined/batch-command/v1"): ("real-time-response:read", batches.read),
    ("POST", "/real-time-response/combined/batch-active-responder-command/v1"): ("real-time-response:write", batches.act),
    ("GET", "/quarantine/queries/quarantined-files/v1"): ("quarantine:read", quarantine.query),
    ("POST", "/quarantine/entities/quarantined-files/GET/v1"): ("quarantine:read", quarantine.details),
    ("PATCH", "/quarantine/entities/quarantined-files/v1"): ("quarantine:write", quarantine.update),
    ("POST", "/alerts/combined/alerts/v1"): ("alerts:read", alerts.combined),
    ("GET", "/alerts/queries/alerts/v2"): ("alerts:read", alerts.query),
    ("POST", "/alerts/entities/alerts/v2"): ("alerts:read", alerts.details),
    ("PATCH", "/alerts/entities/alerts/v3"): ("alerts:write", alerts.update),
}


class CrowdStrikeTwin:
    """Answers as Falcon does, for every tenant of the world whose vendor is crowdstrike."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._options = Options.of(world)
        self._gate = Gate(world, clock, self._options)
        self._routes = Routes(ROUTES)
        self._envelopes = Envelopes(self._options)
        self._pool = SlidingWindow(self._options.requests_per_minute)
        self._responder = sessions.Responder(clock)
        for tenant in world.of_vendor(self.vendor):
            tenant.on_return.append(self._responder.deliver)

    def tenant_of(self, request: Request) -> str:
        grant = self._gate.grants.of(request)
        return grant.tenant.name if grant else ""

    def answer(self, request: Request) -> Reply:
        started = time.perf_counter()
        try:
            answer = self._answered(request)
        except Refusal as refusal:
            answer = refusal.answer
        return self._envelopes.write(answer, started=started)

    def _answered(self, request: Request) -> Answer:
        if request.method == "POST" and request.path in {TOKEN, REVOKE}:
            self._check(request, request.path)
            return self._gate.token(request) if request.path == TOKEN else self._gate.revoke(request)
        grant = self._gate.admit(request)
        allowance = self._pool.take(grant.tenant.cid, self._clock.now())
        if not allowance.allowed:
            return self._throttled(allowance)
        route = self._routes.find(request.method, request.path)
        if route is None:
            raise Refusal(405 if self._routes.is_known(request.path) else 404, "Not Found")
        scope, handler = route.entry
        if not grant.credential.allows(scope):
            raise Refusal(403, "access denied, authorization failed")
        self._check(request, route.path)
        call = sessions.SessionCall(
            request=request,
            tenant=grant.tenant,
            credential=grant.credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            responder=self._responder,
        )
        answer = _handled(handler, call)
        answer.headers = {**_limit_headers(allowance), **answer.headers}
        return answer

    def _check(self, request: Request, path: str) -> None:
        if unknown := self._options.undocumented(request, path):
            raise Refusal(400, f"not documented: {unknown}")

    def _throttled(self, allowance: Allowance) -> Answer:
        """The header is an absolute time, which naive clients take for a delay."""
        answer = Refusal(429, "API rate limit exceeded.").answer
        at = self._clock.wall_at(allowance.free_at)
        in_units = at * 1000 if self._options.retry_after_unit == "milliseconds" else at
        answer.headers = {**_limit_headers(allowance), "X-RateLimit-RetryAfter": str(int(in_units) + 1)}
        return answer


def _handled(handler: Handler, call: sessions.SessionCall) -> Answer:
    with call.tenant.lock:
        try:
            return handler(call)
        except Refusal as refusal:
            return refusal.answer


def _limit_headers(allowance: Allowance) -> dict[str, str]:
    return {"X-RateLimit-Limit": str(allowance.limit), "X-RateLimit-Remaining": str(allowance.remaining)}
