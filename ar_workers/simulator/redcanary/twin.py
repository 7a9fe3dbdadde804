"""The portal's API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: a detection's detectors, events and related detections; approvals of actions; reinstating of endpoints;
triggers and playbooks beside their execution; users, reports, intelligence profiles and audit logs.
"""

from __future__ import annotations

from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..limits import SlidingWindow
from ..routes import Routes
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import detections, writes
from .call import ROOT, Call, Refusal, Row, no_portal
from .options import Options

Handler = Callable[[Call], Row]

#: (method, path below ROOT) -> handler; a star is one part of the path.
ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/detections"): detections.listing,
    ("GET", "/detections/*"): detections.one,
    ("GET", "/detections/*/timeline"): detections.timeline,
    ("GET", "/detections/*/marked_indicators_of_compromise"): detections.marked,
    ("PATCH", "/detections/*/mark_acknowledged"): writes.acknowledge,
    ("PATCH", "/detections/*/update_remediation_state"): writes.remediate,
    ("GET", "/endpoints"): detections.endpoints,
    ("GET", "/endpoints/*"): detections.endpoint,
    ("GET", "/endpoints/sensor_id/*"): detections.by_sensor,
    ("POST", "/endpoints/isolate"): writes.isolate,
    ("DELETE", "/endpoints/isolate"): writes.release,
    ("PUT", "/endpoints/*/reporting_tags/*"): writes.tag,
    ("DELETE", "/endpoints/*/reporting_tags/*"): writes.untag,
    ("POST", "/automate/playbooks/*/execute"): writes.execute,
}


class RedCanaryTwin:
    """Answers as the portal of every tenant of the world whose vendor is redcanary; the key tells which."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal
        self._routes = Routes(ROUTES)
        self._options = Options.of(world)
        self._windows = [SlidingWindow(self._options.requests_per_second, window=1.0)]
        if self._options.requests_per_minute:
            self._windows.append(SlidingWindow(self._options.requests_per_minute))

    def tenant_of(self, request: Request) -> str:
        found = self._holder(request)
        return found[0].name if found else ""

    def answer(self, request: Request) -> Reply:
        if not request.path.startswith(f"{ROOT}/"):
            return no_portal()
        try:
            return json_reply(200, self._answered(request))
        except Refusal as refusal:
            return refusal.reply()

    def _holder(self, request: Request) -> tuple[Tenant, Credential] | None:
        """Old clients write the key into the query."""
        key = request.headers.get("x-api-key") or request.first("auth_token")
        return self._world.holder(self.vendor, lambda one: key != "" and one.client_secret == key)

    def _answered(self, request: Request) -> Row:
        now = self._clock.now()
        if not all(window.take(request.client, now).allowed for window in self._windows):
            raise Refusal(429, "Too many requests", {"Retry-After": "30"} if self._options.retry_after == "seconds" else None)
        found = self._holder(request)
        if found is None:
            raise Refusal(403, "Forbidden")
        if "json" not in request.headers.get("accept", "*/*").replace("*/*", "json"):
            raise Refusal(406, "Not Acceptable")
        path = request.path.removeprefix(ROOT)
        route = self._routes.find(request.method, path)
        if route is None:
            raise Refusal(405, "Method not allowed") if self._routes.is_known(path) else Refusal(404, "Not found")
        if unknown := self._options.undocumented(request, route.path):
            raise Refusal(400, f"not documented: {unknown}")
        tenant, credential = found
        call = Call(
            request=request,
            tenant=tenant,
            credential=credential,
            now=now,
            options=self._options,
            journal=self._journal,
            parts=route.parts,
        )
        with tenant.lock:
            return route.entry(call)
