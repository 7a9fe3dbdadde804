"""The server's API: the written table of its routes, and what every call passes before it reaches one."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import alerts, banning, sensors, sessions
from .call import VENDOR, Call, Refusal
from .options import Options

Handler = Callable[[Call], Reply]


def info(call: Call) -> Reply:
    """What a client asks first."""
    options = call.options
    switches = {"cblrEnabled": options.live_response, "banningEnabled": options.banning_enabled, "liveResponseAutoAttach": True}
    return json_reply(200, {"version": options.version, "maxSearchResultRows": alerts.MOST_ROWS, "cloud_install": False, **switches})


def partitions(call: Call) -> Reply:
    """The vendor's own client looks for old storage here before anything else."""
    del call
    return json_reply(200, {})


LIVE_RESPONSE = "/api/v1/cblr/"
#: (method, path) -> handler; a star is one part of the path.
ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/api/info"): info,
    ("GET", "/api/v1/storage/events/partition"): partitions,
    ("GET", "/api/v1/sensor"): sensors.listed,
    ("GET", "/api/v2/sensor"): sensors.paged,
    ("GET", "/api/v1/sensor/*"): sensors.one,
    ("PUT", "/api/v1/sensor/*"): sensors.change,
    ("GET", "/api/v1/group"): sensors.groups,
    ("GET", "/api/v3/group"): sensors.groups,
    ("GET", "/api/v3/group/*"): sensors.group,
    ("GET", "/api/v1/banning/blacklist"): banning.listed,
    ("POST", "/api/v1/banning/blacklist"): banning.ban,
    ("GET", "/api/v1/banning/blacklist/*"): banning.one,
    ("PUT", "/api/v1/banning/blacklist/*"): banning.change,
    ("DELETE", "/api/v1/banning/blacklist/*"): banning.lift,
    ("GET", "/api/v1/cblr/session"): sessions.listed,
    ("POST", "/api/v1/cblr/session"): sessions.ask,
    ("GET", "/api/v1/cblr/session/*"): sessions.one,
    ("PUT", "/api/v1/cblr/session/*"): sessions.close,
    ("GET", "/api/v1/cblr/session/*/keepalive"): sessions.keep_alive,
    ("GET", "/api/v1/cblr/session/*/command"): sessions.orders,
    ("POST", "/api/v1/cblr/session/*/command"): sessions.order,
    ("GET", "/api/v1/cblr/session/*/command/*"): sessions.outcome,
    ("GET", "/api/v1/cblr/session/*/file/*/content"): sessions.content,
    ("GET", "/api/v2/alert"): alerts.search,
    ("POST", "/api/v1/alert/*"): alerts.update,
    ("POST", "/api/v1/alerts"): alerts.update_many,
    ("GET", "/api/v1/process/*/*"): alerts.process,
}
SHAPES = [(method, re.compile(re.escape(path).replace(r"\*", "([^/]+)") + "$"), handler) for (method, path), handler in ROUTES.items()]


class CarbonBlackEDRTwin:
    """Answers as the server of every tenant of the world whose vendor is carbon_black_edr; the token tells which."""

    vendor = VENDOR

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._options = Options.from_dict(world.options.get(VENDOR, {}))
        self._tenants = world.of_vendor(VENDOR)
        self._sessions = {one.name: sessions.Sessions() for one in self._tenants}

    def tenant_of(self, request: Request) -> str:
        found = self._user(request)
        return found[0].name if found else ""

    def answer(self, request: Request) -> Reply:
        try:
            return self._answered(request)
        except Refusal as refusal:
            return refusal.reply(self._options)

    def _user(self, request: Request) -> tuple[Tenant, Credential] | None:
        token = request.headers.get("x-auth-token", "")
        users = ((tenant, one) for tenant in self._tenants for one in tenant.credentials)
        return next(((tenant, one) for tenant, one in users if token and one.client_secret == token), None)

    def _answered(self, request: Request) -> Reply:
        user = self._user(request)
        if user is None:
            raise Refusal(401, "Requires authentication")
        handler, parts = _route(request)
        tenant, credential = user
        call = Call(
            request=request,
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            sessions=self._sessions[tenant.name],
            parts=parts,
        )
        if request.path.startswith(LIVE_RESPONSE):
            call.may("live_response")
            if not self._options.live_response:
                raise Refusal(412, "CBLR is disabled")
        with tenant.lock:
            call.sessions.settle(call)
            return handler(call)


def _route(request: Request) -> tuple[Handler, tuple[str, ...]]:
    fitting = [(method, match.groups(), handler) for method, shape, handler in SHAPES if (match := shape.match(request.path))]
    if not fitting:
        raise Refusal(404, "Not Found")
    for method, parts, handler in fitting:
        if method == request.method:
            return handler, parts
    raise Refusal(405, "Method Not Allowed")
