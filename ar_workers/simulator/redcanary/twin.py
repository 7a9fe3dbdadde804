"""The portal's API: the written table of its routes, and what every call passes before it reaches one."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..limits import SlidingWindow
from ..server import Reply, Request, json_reply
from ..world import Tenant, World
from . import detections
from .call import ROOT, VENDOR, Call, Refusal, Row, no_portal
from .options import Options

Handler = Callable[[Call], Row]

#: (method, path below ROOT) -> handler; a star is one part of the path.
ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/detections"): detections.listing,
    ("GET", "/detections/*"): detections.one,
    ("GET", "/detections/*/timeline"): detections.timeline,
    ("GET", "/detections/*/marked_indicators_of_compromise"): detections.marked,
    ("GET", "/endpoints/*"): detections.endpoint,
}
SHAPES = [(method, re.compile(re.escape(path).replace(r"\*", "([^/]+)") + "$"), handler) for (method, path), handler in ROUTES.items()]


class RedCanaryTwin:
    """Answers as the portal of every tenant of the world whose vendor is redcanary; the key tells which."""

    vendor = VENDOR

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        del journal  # nothing can be changed here
        self._world, self._clock = world, clock
        self._options = Options.from_dict(world.options.get(VENDOR, {}))
        self._windows = [SlidingWindow(self._options.requests_per_second, window=1.0)]
        if self._options.requests_per_minute:
            self._windows.append(SlidingWindow(self._options.requests_per_minute))

    def tenant_of(self, request: Request) -> str:
        found = self._holder(request)
        return found.name if found else ""

    def answer(self, request: Request) -> Reply:
        if not request.path.startswith(f"{ROOT}/"):
            return no_portal()
        try:
            return json_reply(200, self._answered(request))
        except Refusal as refusal:
            return refusal.reply()

    def _holder(self, request: Request) -> Tenant | None:
        key = request.headers.get("x-api-key", "")
        tenants = self._world.of_vendor(VENDOR)
        return next((tenant for tenant in tenants if key and any(one.client_secret == key for one in tenant.credentials)), None)

    def _answered(self, request: Request) -> Row:
        now = self._clock.now()
        if not all(window.take(request.client, now).allowed for window in self._windows):
            raise Refusal(429, "Too many requests", {"Retry-After": "30"} if self._options.retry_after == "seconds" else None)
        tenant = self._holder(request)
        if tenant is None:
            raise Refusal(403, "Forbidden")
        if "json" not in request.headers.get("accept", "*/*").replace("*/*", "json"):
            raise Refusal(406, "Not Acceptable")
        handler, name = _route(request)
        with tenant.lock:
            return handler(Call(request=request, tenant=tenant, options=self._options, name=name))


def _route(request: Request) -> tuple[Handler, str]:
    path = request.path.removeprefix(ROOT)
    fitting = [(method, (match.groups() or ("",))[0], handler) for method, shape, handler in SHAPES if (match := shape.match(path))]
    for method, name, handler in fitting:
        if method == request.method:
            return handler, name
    raise Refusal(405 if fitting else 404, "Method not allowed" if fitting else "Not found")
