"""The Carbon Black Cloud API: the written table of its routes, and what every call passes before it reaches one."""

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
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import alerts, devices, groups, overrides, sessions
from .call import VENDOR, Call, Refusal, not_found
from .options import Options
from .throttle import Throttle

Handler = Callable[[Call], Reply]

_V6 = "/appservices/v6/orgs/{org}"
_LIVE = f"{_V6}/liveresponse/sessions"
_GROUPS = "/asset_groups/v1/orgs/{org}/groups"
_ALERTS = "/api/alerts/v7/orgs/{org}/alerts"
#: (method, path, permission that the key needs, handler); `*` is one variable part.
ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("POST", f"{_V6}/devices/_search", "device:READ", devices.search),
    ("POST", f"{_V6}/devices/_scroll", "device:READ", devices.scroll),
    ("GET", f"{_V6}/devices/*", "device:READ", devices.read),
    ("POST", f"{_V6}/device_actions", "device.quarantine:EXECUTE", devices.act),
    ("GET", _GROUPS, "group-management:READ", groups.every),
    ("POST", f"{_GROUPS}/_search", "group-management:READ", groups.search),
    ("GET", f"{_GROUPS}/*", "group-management:READ", groups.read),
    ("GET", f"{_GROUPS}/*/members", "group-management:READ", groups.members),
    ("GET", "/policyservice/v1/orgs/{org}/policies/summary", "org.policies:READ", groups.policies),
    ("POST", f"{_V6}/reputations/overrides", "org.reputations:CREATE", overrides.create),
    ("POST", f"{_V6}/reputations/overrides/_search", "org.reputations:READ", overrides.search),
    ("POST", f"{_V6}/reputations/overrides/_delete", "org.reputations:DELETE", overrides.delete_many),
    ("GET", f"{_V6}/reputations/overrides/*", "org.reputations:READ", overrides.read),
    ("DELETE", f"{_V6}/reputations/overrides/*", "org.reputations:DELETE", overrides.delete),
    ("POST", _LIVE, "org.liveresponse.session:CREATE", sessions.create),
    ("GET", f"{_LIVE}/*", "org.liveresponse.session:READ", sessions.read),
    ("DELETE", f"{_LIVE}/*", "org.liveresponse.session:DELETE", sessions.close),
    ("GET", f"{_LIVE}/*/keepalive", "org.liveresponse.session:READ", sessions.keepalive),
    ("POST", f"{_LIVE}/*/commands", "org.liveresponse.session:READ", sessions.command),
    ("GET", f"{_LIVE}/*/commands/*", "org.liveresponse.session:READ", sessions.command_status),
    ("DELETE", f"{_LIVE}/*/commands/*", "org.liveresponse.session:DELETE", sessions.cancel),
    ("GET", f"{_LIVE}/*/files/*/content", "org.liveresponse.file:READ", sessions.content),
    ("POST", f"{_ALERTS}/_search", "org.alerts:READ", alerts.search),
    ("GET", f"{_ALERTS}/*", "org.alerts:READ", alerts.read),
)


def _shape(path: str) -> re.Pattern[str]:
    return re.compile("^" + re.escape(path).replace(r"\{org\}", "(?P<org>[^/]+)").replace(r"\*", "([^/]+)") + "$")


_SHAPES = [(method, _shape(path), permission, handler) for method, path, permission, handler in ROUTES]
_ORG = re.compile(r"/orgs/([^/]+)/")


class CarbonBlackCloudTwin:
    """Answers as Carbon Black Cloud does, for every tenant of the world whose vendor it is; a tenant's `cid` is its org key."""

    vendor = VENDOR

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal
        self._options = Options.from_dict(world.options.get(VENDOR, {}))
        self._throttle = Throttle(self._options.requests_per_window, self._options.window)
        self._sessions = sessions.Sessions(clock)
        self._turns = itertools.count()

    def tenant_of(self, request: Request) -> str:
        org = _ORG.search(request.path)
        return next((one.name for one in self._world.of_vendor(VENDOR) if org and one.cid == org[1]), "")

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
        fits = [(each, match) for each in _SHAPES if (match := each[1].match(request.path))]
        if not fits:
            raise not_found(request.path)
        for (method, _, permission, handler), match in fits:
            if method == request.method:
                self._check(tenant, credential, match["org"], permission)
                return self._handled(handler, request, tenant, credential, match)
        raise Refusal(405, "METHOD_NOT_ALLOWED", "Method not allowed")

    def _admitted(self, request: Request) -> tuple[Tenant, Credential]:
        """By `X-Auth-Token: SECRET/ID`; the other way round is a wrong key."""
        secret, _, key_id = request.headers.get("x-auth-token", "").rpartition("/")
        for tenant in self._world.of_vendor(VENDOR):
            for one in tenant.credentials:
                if one.client_id == key_id and hmac.compare_digest(one.client_secret.encode(), secret.encode()):
                    return tenant, one
        raise Refusal(401, "UNAUTHENTICATED", "Authentication is required")

    @staticmethod
    def _check(tenant: Tenant, credential: Credential, org: str, permission: str) -> None:
        if tenant.cid != org or not credential.allows(permission):
            raise Refusal(403, "FORBIDDEN", "Access is denied")

    def _handled(self, handler: Handler, request: Request, tenant: Tenant, credential: Credential, match: re.Match[str]) -> Reply:
        call = Call(
            request=request,
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            sessions=self._sessions,
            parts=tuple(part for number, part in enumerate(match.groups(), 1) if number != match.re.groupindex["org"]),
            turn=lambda: next(self._turns),
        )
        with tenant.lock:
            return handler(call)
