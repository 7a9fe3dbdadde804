"""The Cortex XDR API: the written table of its routes, and what every call passes before it reaches one.

It does not speak: scans, file retrieval, aliases and deletion of endpoints; terminating processes by the vendor's own ids; code
of scripts and snippets; incidents, cases and issues of 5.x; XQL, indicators, audits; filters of endpoints by package, scan,
public address and cloud; `all` for a list of filters; the tenant's own description.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..clock import VirtualClock
from ..journal import Journal
from ..limits import SlidingWindow
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant, World
from . import alerts, endpoints, hashes, orders, quarantine, scripts
from .auth import Gate
from .envelope import Refusal, request_data
from .options import Options

Handler = Callable[[orders.OrderCall], Any]

GET_ENDPOINTS = "/public_api/v1/endpoints/get_endpoints"
#: path -> (permission that the key's role needs, handler); all of them are POST.
ROUTES: dict[str, tuple[str, Handler]] = {
    "/public_api/v1/endpoints/get_endpoint": ("endpoints", endpoints.get_endpoint),
    GET_ENDPOINTS: ("endpoints", endpoints.get_endpoints),
    "/public_api/v1/endpoints/isolate": ("isolate", orders.isolate),
    "/public_api/v1/endpoints/unisolate": ("isolate", orders.unisolate),
    "/public_api/v1/endpoints/quarantine": ("quarantine", quarantine.quarantine),
    "/public_api/v1/endpoints/restore": ("quarantine", quarantine.restore),
    "/public_api/v1/quarantine/status": ("quarantine", quarantine.status),
    "/public_api/v1/actions/get_action_status": ("endpoints", orders.action_status),
    "/public_api/v1/hash_exceptions/blocklist": ("blocklist", hashes.block),
    "/public_api/v1/hash_exceptions/blocklist/remove": ("blocklist", hashes.unblock),
    "/public_api/v1/hash_exceptions/allowlist": ("blocklist", hashes.allow),
    "/public_api/v1/hash_exceptions/allowlist/remove": ("blocklist", hashes.disallow),
    "/public_api/v1/scripts/get_scripts": ("scripts", scripts.get_scripts),
    "/public_api/v1/scripts/get_script_metadata": ("scripts", scripts.get_script_metadata),
    "/public_api/v1/scripts/run_script": ("scripts", scripts.run_script),
    "/public_api/v1/scripts/get_script_execution_status": ("scripts", scripts.get_script_execution_status),
    "/public_api/v1/scripts/get_script_execution_results": ("scripts", scripts.get_script_execution_results),
    "/public_api/v1/alerts/get_alerts": ("alerts", alerts.v1),
    "/public_api/v1/alerts/get_alerts_multi_events": ("alerts", alerts.v1),
    "/public_api/v2/alerts/get_alerts_multi_events": ("alerts", alerts.v2),
}
#: Asks nothing but whether the key is good, or the system is there.
VALIDATE, HEALTH = "/api_keys/validate", "/public_api/v1/healthcheck"
#: What wants the larger licence (`facts["licence"]` is "pro" unless the world says otherwise).
PRO = frozenset({"scripts"})


class CortexTwin:
    """Answers as Cortex does, for every tenant of the world whose vendor is cortex_xdr."""

    vendor = Options.vendor

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._clock, self._journal = clock, journal
        self._options = Options.of(world)
        self._gate = Gate(world, self._options)
        self._pool = SlidingWindow(self._options.requests_per_minute)
        self._orders = orders.Orders()
        for tenant in world.of_vendor(self.vendor):
            tenant.on_return.append(lambda endpoint: self._orders.returned(endpoint, self._clock.now()))

    def tenant_of(self, request: Request) -> str:
        found = self._gate.known(request)
        return found[0].name if found else ""

    def answer(self, request: Request) -> Reply:
        try:
            return json_reply(200, self._answered(request))
        except Refusal as refusal:
            return refusal.written(self._options)

    def _answered(self, request: Request) -> Any:
        tenant, credential = self._gate.admit(request)
        allowance = self._pool.take(tenant.name, self._clock.now())
        if not allowance.allowed:
            seconds = str(int(allowance.free_at - self._clock.now()) + 1)
            raise Refusal(429, "Too many requests", headers={"Retry-After": seconds} if self._options.retry_after else {})
        path = request.path.rstrip("/")
        if request.method != ("GET" if path == HEALTH else "POST"):
            raise Refusal(405, "Method Not Allowed")
        if path in {VALIDATE, HEALTH}:
            self._check(request, path)
            return True if path == VALIDATE else {"status": "available"}
        return {"reply": self._replied(path, request, tenant, credential)}

    def _replied(self, path: str, request: Request, tenant: Tenant, credential: Credential) -> Any:
        permission, handler = self._route(path)
        if permission in PRO and tenant.facts.get("licence", "pro") != "pro":
            raise Refusal(402, "Cortex XDR Pro per Endpoint license is required", message="License error")
        if not credential.allows(permission):
            raise Refusal(403, f"missing permission: {permission}", message="Forbidden")
        if path != self._options.blocklist_route:
            self._check(request, path)
        call = orders.OrderCall(
            request=request,
            data=request_data(request, may_be_empty=path == GET_ENDPOINTS),
            tenant=tenant,
            credential=credential,
            now=self._clock.now(),
            options=self._options,
            journal=self._journal,
            orders=self._orders,
        )
        with tenant.lock:
            self._orders.settle(call)
            return handler(call)

    def _check(self, request: Request, path: str) -> None:
        if unknown := self._options.undocumented(request, path):
            raise Refusal(400, f"not documented: {unknown}")

    def _route(self, path: str) -> tuple[str, Handler]:
        if path == self._options.blocklist_route:
            return "blocklist", hashes.listing
        if path not in ROUTES:
            raise Refusal(404, "Not Found")
        return ROUTES[path]
