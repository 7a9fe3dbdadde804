"""The server's API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: searches of processes, binaries and threat reports; queries beyond terms that must all hold; changes of
groups, users, feeds and watchlists; Live Response's commands that write files or start processes, and `wait` (it answers at
once); the events of a process; the session of a browser.
"""

from __future__ import annotations

from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..routes import Routes
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import alerts, banning, sensors, sessions
from .call import Call, Refusal
from .options import Options

Handler = Callable[[sessions.SessionCall], Reply]


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


class CarbonBlackEDRTwin:
    """Answers as the server of every tenant of the world whose vendor is carbon_black_edr; the token tells which."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal
        self._options = Options.of(world)
        self._routes = Routes(ROUTES)
        self._sessions = {one.name: sessions.Sessions() for one in world.of_vendor(self.vendor)}

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
        return self._world.holder(self.vendor, lambda one: token != "" and one.client_secret == token)

    def _answered(self, request: Request) -> Reply:
        user = self._user(request)
        if user is None:
            raise Refusal(401, "Requires authentication")
        route = self._routes.find(request.method, request.path)
        if route is None:
            raise Refusal(405, "Method Not Allowed") if self._routes.is_known(request.path) else Refusal(404, "Not Found")
        if unknown := self._options.undocumented(request, route.path):
            raise Refusal(400, f"not documented: {unknown}")
        tenant, credential = user
        call = sessions.SessionCall(
            request=request,
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            sessions=self._sessions[tenant.name],
            parts=route.parts,
        )
        if request.path.startswith(LIVE_RESPONSE):
            call.may("live_response")
            if not self._options.live_response:
                raise Refusal(412, "CBLR is disabled")
        with tenant.lock:
            call.sessions.settle(call)
            return route.entry(call)
