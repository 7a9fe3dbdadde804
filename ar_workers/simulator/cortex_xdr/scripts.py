"""The script library: what is in it, running one, and what came of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..endpoints import Endpoint
from .call import Call, Row
from .commands import LIBRARY
from .endpoints import within
from .envelope import Refusal
from .orders import OPEN, Order, OrderCall

COUNTERS = (
    "pending",
    "in_progress",
    "completed_successfully",
    "failed",
    "timeout",
    "expired",
    "canceled",
    "aborted",
    "pending_abort",
    "completed_partial",
)


def library(call: Call) -> dict[str, Row]:
    """Uid -> script: the vendor's own, and what the tenant has put there (`facts["scripts"]`: name -> changes, None to take it out)."""
    changes = call.tenant.facts.get("scripts", {})
    rows = [{**row, **(changes.get(row["name"]) or {})} for row in LIBRARY if changes.get(row["name"], {}) is not None]
    return {row["script_uid"]: row for row in [*rows, *call.tenant.facts.get("more_scripts", [])]}


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"run", "script_inputs"}}


def get_scripts(call: Call) -> Row:
    flags = ("windows_supported", "macos_supported", "linux_supported", "is_high_risk")
    test = call.tests({name: within(name) for name in ("name", *flags)})
    rows = [_shown(row) for row in library(call).values() if test(row)]
    return {"total_count": len(rows), "result_count": len(rows), "scripts": rows}


def _script(call: Call) -> Row:
    found = library(call).get(call.text("script_uid"))
    if found is None:
        raise Refusal(500, "Script was not found")
    return found


def get_script_metadata(call: Call) -> Row:
    row = _script(call)
    return {**_shown(row), "script_inputs": row["script_inputs"], "script_output_type": "auto", "entry_point": "run"}


def run_script(call: OrderCall) -> Row:
    """402 without the licence; an input too many or too few is refused before any endpoint hears of it."""
    row = _script(call)
    if row["is_high_risk"] and not call.credential.allows("high_risk_scripts"):
        raise Refusal(403, "missing permission: run high-risk scripts")
    parameters = call.data.get("parameters_values") or {}
    if set(parameters) != {each["name"] for each in row["script_inputs"]}:
        raise Refusal(500, {"parameters_values": "do not fit the script's inputs"})

    def work(now: Call, endpoint: Endpoint) -> tuple[str, str]:
        value, effects = row["run"](endpoint, parameters)
        for verb, target, changed in effects:
            now.effect(verb, target, changed=changed, agent_id=endpoint.agent_id)
        order.parts[endpoint.agent_id].results = _results(now, value)
        return "COMPLETED_SUCCESSFULLY", ""

    order = call.orders.add(call, call.chosen(), work, takes=call.options.order_takes, script=row)
    return call.accepted(order)


def _results(call: Call, value: Any) -> Row:
    if call.options.script_answer == "standard_output":
        return {"_return_value": None, "standard_output": f"starting\n{value}\n"}
    shown = False if call.options.script_answer == "false" else value
    return {"_return_value": [shown], "standard_output": ""}


def _run(call: OrderCall) -> Order:
    order = call.orders.of(call, call.number("action_id"))
    if order.script is None:
        raise Refusal(500, "The action is no script execution")
    return order


def general(statuses: list[str]) -> str:
    """One word for all endpoints of an order."""
    if any(each in OPEN for each in statuses):
        return "IN_PROGRESS" if set(statuses) != {"PENDING"} else "PENDING"
    return statuses[0] if len(set(statuses)) == 1 else "COMPLETED_PARTIAL"


def get_script_execution_status(call: OrderCall) -> Row:
    statuses = [part.status for part in _run(call).parts.values()]
    counted = Counter(each.lower() for each in statuses)
    return {"general_status": general(statuses), **{f"endpoints_{name}": counted[name] for name in COUNTERS}}


def get_script_execution_results(call: OrderCall) -> Row:
    order = _run(call)
    script: Row = order.script or {}
    rows = []
    for agent_id, part in order.parts.items():
        endpoint = call.tenant.endpoints[agent_id]
        rows.append(
            {
                "endpoint_id": agent_id,
                "endpoint_name": endpoint.hostname,
                "endpoint_status": "STATUS_010_CONNECTED" if endpoint.online else "STATUS_020_DISCONNECTED",
                "execution_status": part.status,
                "standard_output": "",
                "_return_value": [],
                "retrieved_files": 0,
                "failed_files": 0,
                "retention_date": None,
                **part.results,
            }
        )
    return {"script_name": script.get("name"), "error_message": "", "results": rows}
