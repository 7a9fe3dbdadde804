"""The action centre: orders that wait for an endpoint, run, end, or expire; and isolation, the first of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from ..endpoints import ISOLATE, RELEASE, SETTLES_AS, Endpoint, Switch
from .call import Call, Row
from .envelope import Refusal

#: What an order does on an endpoint once it runs: the status that it ends with, and the reason if it failed.
Work = Callable[[Call, Endpoint], tuple[str, str]]

OPEN = frozenset({"PENDING", "IN_PROGRESS"})


@dataclass
class Part:
    """An order's share for one endpoint. `since` is when the endpoint could begin with it."""

    since: float
    status: str = "PENDING"
    reason: str = ""
    results: Row = field(default_factory=dict)


@dataclass
class Order:
    id: int
    tenant: str
    born: float
    work: Work
    parts: dict[str, Part]
    #: What takes an order back that has expired.
    undo: Callable[[Endpoint], None] = lambda _: None
    #: Virtual seconds on a connected endpoint before `work` is done.
    takes: float = 0.0
    script: Row | None = None


class Orders:
    """The orders of all tenants."""

    def __init__(self) -> None:
        self._ids = itertools.count(1001)
        self.all: dict[int, Order] = {}

    def add(self, call: Call, endpoints: list[Endpoint], work: Work, **more: object) -> Order:
        parts = {one.agent_id: Part(call.now) for one in endpoints}
        order = Order(next(self._ids), call.tenant.name, call.now, work, parts, **more)  # type: ignore[arg-type]
        self.all[order.id] = order
        return order

    def of(self, call: Call, order_id: int) -> Order:
        found = self.all.get(order_id)
        if found is None or found.tenant != call.tenant.name:
            raise Refusal(500, f"Action {order_id} was not found")
        return found

    def returned(self, endpoint: Endpoint, now: float) -> None:
        """An endpoint is back: what waited for it begins now."""
        for order in self.all.values():
            part = order.parts.get(endpoint.agent_id)
            if part and part.status in OPEN:
                part.since = now

    def settle(self, call: Call) -> None:
        """Let everything happen that is due, in the order in which it was asked for."""
        for order in self.all.values():
            if order.tenant == call.tenant.name:
                for agent_id, part in order.parts.items():
                    if part.status in OPEN:
                        self._step(call, order, call.tenant.endpoints[agent_id], part)

    @staticmethod
    def _step(call: Call, order: Order, endpoint: Endpoint, part: Part) -> None:
        endpoint.settle(call.now)
        if not endpoint.online or endpoint.decommissioned:
            if call.now - order.born > call.options.order_life:
                part.status = "EXPIRED"
                order.undo(endpoint)
            return
        if call.now - part.since >= order.takes:
            part.status, part.reason = order.work(call, endpoint)
        else:
            part.status = "IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class OrderCall(Call):
    orders: Orders

    def accepted(self, order: Order) -> Row:
        action_id = str(order.id) if self.options.action_ids == "text" else order.id
        return {"action_id": action_id, "status": "1", "endpoints_count": len(order.parts)}


def isolate(call: OrderCall) -> Row:
    return _switch(call, ISOLATE)


def unisolate(call: OrderCall) -> Row:
    return _switch(call, RELEASE)


def _switch(call: OrderCall, switch: Switch) -> Row:
    """By `endpoint_id` or by filters; both together are an error."""
    if ("endpoint_id" in call.data) == ("filters" in call.data):
        raise Refusal(500, "one of endpoint_id and filters is needed, never both")
    chosen = [call.endpoint(call.text("endpoint_id"))] if "endpoint_id" in call.data else call.chosen()
    verb, pending, settled = switch
    for endpoint in chosen:
        _check(call, endpoint, verb, pending, settled)
    before = {one.agent_id: one.status for one in chosen}
    for endpoint in chosen:
        changed = endpoint.status not in {pending, settled}
        if changed:
            endpoint.move_to(pending, now=call.now)
        call.effect(verb, endpoint.agent_id, changed=changed, status=endpoint.status)

    def work(_: Call, endpoint: Endpoint) -> tuple[str, str]:
        return ("IN_PROGRESS", "") if endpoint.status in SETTLES_AS else ("COMPLETED_SUCCESSFULLY", "")

    def undo(endpoint: Endpoint) -> None:
        if endpoint.status == pending:
            endpoint.status = before[endpoint.agent_id]

    return call.accepted(call.orders.add(call, chosen, work, undo=undo))


def _check(call: Call, endpoint: Endpoint, verb: str, pending: str, settled: str) -> None:
    """A pending state blocks the opposite order, and perhaps the same one."""
    is_opposite = endpoint.status in SETTLES_AS and endpoint.status != pending
    is_repeated = endpoint.status in {pending, settled} and call.options.repeated_isolation == "error"
    if is_opposite or is_repeated:
        call.effect(verb, endpoint.agent_id, changed=False, refused=500, status=endpoint.status)
        words = "another isolation action is pending" if is_opposite else "the endpoint is already in this isolation state"
        raise Refusal(500, f"Endpoint {endpoint.agent_id}: {words}")


def action_status(call: OrderCall) -> Row:
    order = call.orders.of(call, call.number("group_action_id"))
    reply: Row = {"data": {agent_id: part.status for agent_id, part in order.parts.items()}}
    reasons = {agent_id: {"errorText": part.reason} for agent_id, part in order.parts.items() if part.reason}
    if call.options.error_reasons and reasons:
        reply["errorReasons"] = reasons
    return reply
