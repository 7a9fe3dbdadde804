"""The management console's API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: most filters of its lists (a filter that it does not know is refused, or overlooked, by a switch); API v2.0;
mitigations other than quarantine and back, verdicts, notes; actions on agents other than connect and disconnect; sites, accounts, tags,
policies, exclusions, firewall, device control; Deep Visibility, activities, reports; unified alerts; logins by password.
"""

from __future__ import annotations

from collections.abc import Callable

from ..clock import VirtualClock
from ..journal import Journal
from ..limits import SlidingWindow
from ..routes import Route, Routes
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import agents, bans, system, tasks, threats
from .call import Refusal, Row
from .options import Options

Handler = Callable[[tasks.TaskCall], Row]

ROOT = "/web/api/v2.1/"
#: (method, path below ROOT) -> (permission that the token needs, handler)
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "system/info"): ("", system.info),
    ("GET", "system/status"): ("", system.status),
    ("GET", "user"): ("", system.user),
    ("POST", "users/api-token-details"): ("", system.token_details),
    ("GET", "agents"): ("endpoints.view", agents.agents),
    ("POST", "agents/actions/disconnect"): ("endpoints.disconnect", agents.switch),
    ("POST", "agents/actions/connect"): ("endpoints.connect", agents.switch),
    ("GET", "groups"): ("groups.view", agents.groups),
    ("GET", "restrictions"): ("blocklist.view", bans.entries),
    ("POST", "restrictions"): ("blocklist.create", bans.ban),
    ("DELETE", "restrictions"): ("blocklist.delete", bans.unban),
    ("GET", "threat-intelligence/iocs"): ("intelligence.view", bans.indicators),
    ("POST", "threat-intelligence/iocs"): ("intelligence.manage", bans.indicate),
    ("DELETE", "threat-intelligence/iocs"): ("intelligence.manage", bans.forget),
    ("GET", "threats"): ("threats.view", threats.threats),
    ("POST", "threats/mitigate/*"): ("threats.mitigate", threats.mitigate),
    ("GET", "cloud-detection/alerts"): ("alerts.view", threats.star_alerts),
    ("GET", "remote-scripts"): ("scripts.view", tasks.script_library),
    ("POST", "remote-scripts/execute"): ("scripts.run", tasks.execute),
    ("GET", "remote-scripts/status"): ("tasks.view", tasks.status),
    ("POST", "remote-scripts/fetch-files"): ("scripts.view", tasks.results),
    ("GET", "remote-scripts/pending-executions"): ("scripts.view", tasks.approvals),
    ("PUT", "remote-scripts/pending-executions/*"): ("scripts.review", tasks.decide),
}


class SentinelOneTwin:
    """Answers as a console does, for every tenant of the world whose vendor is sentinelone. A token is a client_secret."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal
        self._options = Options.of(world)
        self._routes = Routes(ROUTES)
        self._pool = SlidingWindow(self._options.requests_per_minute)
        self._tasks = {tenant.name: tasks.Tasks(clock) for tenant in world.of_vendor(self.vendor)}
        for tenant in world.of_vendor(self.vendor):
            tenant.on_return.append(self._tasks[tenant.name].heard_of)

    def tenant_of(self, request: Request) -> str:
        found = self._holder(request)
        return found[0].name if found else ""

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(tasks.DOWNLOADS):
            return self._download(request)
        try:
            return json_reply(200, self._answered(request))
        except Refusal as refusal:
            headers = {"Retry-After": "30"} if refusal.status == 429 and self._options.retry_after == "seconds" else {}
            return json_reply(refusal.status, {"errors": refusal.errors}, headers)

    def _download(self, request: Request) -> Reply:
        replies = [each.download(request.path, self._options) for each in self._tasks.values()]
        return next((each for each in replies if each.status == 200), replies[0])

    def _answered(self, request: Request) -> Row:
        found = self._holder(request)
        if found is None:
            raise Refusal(4010010, "Authentication Failed")
        tenant, credential = found
        if not self._pool.take(tenant.name, self._clock.now()).allowed:
            raise Refusal(4290010, "Too many requests")
        route = self._route(request)
        permission, handler = route.entry
        if not credential.allows(permission):
            raise Refusal(4030010, "Insufficient permissions")
        if unknown := self._options.undocumented(request, route.path):
            raise Refusal(4000010, "Validation Error", f"not documented: {unknown}")
        call = tasks.TaskCall(
            request=request,
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            tasks=self._tasks[tenant.name],
        )
        with tenant.lock:
            call.tasks.advance(call)
            return handler(call)

    def _holder(self, request: Request) -> tuple[Tenant, Credential] | None:
        """Whose token it is; a tenant's `token_expires_at` ends all of its tokens for good."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._world.holder(self.vendor, lambda one: scheme.lower() == "apitoken" and one.client_secret == token)
        is_over = found is not None and self._clock.now() >= found[0].facts.get("token_expires_at", float("inf"))
        return None if is_over else found

    def _route(self, request: Request) -> Route[tuple[str, Handler]]:
        path = request.path.removeprefix(ROOT) if request.path.startswith(ROOT) else ""
        route = self._routes.find(request.method, path)
        if route is None:
            raise Refusal(4050010 if self._routes.is_known(path) else 4040010, "Not Found")
        return route
