"""Real Time Response: sessions that die of idleness, commands whose answers come later."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..endpoints import Endpoint
from .call import Call
from .commands import Result, command_for
from .envelope import Answer, Refusal
from .shell import Unreadable, split_commands

OFFLINE, NO_SESSION, UNKNOWN_COMMAND = 40401, 40002, 40007


@dataclass
class Session:
    session_id: str
    client_id: str
    agent_id: str
    used: float


@dataclass
class Issued:
    """A command on its way: after so many polls its chunks are there."""

    session_id: str
    base: str
    chunks: list[str]
    stderr: str
    polls_left: int
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Responder:
    """The sessions and commands of all tenants."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.sessions: dict[str, Session] = {}
        self.issued: dict[str, Issued] = {}

    def session(self, call: Call, session_id: str) -> Session:
        """The live session of this client; raises 40002 as the vendor does."""
        found = self.sessions.get(session_id)
        if found is None or found.client_id != call.client_id or call.now - found.used > call.options.session_life:
            self.sessions.pop(session_id, None)
            raise Refusal(404, "Session not found", code=NO_SESSION)
        found.used = call.now
        return found


def open_session(call: Call) -> Answer:
    """201. The same client asking for the same host is given the session it has."""
    document = call.document()
    endpoint = _endpoint(call, str(document.get("device_id", "")))
    if not endpoint.online:
        raise Refusal(404, "Could not establish sensor comms", code=OFFLINE)
    with call.responder.lock:
        mine = [one for one in call.responder.sessions.values() if (one.client_id, one.agent_id) == (call.client_id, endpoint.agent_id)]
        live = [one for one in mine if call.now - one.used <= call.options.session_life]
        found = live[0] if live else Session(str(uuid.uuid4()), call.client_id, endpoint.agent_id, call.now)
        found.used = call.now
        call.responder.sessions[found.session_id] = found
    row = {"session_id": found.session_id, "scripts": [], "existing_aid_sessions": len(live), "offline_queued": False, "pwd": "C:\\"}
    return Answer([row], status=201)


def refresh_session(call: Call) -> Answer:
    answer = open_session(call)
    answer.resources[0].pop("scripts")
    return answer


def close_session(call: Call) -> Answer:
    with call.responder.lock:
        found = call.responder.session(call, call.request.first("session_id"))
        del call.responder.sessions[found.session_id]
    return Answer(status=204)


def _endpoint(call: Call, agent_id: str) -> Endpoint:
    endpoint = call.tenant.endpoint(agent_id, call.now)
    if endpoint is None:
        raise Refusal(404, f"No device found with id {agent_id}")
    return endpoint


def read(call: Call) -> Answer:
    return _issue(call, acting=False)


def act(call: Call) -> Answer:
    return _issue(call, acting=True)


def _issue(call: Call, *, acting: bool) -> Answer:
    document = call.document()
    with call.responder.lock:
        session = call.responder.session(call, str(document.get("session_id", "")))
        endpoint = _endpoint(call, session.agent_id)
        if not endpoint.online:
            raise Refusal(404, "Could not establish sensor comms", code=OFFLINE)
        base = str(document.get("base_command", ""))
        result = _carried_out(call, endpoint, base, str(document.get("command_string", "")), acting=acting)
        request_id = str(uuid.uuid4())
        call.responder.issued[request_id] = Issued(
            session.session_id, base, _chunks(result.stdout, call), result.stderr, call.options.polls_until_complete
        )
    row = {"cloud_request_id": request_id, "session_id": session.session_id, "queued_command_offline": False}
    return Answer([row], status=201)


def _carried_out(call: Call, endpoint: Endpoint, base: str, text: str, *, acting: bool) -> Result:
    """Everything that the string makes the shell do; what slips behind a separator is done as well, and journaled."""
    try:
        commands = split_commands(text)
    except Unreadable as error:
        return Result(stderr=str(error))
    if not commands or commands[0][0] != base:
        raise Refusal(400, "command_string must begin with base_command", code=40006)
    total = Result()
    for words in commands:
        command = command_for(endpoint, words[0], acting=acting)
        if command is None:
            raise Refusal(400, f"Command not found: {words[0]}", code=UNKNOWN_COMMAND)
        one = command(endpoint, words[1:], call.options)
        total.stdout += one.stdout
        total.stderr += one.stderr
        for verb, target, changed in one.effects or []:
            call.effect(verb, target, changed=changed, agent_id=endpoint.agent_id, command=text)
    return total


def _chunks(stdout: str, call: Call) -> list[str]:
    size = call.options.stdout_chunk
    return [stdout[start : start + size] for start in range(0, len(stdout), size)] or [""]


def output(call: Call) -> Answer:
    """GET of either command route: not complete for a while, then chunk by chunk."""
    request_id = call.request.first("cloud_request_id")
    try:
        uuid.UUID(request_id)
    except ValueError:
        raise Refusal(400, "cloud_request_id must be a uuid") from None
    sequence = call.number("sequence_id", 0, most=10_000)
    with call.responder.lock:
        issued = call.responder.issued.get(request_id)
        if issued is None:
            raise Refusal(404, "command not found")
        call.responder.session(call, issued.session_id)
        return Answer([_row(call, issued, sequence)] if sequence < len(issued.chunks) else [])


def _row(call: Call, issued: Issued, sequence: int) -> dict[str, Any]:
    row = {"session_id": issued.session_id, "task_id": issued.task_id, "sequence_id": sequence, "base_command": issued.base}
    if issued.polls_left > 0:
        issued.polls_left -= 1
        return {**row, "complete": False, "stdout": "", "stderr": ""}
    is_last = sequence == len(issued.chunks) - 1
    complete = is_last or call.options.chunks_complete == "each"
    return {**row, "complete": complete, "stdout": issued.chunks[sequence], "stderr": issued.stderr if is_last else ""}
