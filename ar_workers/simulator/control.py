"""The simulator's own HTTP door: journal, faults, clock and endpoints, for tests and demos in other processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .faults import Fault
from .server import Reply, Request, Untenanted, json_reply
from .world import Change

if TYPE_CHECKING:
    from .simulation import Simulation


class Control(Untenanted):
    """`GET /_control/journal?since=N`, `POST /_control/faults`, `DELETE /_control/faults`, `POST /_control/clock`,
    `PATCH /_control/endpoints/TENANT/AGENT_ID`, `POST /_control/alerts/TENANT`, `GET /_control/world`.
    """

    vendor = "control"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def answer(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")[1:]
        try:
            document = self._answered(request, parts, json.loads(request.body) if request.body else {})
        except (ValueError, KeyError, TypeError) as error:
            return json_reply(400, {"error": f"{type(error).__name__}: {error}"})
        return json_reply(200, document) if document is not None else json_reply(404, {"error": "no such door"})

    def _answered(self, request: Request, parts: list[str], body: Any) -> Any:
        simulation = self._simulation
        match request.method, parts:
            case "GET", ["journal"]:
                return simulation.journal.entries(since=int(request.first("since", "0")))
            case "GET", ["world"]:
                return simulation.world.to_dict()
            case "POST", ["faults"]:
                simulation.faults.add(Fault.from_dict(body))
                return {"hits": simulation.faults.hits()}
            case "DELETE", ["faults"]:
                simulation.faults.clear()
                return {}
            case "POST", ["alerts", tenant]:
                return simulation.world.tenant(tenant).add_alert(body)
            case "POST", ["clock"]:
                return {"now": simulation.clock.advance(float(body["advance"]))}
            case "PATCH", ["endpoints", tenant, agent_id]:
                return simulation.world.apply(tenant, agent_id, Change.from_dict(body)).to_dict()
        return None
