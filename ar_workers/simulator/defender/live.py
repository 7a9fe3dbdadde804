"""Live response: one session per machine, scripts from the library only, and results behind links that expire."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from ..clock import VirtualClock
from ..endpoints import Endpoint
from ..server import Reply, Request, json_reply
from ..world import Tenant
from .call import Answer, Refusal, Row, stamp
from .orders import Desk, OrderCall, found, open_already
from .script_library import library_of
from .scripts import Output, run

#: The order in which the commands of a session may come.
TYPES = ("PutFile", "RunScript", "GetFile")
NEEDS = {"PutFile": {"FileName"}, "RunScript": {"ScriptName"}, "GetFile": {"Path"}}
ALLOWS = {"PutFile": {"FileName"}, "RunScript": {"ScriptName", "Args"}, "GetFile": {"Path"}}
SUFFIXES = {"Windows": ".ps1", "Mac": ".sh", "Linux": ".sh"}
STORE = "/investigation-actions-data/"


class Results:
    """The store of results, which asks for no token but for a signature in the link."""

    def __init__(self, clock: VirtualClock, life: float) -> None:
        self._clock, self._life = clock, life
        self._kept: dict[str, Row] = {}
        self._links: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def keep(self, key: str, result: Row) -> None:
        with self._lock:
            self._kept[key] = result

    def link(self, key: str, url: str) -> str | None:
        """A link to what is kept under `key`; None if nothing is."""
        with self._lock:
            if key not in self._kept:
                return None
            signature = secrets.token_urlsafe(32)
            self._links[signature] = key, self._clock.now() + self._life
        return f"{url}{STORE}{key}?se={stamp(self._clock.now() + self._life)}&sp=r&sig={signature}"

    def answer(self, request: Request) -> Reply:
        """The vendor's store refuses a bearer token beside a signature."""
        with self._lock:
            key, ends = self._links.get(request.first("sig"), ("", 0.0))
        if request.method != "GET" or "authorization" in request.headers or ends <= self._clock.now():
            return Reply(403, b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>", {"Content-Type": "application/xml"})
        if request.path != f"{STORE}{key}":
            return Reply(404, b"<?xml version='1.0'?><Error><Code>BlobNotFound</Code></Error>", {"Content-Type": "application/xml"})
        return json_reply(200, self._kept[key])


class Responder:
    """Runs the commands of a session when the machine has come to it."""

    def __init__(self, desk: Desk, results: Results) -> None:
        self._desk, self._results = desk, results
        desk.runners["LiveResponse"] = self.run

    def run(self, tenant: Tenant, endpoint: Endpoint, row: Row) -> str:
        """The first command that fails stops the rest."""
        for command in row["commands"]:
            output, fault = self._done(tenant, endpoint, command["command"])
            command["commandStatus"] = "Failed" if fault else "Completed"
            command["errors"] = [fault] if fault else []
            if fault:
                return "Failed"
            result = {
                "script_name": _parameters(command["command"]).get("ScriptName"),
                "exit_code": output.code,
                "script_output": output.text,
                "script_errors": output.errors,
            }
            self._results.keep(f"{row['id']}-{command['index']}", json.loads(json.dumps(result)))
        return "Succeeded"

    def _done(self, tenant: Tenant, endpoint: Endpoint, command: Row) -> tuple[Output, str]:
        parameters = _parameters(command)
        if command["type"] != "RunScript":
            return Output(), ""
        if not parameters["ScriptName"].endswith(SUFFIXES[endpoint.platform]):
            return Output(), "The script cannot run on this platform"
        output = run(endpoint, parameters.get("Args", ""))
        for verb, target, changed in output.effects:
            self._desk.effect(tenant, verb, target, changed=changed, agent_id=endpoint.agent_id)
        return output, ""


def _parameters(command: Row) -> dict[str, str]:
    return {one["key"]: one["value"] for one in command["params"]}


@dataclass(frozen=True, kw_only=True)
class LiveCall(OrderCall):
    results: Results


def start(call: LiveCall) -> Answer:
    """201 with the machine action. A second session on the machine is refused, and a 26th of the tenant throttled."""
    body, endpoint = call.document("Commands", "Comment"), call.endpoint()
    if not call.options.live_response:
        raise Refusal(403, "DisabledFeature", "Live response is not enabled for this organization")
    commands = _commands(call, body["Commands"])
    if opened := call.desk.open(call.tenant, "LiveResponse", endpoint.agent_id):
        raise open_already(opened[0])
    if len(call.desk.open(call.tenant, "LiveResponse")) >= call.options.live_sessions:
        raise Refusal(429, "TooManyRequests", "Too many concurrent live response sessions", headers={"Retry-After": "30"})
    rows: list[Row] = [
        {"index": index, "startTime": None, "endTime": None, "commandStatus": "Created", "errors": [], "command": one}
        for index, one in enumerate(commands)
    ]
    row = call.desk.take(call.tenant, endpoint, "LiveResponse", requestor=call.user, requestorComment=body["Comment"], commands=rows)
    return Answer(call.desk.shown(row), 201)


def _commands(call: LiveCall, wanted: Any) -> list[Row]:
    if not isinstance(wanted, list) or not all(isinstance(one, dict) and one.get("type") in TYPES for one in wanted):
        raise Refusal(400, "InvalidRequestBody", f"Commands must be of {', '.join(TYPES)}")
    if [one["type"] for one in wanted] != sorted((one["type"] for one in wanted), key=TYPES.index):
        raise Refusal(400, "InvalidInput", f"Commands must come in the order {', '.join(TYPES)}")
    for one in wanted:
        _check(call, one)
    return wanted


def _check(call: LiveCall, command: Row) -> None:
    params = command.get("params")
    is_shaped = isinstance(params, list) and all(isinstance(one, dict) and set(one) == {"key", "value"} for one in params)
    names = {one["key"] for one in params} if is_shaped and isinstance(params, list) else set()
    if set(command) != {"type", "params"} or not NEEDS[command["type"]] <= names or names - ALLOWS[command["type"]]:
        raise Refusal(400, "InvalidRequestBody", f"the parameters of {command['type']} are not as expected")
    wanted = _parameters(command).get("ScriptName") or _parameters(command).get("FileName")
    if wanted and wanted not in library_of(call.tenant):
        raise Refusal(400, "InvalidInput", f"{wanted} is not in the library")


def result_link(call: LiveCall) -> Answer:
    row = found(call)
    url = call.results.link(f"{row['id']}-{call.parts[1]}", call.request.host_url)
    if row["type"] != "LiveResponse" or url is None:
        raise Refusal(404, "ResourceNotFound", "There is no such result")
    return Answer({"@odata.context": f"{call.request.host_url}/api/$metadata#Edm.String", "value": url})
