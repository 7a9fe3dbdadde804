"""The Defender API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: the antivirus scan, restriction of apps, collection of packages and offboarding; a machine's own lists
(vulnerabilities, software, logged-on users); changes of an alert beside its status; `$filter` with `or`, `any` or functions
other than `startswith`; `$expand` beside an alert's evidence; batches of indicators to delete; hunting; logins by certificate.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from math import ceil

from ..clock import VirtualClock
from ..grants import Grant
from ..journal import Journal
from ..limits import SlidingWindow
from ..routes import Routes
from ..server import Reply, Request, json_reply
from ..world import World
from . import alerts, files, indicators, live, machines, orders, script_library
from .auth import Gate
from .call import Answer, Refusal
from .options import Options

Handler = Callable[[live.LiveCall], Answer]

READ, ALERTS, TI = "Machine.Read.All", "Alert.Read.All", "Ti.ReadWrite.All"
#: (method, path) -> (role that the app needs, handler)
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "/api/machines"): (READ, machines.listing),
    ("GET", "/api/machines/findbytag"): (READ, machines.find_by_tag),
    ("GET", "/api/machines/*"): (READ, machines.details),
    ("POST", "/api/machines/*/tags"): ("Machine.ReadWrite.All", machines.tag),
    ("POST", "/api/machines/*/isolate"): ("Machine.Isolate", orders.isolate),
    ("POST", "/api/machines/*/unisolate"): ("Machine.Isolate", orders.release),
    ("POST", "/api/machines/*/StopAndQuarantineFile"): ("Machine.StopAndQuarantine", orders.quarantine),
    ("POST", "/api/machines/*/runliveresponse"): ("Machine.LiveResponse", live.start),
    ("GET", "/api/machineactions"): (READ, orders.listing),
    ("GET", "/api/machineactions/*"): (READ, orders.details),
    ("POST", "/api/machineactions/*/cancel"): ("Machine.Isolate", orders.cancel),
    ("GET", "/api/machineactions/*/GetLiveResponseResultDownloadLink(index=*)"): ("Machine.LiveResponse", live.result_link),
    ("GET", "/api/libraryfiles"): ("Library.Manage", script_library.listing),
    ("POST", "/api/libraryfiles"): ("Library.Manage", script_library.upload),
    ("GET", "/api/files/*"): ("File.Read.All", files.details),
    ("GET", "/api/indicators"): (TI, indicators.listing),
    ("POST", "/api/indicators"): (TI, indicators.submit),
    ("POST", "/api/indicators/import"): (TI, indicators.bulk),
    ("DELETE", "/api/indicators/*"): (TI, indicators.delete),
    ("GET", "/api/alerts"): (ALERTS, alerts.listing),
    ("GET", "/api/alerts/*"): (ALERTS, alerts.details),
    ("PATCH", "/api/alerts/*"): ("Alert.ReadWrite.All", alerts.update),
}
_LOGIN = re.compile(r"^/([^/]+)/oauth2/(v2\.0/)?token$")
#: Older clients name the version of the API.
_VERSIONED = "/api/v1.0/"


class DefenderTwin:
    """Answers as the login, the API and the store of results do, for every tenant of the world whose vendor is defender."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._options = options = Options.of(world)
        self._routes = Routes(ROUTES)
        self._gate = Gate(world, clock, options)
        self._desk = orders.Desk(clock, journal, options)
        self._results = live.Results(clock, options.link_life)
        live.Responder(self._desk, self._results)
        self._windows = (SlidingWindow(options.calls_per_minute), SlidingWindow(options.calls_per_hour, window=3600.0))
        self._live = SlidingWindow(options.live_responses_per_minute)
        for tenant in world.of_vendor(self.vendor):
            tenant.on_return.append(partial(self._desk.returned, tenant))

    def tenant_of(self, request: Request) -> str:
        grant = self._gate.grants.of(request)
        return grant.tenant.name if grant else ""

    def answer(self, request: Request) -> Reply:
        login = _LOGIN.match(request.path)
        if request.path.startswith(live.STORE):
            return self._results.answer(request)
        try:
            if login:
                return self._logged_in(request, login[1], login[2] or "")
            answer = self._answered(request)
        except Refusal as refusal:
            return json_reply(refusal.status, refusal.document, refusal.headers)
        return Reply(204) if answer.status == 204 else json_reply(answer.status, answer.document)

    def _logged_in(self, request: Request, cid: str, version: str) -> Reply:
        if request.method != "POST":
            return Reply(405)
        self._check(request, f"/*/oauth2/{version}token")
        return self._gate.token(request, cid, version=2 if version else 1)

    def _check(self, request: Request, path: str) -> None:
        if unknown := self._options.undocumented(request, path):
            raise Refusal(400, "InvalidRequestBody", f"not documented: {unknown}")

    def _answered(self, request: Request) -> Answer:
        grant = self._gate.admit(request)
        path = request.path.replace(_VERSIONED, "/api/", 1) if request.path.startswith(_VERSIONED) else request.path
        route = self._routes.find(request.method, path)
        if route is None:
            status, code = (405, "MethodNotAllowed") if self._routes.is_known(path) else (404, "NotFound")
            raise Refusal(status, code, "There is no such route")
        self._count(grant, route.path)
        role, handler = route.entry
        if not grant.credential.allows(role):
            raise Refusal(403, "Forbidden", f"The application does not have the role {role}")
        self._check(request, route.path)
        with grant.tenant.lock:
            self._desk.run_due(grant.tenant)
            return handler(self._call(request, grant, route.parts))

    def _count(self, grant: Grant, path: str) -> None:
        """Each route counts for itself, by the minute and by the hour; the header is a delay in seconds."""
        windows = (self._live,) if path.endswith("/runliveresponse") else self._windows
        for window in windows:
            allowance = window.take(f"{grant.tenant.cid} {path}", self._clock.now())
            if not allowance.allowed:
                wait = ceil((allowance.free_at - self._clock.now()) / self._clock.speed)
                raise Refusal(429, "TooManyRequests", "API calls quota exceeded", headers={"Retry-After": str(max(wait, 1))})

    def _call(self, request: Request, grant: Grant, parts: tuple[str, ...]) -> live.LiveCall:
        return live.LiveCall(
            request=request,
            tenant=grant.tenant,
            credential=grant.credential,
            parts=parts,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            desk=self._desk,
            results=self._results,
        )
