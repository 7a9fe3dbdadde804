"""The toy's API."""

from __future__ import annotations

from typing import Any

from .clock import VirtualClock
from .journal import Journal
from .server import Reply, Request, json_reply
from .world import Tenant, World

OS = {"Windows": "windows", "Mac": "macos", "Linux": "linux"}


class ToyTwin:
    """Answers for every tenant of the world whose vendor is toy; the token tells which."""

    vendor = "toy"

    def __init__(self, world: World, clock: VirtualClock, journal: Journal) -> None:
        self._world, self._clock, self._journal = world, clock, journal

    def tenant_of(self, request: Request) -> str:
        tenant = self._tenant(request)
        return tenant.name if tenant else ""

    def _tenant(self, request: Request) -> Tenant | None:
        token = request.headers.get("x-token", "")
        found = self._world.holder(self.vendor, lambda one: token != "" and one.client_secret == token)
        return found[0] if found else None

    def answer(self, request: Request) -> Reply:
        tenant = self._tenant(request)
        if tenant is None:
            return json_reply(401, {"error": "who are you?"})
        with tenant.lock:
            return self._answered(tenant, request)

    def _answered(self, tenant: Tenant, request: Request) -> Reply:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["groups"]:
                return json_reply(200, [one.name for one in tenant.groups.values()])
            case "GET", ["endpoints"]:
                return json_reply(200, self._found(tenant, request.first("id"), request.first("group")))
            case "GET", ["alerts"]:
                return json_reply(200, self._alerts(tenant, request))
            case "POST", ["endpoints", agent_id, "isolate" | "release" as verb]:
                return self._switched(tenant, agent_id, verb)
        return json_reply(404, {"error": "no such toy"})

    def _found(self, tenant: Tenant, agent_id: str, group: str) -> list[dict[str, Any]]:
        rows = [
            {
                "id": one.agent_id,
                "name": one.hostname,
                "os": OS[one.platform],
                "status": one.status,
                "groups": [tenant.groups[each].name for each in one.groups],
            }
            for one in tenant.settled(self._clock.now())
        ]
        return [row for row in rows if agent_id in {"", row["id"]} and (not group or group in row["groups"])]

    def _alerts(self, tenant: Tenant, request: Request) -> dict[str, Any]:
        rows = sorted((one for one in tenant.alerts if one["changed"] >= request.first("since")), key=lambda one: str(one["changed"]))
        start, size = int(request.first("token") or 0), int(request.first("size"))
        return {"rows": rows[start : start + size], "more": str(start + size) if len(rows) > start + size else ""}

    def _switched(self, tenant: Tenant, agent_id: str, verb: str) -> Reply:
        endpoint = tenant.endpoint(agent_id, self._clock.now())
        if endpoint is None:
            return json_reply(404, {"error": "no such endpoint"})
        wanted = {"isolate": "contain", "release": "lift_contain"}[verb]
        changed = endpoint.status not in {f"{wanted}ment_pending", {"isolate": "contained", "release": "normal"}[verb]}
        if changed:
            endpoint.move_to(f"{wanted}ment_pending", now=self._clock.now())
        self._journal.effect(verb, agent_id, changed=changed, vendor=self.vendor, tenant=tenant.name)
        return json_reply(202, {})


TWIN = ToyTwin
