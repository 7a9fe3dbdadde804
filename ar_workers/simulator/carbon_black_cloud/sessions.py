"""Live Response: sessions that a sensor joins at its own time, and the commands it carries out in their order."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..clock import VirtualClock, iso
from ..endpoints import Endpoint
from ..server import Reply, json_reply
from .call import Call, Refusal, Row, bad_enum, empty, not_found
from .commands import COMMANDS, SAID, Result, supported


@dataclass
class Issued:
    """A command that was taken; `result` is None until the sensor has carried it out."""

    id: int
    name: str
    argument: Any
    at: float
    polls_left: int
    result: Result | None = None
    file_id: str = ""
    #: The failure in the words of the endpoint.
    said: str = ""
    is_cancelled: bool = False


@dataclass
class Session:
    id: str
    agent_id: str
    tenant: str
    created: float
    used: float
    joined: bool = False
    commands: list[Issued] = field(default_factory=list)


class Sessions:
    """The sessions of all tenants."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._sessions: dict[str, Session] = {}
        self._opened = 0

    def found(self, call: Call, session_id: str) -> Session:
        """The session if it lives, with everything done that its sensor has done by now."""
        session = self._sessions.get(session_id)
        if session is None or session.tenant != call.tenant.name or self._is_over(call, session):
            raise not_found("Session")
        advance(call, session)
        return session

    @staticmethod
    def _is_over(call: Call, session: Session) -> bool:
        if session.joined:
            return call.now - session.used > call.options.session_timeout
        grace = 60.0 if call.options.expired_session == "timeout" else 0.0
        return call.now - session.created > call.options.check_in_timeout + grace

    def open(self, call: Call, endpoint: Endpoint) -> Session:
        mine = [one for one in self._sessions.values() if (one.tenant, one.agent_id) == (call.tenant.name, endpoint.agent_id)]
        alive = [one for one in mine if not self._is_over(call, one)]
        if alive and call.options.second_session == "conflict":
            raise Refusal(409, "CONFLICT", "A session exists for this device")
        if alive and call.options.second_session == "same":
            return alive[-1]
        self._opened += 1
        session = Session(f"{self._opened}:{endpoint.agent_id}", endpoint.agent_id, call.tenant.name, call.now, call.now)
        self._sessions[session.id] = session
        return session

    def close(self, session: Session) -> None:
        self._sessions.pop(session.id, None)


def advance(call: Call, session: Session) -> None:
    """Let the sensor join, and carry out what waits, while its endpoint is online."""
    endpoint = call.endpoint(session.agent_id)
    if not endpoint.online or endpoint.decommissioned:
        return
    if not session.joined and session.created + call.options.session_delay <= call.now <= session.created + call.options.check_in_timeout:
        session.joined, session.used = True, call.now
    for issued in session.commands if session.joined else []:
        if issued.result is None and not issued.is_cancelled:
            _carry_out(call, endpoint, issued)


def _carry_out(call: Call, endpoint: Endpoint, issued: Issued) -> None:
    _, _, run = COMMANDS[issued.name]
    issued.result = run(endpoint, issued.argument, call.options)
    issued.said = SAID[issued.result.code].to(endpoint.language) if issued.result.code else ""
    issued.file_id = str(uuid.uuid4()) if issued.result.content is not None else ""
    for verb, target, changed in issued.result.effects:
        call.effect(verb, target, changed=changed, device=endpoint.agent_id)


@dataclass(frozen=True, kw_only=True)
class SessionCall(Call):
    sessions: Sessions


def create(call: SessionCall) -> Reply:
    document = call.document()
    device_id = document.get("device_id")
    if not isinstance(device_id, int):
        raise Refusal(400, "MISSING_PARAMETER", "device_id must be a number", field="device_id")
    endpoint = call.endpoint(str(device_id))
    if not endpoint.facts.get("live_response", True):
        raise Refusal(call.options.live_response_off, "LIVE_RESPONSE_DISABLED", "Live Response is not enabled for this device")
    with call.sessions.lock:
        return json_reply(200, _session_row(call, call.sessions.open(call, endpoint)))


def read(call: SessionCall) -> Reply:
    with call.sessions.lock:
        return json_reply(200, _session_row(call, call.sessions.found(call, call.parts[0])))


def keepalive(call: SessionCall) -> Reply:
    with call.sessions.lock:
        call.sessions.found(call, call.parts[0]).used = call.now
    return empty()


def close(call: SessionCall) -> Reply:
    with call.sessions.lock:
        call.sessions.close(call.sessions.found(call, call.parts[0]))
    return empty()


def _session_row(call: Call, session: Session) -> Row:
    endpoint = call.endpoint(session.agent_id)
    is_late = not session.joined and call.now - session.created > call.options.check_in_timeout
    row: Row = {
        "id": session.id,
        "device_id": int(session.agent_id),
        "status": "ACTIVE" if session.joined else "TIMEOUT" if is_late else "PENDING",
        "check_in_timeout": int(call.options.check_in_timeout),
        "session_timeout": int(call.options.session_timeout),
        "current_command_index": len(session.commands),
        "create_time": iso(session.created),
        "device_check_in_time": iso(session.used),
        "supported_commands": None,
        "drives": None,
        "current_working_directory": None,
    }
    if session.joined:
        is_windows = endpoint.platform == "Windows"
        row["supported_commands"] = supported(endpoint)
        row["drives"] = ["C:\\"] if is_windows else ["/"]
        row["current_working_directory"] = "C:\\Windows\\system32" if is_windows else "/"
    return row


def command(call: SessionCall) -> Reply:
    """Taken, not done. `object` is accepted for the argument's own name, as older clients write it."""
    document = call.document()
    with call.sessions.lock:
        session = call.sessions.found(call, call.parts[0])
        if not session.joined:
            raise Refusal(400, "INVALID_STATE", "Session is not active")
        name, argument = _command_in(call, session, document)
        session.used = call.now
        issued = Issued(len(session.commands) + 1, name, argument, call.now, call.options.polls_until_complete)
        session.commands.append(issued)
        advance(call, session)
        return json_reply(200, _command_row(call, issued, as_taken=True))


def _command_in(call: SessionCall, session: Session, document: Row) -> tuple[str, Any]:
    known = supported(call.endpoint(session.agent_id))
    name = document.get("name")
    if not isinstance(name, str) or name not in known:
        raise bad_enum("name", name, known)
    field_name, permission, _ = COMMANDS[name]
    if not call.credential.allows(permission):
        raise Refusal(403, "FORBIDDEN", f"{permission} is missing")
    argument = document.get(field_name, document.get("object")) if field_name else ""
    is_right = isinstance(argument, int) if field_name == "pid" else isinstance(argument, str) and bool(argument or not field_name)
    if not is_right:
        raise Refusal(400, "MISSING_PARAMETER", f"{field_name} is required", field=field_name)
    return name, argument


def command_status(call: SessionCall) -> Reply:
    with call.sessions.lock:
        session = call.sessions.found(call, call.parts[0])
        issued = _issued(session, call.parts[1])
        row = _command_row(call, issued)
        issued.polls_left -= issued.result is not None
        return json_reply(200, row)


def cancel(call: SessionCall) -> Reply:
    """Only while it is pending."""
    with call.sessions.lock:
        issued = _issued(call.sessions.found(call, call.parts[0]), call.parts[1])
        if issued.result is not None:
            raise Refusal(400, "INVALID_STATE", "Command is not pending")
        issued.is_cancelled = True
    return empty()


def content(call: SessionCall) -> Reply:
    with call.sessions.lock:
        session = call.sessions.found(call, call.parts[0])
        for one in session.commands:
            if one.file_id == call.parts[1] and one.result and one.result.content is not None:
                return Reply(200, one.result.content, {"Content-Type": "application/octet-stream"})
    raise not_found("File")


def _issued(session: Session, command_id: str) -> Issued:
    found = next((one for one in session.commands if str(one.id) == command_id), None)
    if found is None:
        raise not_found("Command")
    return found


def _command_row(call: Call, issued: Issued, *, as_taken: bool = False) -> Row:
    is_over = issued.result is not None and issued.polls_left <= 0 and not as_taken
    result = issued.result if issued.result and is_over else Result()
    status = "COMPLETE" if not result.code else "ERROR"
    if not is_over:
        status = "CANCELLED" if issued.is_cancelled else "PENDING" if issued.result is None or as_taken else "IN PROGRESS"
    row: Row = {
        "id": issued.id,
        "name": issued.name,
        "status": _cased(call, status),
        "input": {"name": issued.name, "object": issued.argument},
        "result_code": _coded(call, result.code),
        "result_desc": issued.said if is_over else "",
        "create_time": iso(issued.at),
        "finish_time": iso(call.now) if is_over else None,
        "values": [],
        "sub_keys": [],
        "files": [],
        **result.body,
    }
    if result.code:
        row["result_type"] = "WinHresult"
    if issued.file_id:
        row["file_details"] = {"file_id": issued.file_id, "offset": 0, "count": 0}
    return row


def _cased(call: Call, status: str) -> str:
    style = call.options.status_case
    is_lower = style == "lower" or (style == "mixed" and call.turn() % 3 == 0)
    return status.lower() if is_lower else status


def _coded(call: Call, code: int) -> int:
    if code < 2**31:
        return code
    style = call.options.result_codes
    is_signed = style == "signed" or (style == "mixed" and call.turn() % 3 == 0)
    return code - 2**32 if is_signed else code
