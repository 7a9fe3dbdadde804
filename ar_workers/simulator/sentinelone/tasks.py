"""RemoteOps: scripts of the library, their tasks on agents, approvals by a second person, and results behind a link."""

from __future__ import annotations

import io
import secrets
import threading
import uuid
import zipfile
from dataclasses import dataclass, field
from typing import Any

from ..clock import VirtualClock, iso
from ..endpoints import Endpoint
from ..server import Reply
from .agents import OS_TYPES, agent, selected
from .call import Call, Refusal, Row, Tests, is_in
from .scripts import run

EXECUTION_FIELDS = frozenset(
    {"scriptId", "outputDestination", "taskDescription", "inputParams", "scriptRuntimeTimeoutSeconds", "requiresApproval"}
)
STATUS_TESTS: Tests = {
    "parentTaskId": is_in("parentTaskId"),
    "parentTaskId__in": is_in("parentTaskId"),
    "status": is_in("status"),
    "ids": is_in("id"),
}
DOWNLOADS = "/script-results/"


def number() -> str:
    return str(secrets.randbelow(9 * 10**18) + 10**18)


@dataclass
class Task:
    parent: str
    agent_id: str
    data: Row
    user: str
    created: float
    started: float | None = None
    status: str = "created"
    detailed: str = ""
    output: str = ""
    updated: float = 0.0
    id: str = field(default_factory=number)


class Tasks:
    """The tasks, approvals and result links of one console."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lock = threading.RLock()
        self.tasks: list[Task] = []
        self.approvals: dict[str, Row] = {}
        self.links: dict[str, Task] = {}
        self._clock = clock

    def heard_of(self, endpoint: Endpoint) -> None:
        """An agent is back: what waited for it begins now."""
        with self.lock:
            for task in self.tasks:
                if task.agent_id == endpoint.agent_id and task.status in {"created", "pending"}:
                    task.started = self._clock.now()

    def download(self, path: str, options: Any) -> Reply:
        """The bytes behind a signed link, which needs no token."""
        task = self.links.get(path.removeprefix(DOWNLOADS))
        if task is None:
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        if options.results_as == "text":
            return Reply(200, task.output.encode(), {"Content-Type": "text/plain"})
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as archive:
            archive.writestr("stdout.txt", task.output)
            archive.writestr("stderr.txt", "")
        return Reply(200, raw.getvalue(), {"Content-Type": "application/zip"})

    def advance(self, call: Call) -> None:
        """Bring every open task to where it is by now."""
        with self.lock:
            for task in self.tasks:
                endpoint = call.tenant.endpoints.get(task.agent_id)
                if endpoint and task.status in {"created", "pending", "in_progress"}:
                    _advance(call, task, endpoint)


def _advance(call: Call, task: Task, endpoint: Endpoint) -> None:
    if not endpoint.online:
        task.started, task.status = None, "pending"
        if call.options.offline_script == "fails":
            task.status, task.detailed = "failed", "Agent is offline"
        elif call.now > task.created + call.options.task_life:
            task.status, task.detailed = "expired", "Task expired"
        return
    task.started = task.created if task.started is None else task.started
    task.status = "pending" if call.now < task.started + call.options.run_seconds / 4 else "in_progress"
    if call.now >= task.started + call.options.run_seconds:
        task.output, effects = run(endpoint, str(task.data.get("inputParams", "")), call.options.script_fails)
        for verb, target, changed in effects:
            call.effect(verb, target, changed=changed, task=task.id)
        task.status, task.updated = "completed", task.started + call.options.run_seconds
        is_error = call.options.script_fails == "with_error"
        task.detailed = "Script execution error, exit code: 1" if is_error else "Execution completed successfully"


@dataclass(frozen=True, kw_only=True)
class TaskCall(Call):
    tasks: Tasks


def execute(call: TaskCall) -> Row:
    document = call.document("filter", "data")
    data = document["data"]
    needed = {"scriptId", "outputDestination", "taskDescription"}
    if not isinstance(data, dict) or not needed <= set(data):
        raise Refusal(4000010, "Validation Error", "data: Not valid.")
    if data["outputDestination"] not in {"SentinelCloud", "Local", "None", "SingularityXDR"}:
        raise Refusal(4000010, "Validation Error", "outputDestination: Not a valid choice.")
    script = call.tenant.facts.get("scripts", {}).get(data["scriptId"])
    if script is None:
        raise Refusal(4040010, "Script not found")
    if script.get("inputRequired", True) and not data.get("inputParams"):
        raise Refusal(4000010, "Validation Error", "inputParams: Missing data for required field.")
    targets = [one for one in selected(call) if OS_TYPES[one.platform] in script["osTypes"] and not one.decommissioned]
    if call.options.guardrail or data.get("requiresApproval"):
        return {"data": _ask(call, data, targets)}
    return {"data": {"affected": len(targets), "parentTaskId": _start(call, data, targets), "pending": False}}


def _start(call: TaskCall, data: Row, targets: list[Endpoint]) -> str | None:
    parent = number()
    with call.tasks.lock:
        call.tasks.tasks += [Task(parent, one.agent_id, data, call.user, call.now) for one in targets]
    return parent if targets else None


def _ask(call: TaskCall, data: Row, targets: list[Endpoint]) -> Row:
    one = number()
    call.tasks.approvals[one] = {
        "id": one,
        "pendingExecutionId": one,
        "state": "waiting",
        "executionData": {name: data.get(name) for name in EXECUTION_FIELDS},
        "creator": call.user,
        "reviewer": None,
        "canApproveOrDecline": False,
        "totalEndpoints": len(targets),
        "targets": [each.agent_id for each in targets],
        "createdAt": iso(call.now),
        "scheduledTaskId": None,
    }
    return {"affected": len(targets), "parentTaskId": None, "pending": True, "pendingExecutionId": one}


def approvals(call: TaskCall) -> Row:
    shown = [{name: each for name, each in row.items() if name != "targets"} for row in call.tasks.approvals.values()]
    tests: Tests = dict.fromkeys(("accountIds", "siteIds", "groupIds"), lambda _row, _values: True)
    return call.listed(shown, tests, sorts=("id", "createdAt", "state"))


def decide(call: TaskCall) -> Row:
    """PUT by a second person."""
    row = call.tasks.approvals.get(call.request.path.rsplit("/", 1)[1])
    if row is None or row["state"] != "waiting":
        raise Refusal(4040010, "Pending execution not found")
    action = call.document("data")["data"].get("action")
    if action not in {"approve", "decline"}:
        raise Refusal(4000010, "Validation Error", "action: Not a valid choice.")
    row["state"] = "approved" if action == "approve" else "declined"
    if action == "approve":
        targets = [call.tenant.endpoints[one] for one in row["targets"]]
        parent = _start(call, row["executionData"], targets)
        row["scheduledTaskId"] = parent if call.options.approved_task == "shown" else None
    return {"data": {"success": True}}


def status(call: TaskCall) -> Row:
    if not {"parentTaskId", "parentTaskId__in"} & set(call.request.query):
        raise Refusal(4000010, "Validation Error", "parentTaskId or parentTaskId__in is required")
    rows = [_shown(call, one) for one in call.tasks.tasks]
    return call.listed(rows, STATUS_TESTS, sorts=("id", "createdAt", "updatedAt", "status"))


def _shown(call: Call, task: Task) -> Row:
    seen = agent(call.tenant.endpoints[task.agent_id], call)
    return {
        "id": task.id,
        "parentTaskId": task.parent,
        "type": "script_execution",
        "description": task.data["taskDescription"],
        "agentId": task.agent_id,
        "agentComputerName": seen["computerName"],
        "agentIsActive": seen["isActive"],
        "agentOsType": seen["osType"],
        "status": task.status,
        "detailedStatus": task.detailed or None,
        "statusDescription": task.status,
        "scriptResultsSignature": None,
        "siteId": seen["siteId"],
        "initiatedBy": task.user,
        "createdAt": iso(task.created),
        "updatedAt": iso(task.updated or task.created),
    }


def results(call: TaskCall) -> Row:
    """Links that anybody may follow for a while, and errors for tasks that have none."""
    data = call.document("data")["data"]
    ids = data.get("taskIds") if isinstance(data, dict) else None
    if not isinstance(ids, list) or not ids:
        raise Refusal(4000010, "Validation Error", "taskIds: Missing data for required field.")
    links, errors = [], []
    for one in ids:
        task = next((each for each in call.tasks.tasks if each.id == one), None)
        if task is None or task.status != "completed":
            errors.append({"taskId": one, "errorString": "Results are not available"})
            continue
        key = uuid.uuid4().hex
        call.tasks.links[key] = task
        links.append({"taskId": one, "fileName": f"{one}.zip", "downloadUrl": f"{call.request.host_url}{DOWNLOADS}{key}"})
    return {"data": {"download_links": links, "errors": errors}}


def script_library(call: Call) -> Row:
    scripts = call.tenant.facts.get("scripts", {})
    rows = [{"id": one, "scriptType": "action", "inputRequired": True, **each} for one, each in scripts.items()]
    return call.listed(rows, {"ids": is_in("id"), "scriptType": is_in("scriptType")})
