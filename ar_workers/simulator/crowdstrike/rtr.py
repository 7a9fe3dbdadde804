"""Commands of Real Time Response: 201 means taken, the answer comes later, a failure hides in its stderr."""

from __future__ import annotations

import uuid
from typing import Any

from ..endpoints import Endpoint
from .call import Call
from .commands import Result, command_for
from .envelope import Answer, Refusal
from .sessions import NO_COMMS, OFFLINE, Issued, Session, SessionCall, endpoint_of
from .shell import split_commands

UNKNOWN_COMMAND, MALFORMED_COMMAND = 40007, 40006


def read(call: SessionCall) -> Answer:
    return _issue(call, acting=False)


def act(call: SessionCall) -> Answer:
    return _issue(call, acting=True)


def _issue(call: SessionCall, *, acting: bool) -> Answer:
    document = call.document()
    base, text = command_in(document)
    with call.responder.lock:
        session = call.responder.session(call, str(document.get("session_id", "")))
        endpoint = endpoint_of(call, session.agent_id)
        check(endpoint, base, text, acting=acting)
        if not endpoint.online and not session.offline_queued:
            raise Refusal(404, NO_COMMS, code=OFFLINE)
        request_id = start(call, session, endpoint, base=base, text=text)
        is_queued = call.responder.issued[request_id].run is not None
    row = {"cloud_request_id": request_id, "session_id": session.session_id, "queued_command_offline": is_queued}
    return Answer([row], status=201)


def command_in(document: dict[str, Any]) -> tuple[str, str]:
    base, text = document.get("base_command"), document.get("command_string")
    if not isinstance(base, str) or not isinstance(text, str) or not base or not text:
        raise Refusal(400, "base_command and command_string are required")
    return base, text


def check(endpoint: Endpoint, base: str, text: str, *, acting: bool) -> None:
    """The cloud looks at the first command only; what stands behind a separator it does not see."""
    first = next(iter(split_commands(text)), [])
    words = base.split()
    if first[: len(words)] != words:
        raise Refusal(400, "command_string must begin with base_command", code=MALFORMED_COMMAND)
    if command_for(endpoint, first, acting=acting) is None:
        raise Refusal(400, f"Command not found: {base}", code=UNKNOWN_COMMAND)


def start(call: SessionCall, session: Session, endpoint: Endpoint, *, base: str, text: str) -> str:
    """Do the command now, or put it by for an endpoint that is offline; the id under which to ask."""
    issued = Issued(session.session_id, endpoint.agent_id, base, text, call.now, call.options.polls_until_complete)

    def run(present: Endpoint, now: float) -> None:
        if now - issued.at > call.options.queue_life:
            issued.stderr, issued.chunks = "The queued command expired.", [""]
            return
        result = carried_out(call, present, text)
        issued.chunks, issued.stderr = _chunks(result.stdout, call.options.stdout_chunk), result.stderr

    if endpoint.online:
        run(endpoint, call.now)
    else:
        issued.run = run
    request_id = str(uuid.uuid4())
    call.responder.issued[request_id] = issued
    return request_id


def carried_out(call: Call, endpoint: Endpoint, text: str) -> Result:
    """All that the string makes the sensor do; what slips behind a separator is done as well, and journaled."""
    total = Result()
    for words in split_commands(text):
        command = command_for(endpoint, words, acting=True)
        one = command(endpoint, words[1:], call.options) if command else Result(stderr=f"Command not found: {words[0]}")
        total.stdout += one.stdout
        total.stderr += one.stderr
        for verb, target, changed in one.effects or []:
            call.effect(verb, target, changed=changed, agent_id=endpoint.agent_id, command=text)
    return total


def _chunks(stdout: str, size: int) -> list[str]:
    return [stdout[start : start + size] for start in range(0, len(stdout), size)] or [""]


def output(call: SessionCall) -> Answer:
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
        return Answer([_row(call, issued, sequence)] if sequence < max(len(issued.chunks), 1) else [])


def _row(call: SessionCall, issued: Issued, sequence: int) -> dict[str, Any]:
    row = {"session_id": issued.session_id, "task_id": issued.task_id, "sequence_id": sequence, "base_command": issued.base}
    if not issued.chunks or issued.polls_left > 0:
        issued.polls_left -= 1
        return {**row, "complete": False, "stdout": "", "stderr": ""}
    is_last = sequence == len(issued.chunks) - 1
    complete = is_last or call.options.chunks_complete == "each"
    return {**row, "complete": complete, "stdout": issued.chunks[sequence], "stderr": issued.stderr if is_last else ""}
