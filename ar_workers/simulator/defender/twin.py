"""The Defender API: the written table of its routes, and what every call passes before it reaches one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from math import ceil

from ..clock import VirtualClock
from ..grants import Grant
from ..journal import Journal
from ..limits import SlidingWindow
from ..server import Reply, Request, json_reply
from ..world import World
from . import alerts, files, indicators, live, machines, orders, script_library
from .auth import Gate
from .call import VENDOR, Answer, Call, Refusal
from .options import Options

Handler = Callable[[Call], Answer]

READ, ALERTS, TI = "Machine.Read.All", "Alert.Read.All", "Ti.ReadWrite.All"
#: (method, path with {} for an id) -> (role that the app needs, handler)
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "/api/machines"): (READ, machines.listing),
    ("GET", "/api/machines/findbytag"): (READ, machines.find_by_tag),
    ("GET", "/api/machines/{}"): (READ, machines.details),
    ("POST", "/api/machines/{}/tags"): ("Machine.ReadWrite.All", machines.tag),
    ("POST", "/api/machines/{}/isolate"): ("Machine.Isolate", orders.isolate),
    ("POST", "/api/machines/{}/unisolate"): ("Machine.Isolate", orders.release),
    ("POST", "/api/machines/{}/StopAndQuarantineFile"): ("Machine.StopAndQuarantine", orders.quarantine),
    ("POST", "/api/machines/{}/runliveresponse"): ("Machine.LiveResponse", live.start),
    ("GET", "/api/machineactions"): (READ, orders.listing),
    ("GET", "/api/machineactions/{}"): (READ, orders.details),
    ("POST", "/api/machineactions/{}/cancel"): ("Machine.Isolate", orders.cancel),
    ("GET", "/api/machineactions/{}/GetLiveResponseResultDownloadLink(index={})"): ("Machine.LiveResponse", live.result_link),
    ("GET", "/api/libraryfiles"): ("Library.Manage", script_library.listing),
    ("POST", "/api/libraryfiles"): ("Library.Manage", script_library.upload),
    ("GET", "/api/files/{}"): ("File.Read.All", files.details),
    ("GET", "/api/indicators"): (TI, indicators.listing),
    ("POST", "/api/indicators"): (TI, indicators.submit),
    ("POST", "/api/indicators/import"): (TI, indicators.bulk),
    ("DELETE", "/api/indicators/{}"): (TI, indicators.delete),
    ("GET", "/api/alerts"): (ALERTS, alerts.listing),
    ("GET", "/api/alerts/{}"): (ALERTS, alerts.details),
    ("PATCH", "/api/alerts/{}"): ("Alert.ReadWrite.All", alerts.update),
}
_LOGIN = re.compile(r"^/([^/]+)/oauth2/v2\.0/token$")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("^" + re.escape(path).replace(r"\{\}", "([^/()]+)") + "$")


PATTERNS = [(_pattern(path), method, path) for method, path in ROUTES]


class DefenderTwin:
    """Answers as the login, the API and the store of results do, for every tenant of the world whose vendor is defender."""

    vendor = VENDOR

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._options = options = Options.from_dict(world.options.get(VENDOR, {}))
        self._gate = Gate(world, clock, options)
        self._desk = orders.Desk(clock, journal, options)
        self._results = live.Results(clock, options.link_life)
        live.Responder(self._desk, self._results)
        self._windows = (SlidingWindow(options.calls_per_minute), SlidingWindow(options.calls_per_hour, window=3600.0))
        self._live = SlidingWindow(options.live_responses_per_minute)
        for tenant in world.of_vendor(VENDOR):
            tenant.on_return.append(partial(self._desk.returned, tenant))

    def tenant_of(self, request: Request) -> str:
        grant = self._gate.grant_of(request)
        return grant.tenant.name if grant else ""

    def answer(self, request: Request) -> Reply:
        login = _LOGIN.match(request.path)
        if login:
            return self._gate.token(request, login[1]) if request.method == "POST" else Reply(405)
        if request.path.startswith(live.STORE):
            return self._results.answer(request)
        try:
            answer = self._answered(request)
        except Refusal as refusal:
            return json_reply(refusal.status, refusal.document, refusal.headers)
        return Reply(204) if answer.status == 204 else json_reply(answer.status, answer.document)

    def _answered(self, request: Request) -> Answer:
        grant = self._gate.admit(request)
        path, ids = self._route(request)
        self._count(grant, path)
        role, handler = ROUTES[request.method, path]
        if not grant.credential.allows(role):
            raise Refusal(403, "Forbidden", f"The application does not have the role {role}")
        with grant.tenant.lock:
            self._desk.run_due(grant.tenant)
            return handler(self._call(request, grant, ids))

    @staticmethod
    def _route(request: Request) -> tuple[str, tuple[str, ...]]:
        fits = [(found.groups(), method, path) for pattern, method, path in PATTERNS if (found := pattern.match(request.path))]
        here = [(path, ids) for ids, method, path in fits if method == request.method]
        if not here:
            raise Refusal(405 if fits else 404, "MethodNotAllowed" if fits else "NotFound", "There is no such route")
        return here[0]

    def _count(self, grant: Grant, path: str) -> None:
        """Each route counts for itself, by the minute and by the hour; the header is a delay in seconds."""
        windows = (self._live,) if path.endswith("/runliveresponse") else self._windows
        for window in windows:
            allowance = window.take(f"{grant.tenant.cid} {path}", self._clock.now())
            if not allowance.allowed:
                wait = ceil((allowance.free_at - self._clock.now()) / self._clock.speed)
                raise Refusal(429, "TooManyRequests", "API calls quota exceeded", headers={"Retry-After": str(max(wait, 1))})

    def _call(self, request: Request, grant: Grant, ids: tuple[str, ...]) -> Call:
        return Call(
            request=request,
            tenant=grant.tenant,
            app=grant.credential.client_id,
            ids=ids,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            desk=self._desk,
            results=self._results,
            url=f"http://{request.headers.get('host', '127.0.0.1')}",
        )
