"""The Carbon Black Cloud API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: device actions other than QUARANTINE; most criteria of its searches, exclusions, and sorts of devices and
groups; queries beyond words and `field:value`; overrides by certificate or IT tool; Live Response's commands that write files
or start processes; facets, exports, notes and workflows of alerts; watchlists, processes, the audit log; OAuth of CSP.
"""

from __future__ import annotations

import hmac
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from ..clock import VirtualClock
from ..journal import Journal
from ..routes import Routes
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import alerts, devices, groups, overrides, sessions
from .call import Refusal, not_found
from .options import Options
from .throttle import Throttle

Handler = Callable[[sessions.SessionCall], Reply]

_V6 = "/appservices/v6/orgs/*"
_LIVE = f"{_V6}/liveresponse/sessions"
_GROUPS = "/asset_groups/v1/orgs/*/groups"
_ALERTS = "/api/alerts/v7/orgs/*/alerts"
#: (method, path, the org key first) -> (permission that the key needs, handler)
ROUTES: dict[tuple[str, str], tuple[str, Handler]] = {
    ("POST", f"{_V6}/devices/_search"): ("device:READ", devices.search),
    ("POST", f"{_V6}/devices/_scroll"): ("device:READ", devices.scroll),
    ("GET", f"{_V6}/devices/*"): ("device:READ", devices.read),
    ("POST", f"{_V6}/device_actions"): ("device.quarantine:EXECUTE", devices.act),
    ("GET", _GROUPS): ("group-management:READ", groups.every),
    ("POST", f"{_GROUPS}/_search"): ("group-management:READ", groups.search),
    ("GET", f"{_GROUPS}/*"): ("group-management:READ", groups.read),
    ("GET", f"{_GROUPS}/*/members"): ("group-management:READ", groups.members),
    ("GET", "/policyservice/v1/orgs/*/policies/summary"): ("org.policies:READ", groups.policies),
    ("POST", f"{_V6}/reputations/overrides"): ("org.reputations:CREATE", overrides.create),
    ("POST", f"{_V6}/reputations/overrides/_search"): ("org.reputations:READ", overrides.search),
    ("POST", f"{_V6}/reputations/overrides/_delete"): ("org.reputations:DELETE", overrides.delete_many),
    ("GET", f"{_V6}/reputations/overrides/*"): ("org.reputations:READ", overrides.read),
    ("DELETE", f"{_V6}/reputations/overrides/*"): ("org.reputations:DELETE", overrides.delete),
    ("POST", _LIVE): ("org.liveresponse.session:CREATE", sessions.create),
    ("GET", f"{_LIVE}/*"): ("org.liveresponse.session:READ", sessions.read),
    ("DELETE", f"{_LIVE}/*"): ("org.liveresponse.session:DELETE", sessions.close),
    ("GET", f"{_LIVE}/*/keepalive"): ("org.liveresponse.session:READ", sessions.keepalive),
    ("POST", f"{_LIVE}/*/commands"): ("org.liveresponse.session:READ", sessions.command),
    ("GET", f"{_LIVE}/*/commands/*"): ("org.liveresponse.session:READ", sessions.command_status),
    ("DELETE", f"{_LIVE}/*/commands/*"): ("org.liveresponse.session:DELETE", sessions.cancel),
    ("GET", f"{_LIVE}/*/files/*/content"): ("org.liveresponse.file:READ", sessions.content),
    ("POST", f"{_ALERTS}/_search"): ("org.alerts:READ", alerts.search),
    ("GET", f"{_ALERTS}/*"): ("org.alerts:READ", alerts.read),
}
_ORG = re.compile(r"/orgs/([^/]+)/")


class CarbonBlackCloudTwin:
    """Answers as Carbon Black Cloud does, for every tenant of the world whose vendor it is; a tenant's `cid` is its org key."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal
        self._options = Options.of(world)
        self._throttle = Throttle(self._options.requests_per_window, self._options.window)
        self._sessions = sessions.Sessions(clock)
        self._routes = Routes(ROUTES)
        self._turns = itertools.count()

    def tenant_of(self, request: Request) -> str:
        org = _ORG.search(request.path)
        return next((one.name for one in self._world.of_vendor(self.vendor) if org and one.cid == org[1]), "")

    def answer(self, request: Request) -> Reply:
        try:
            reply = self._answered(request)
        except Refusal as refusal:
            reply = refusal.reply
        now = format_datetime(datetime.fromtimestamp(self._clock.now(), UTC), usegmt=True)
        return replace(reply, headers={"Date": now, **reply.headers})

    def _answered(self, request: Request) -> Reply:
        wait = self._throttle.wait(request.client, self._clock.now())
        if wait:
            headers = {"Retry-After": str(math.ceil(wait / self._clock.speed))}
            return json_reply(429, {"error_code": "TOO_MANY_REQUESTS", "message": "Too many requests"}, headers)
        tenant, credential = self._admitted(request)
        route = self._routes.find(request.method, request.path)
        if route is None:
            is_known = self._routes.is_known(request.path)
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Method not allowed") if is_known else not_found(request.path)
        (permission, handler), (org, *parts) = route.entry, route.parts
        if tenant.cid != org or not credential.allows(permission):
            raise Refusal(403, "FORBIDDEN", "Access is denied")
        if unknown := self._options.undocumented(request, route.path):
            raise Refusal(400, "NOT_DOCUMENTED", f"not documented: {unknown}")
        with tenant.lock:
            return handler(self._call(request, tenant, credential, tuple(parts)))

    def _admitted(self, request: Request) -> tuple[Tenant, Credential]:
        """By `X-Auth-Token: SECRET/ID`; the other way round is a wrong key."""
        secret, _, key_id = request.headers.get("x-auth-token", "").rpartition("/")
        found = self._world.holder(
            self.vendor, lambda one: one.client_id == key_id and hmac.compare_digest(one.client_secret.encode(), secret.encode())
        )
        if found is None:
            raise Refusal(401, "UNAUTHENTICATED", "Authentication is required")
        return found

    def _call(self, request: Request, tenant: Tenant, credential: Credential, parts: tuple[str, ...]) -> sessions.SessionCall:
        return sessions.SessionCall(
            request=request,
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            sessions=self._sessions,
            parts=parts,
            turn=lambda: next(self._turns),
        )
