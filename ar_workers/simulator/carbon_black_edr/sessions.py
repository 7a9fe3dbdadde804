"""Live Response sessions: asked for, joined by the sensor when it checks in, shared by users, ended by idleness."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

from ..endpoints import Endpoint
from ..server import Reply, json_reply
from .call import Call, Refusal, Row
from .commands import BARE, COMMANDS, ERRNO, ORDERS, SAID, Result, supported

OVER = frozenset({"complete", "error", "canceled"})
LIVE = frozenset({"pending", "active"})


@dataclass
class Issued:
    """A command that was taken, and is carried out at `due` if the sensor is in the session then."""

    id: int
    name: str
    target: Any
    call: Call
    due: float
    status: str = "pending"
    result: Result = field(default_factory=Result)


@dataclass
class Session:
    id: int
    endpoint: Endpoint
    created: float
    used: float
    status: str = "pending"
    commands: list[Issued] = field(default_factory=list)


class Sessions:
    """The sessions of one tenant, which all its users see."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.all: dict[int, Session] = {}
        self._numbers = itertools.count(1)

    def settle(self, call: Call) -> None:
        """Let happen what was due until now."""
        for session in self.all.values():
            session.endpoint.settle(call.now)
            _advance(session, call)

    def open(self, call: Call, endpoint: Endpoint) -> Session:
        found = Session(next(self._numbers), endpoint, call.now, call.now)
        self.all[found.id] = found
        return found

    def found(self, session_id: int) -> Session:
        """A session that is live, or was closed; one that has timed out is not found any more."""
        session = self.all.get(session_id)
        if session is None or session.status == "timeout":
            raise Refusal(404, f"Session {session_id} not found")
        return session


def _advance(session: Session, call: Call) -> None:
    options = call.options
    if session.status == "pending":
        joins = session.created + options.session_delay
        if session.endpoint.online and options.session_delay <= options.sensor_wait_timeout and call.now >= joins:
            session.status, session.used = "active", call.now
        elif call.now > session.created + options.sensor_wait_timeout:
            session.status = "timeout"
    if session.status == "active":
        _carry_out(session, call)
        if call.now > session.used + options.session_timeout:
            _end(session, "timeout")


def _carry_out(session: Session, call: Call) -> None:
    for each in session.commands:
        if each.status in OVER or call.now < each.due or not session.endpoint.online:
            continue
        each.result = COMMANDS[each.name](session.endpoint, each.target, call.options)
        each.status = "error" if each.result.code else "complete"
        session.used = max(session.used, each.due)
        if each.result.effect:
            verb, target, changed = each.result.effect
            each.call.effect(verb, target, changed=changed, sensor=session.endpoint.agent_id)


def _end(session: Session, status: str) -> None:
    session.status = status
    for each in session.commands:
        if each.status not in OVER:
            each.status = "canceled"


def _session_row(session: Session, call: Call) -> Row:
    """What the sensor tells of itself is known once it has joined."""
    row: Row = {
        "id": session.id,
        "sensor_id": int(session.endpoint.agent_id),
        "status": session.status,
        "create_time": session.created,
        "sensor_wait_timeout": call.options.sensor_wait_timeout,
        "check_in_timeout": 1200,
        "session_timeout": call.options.session_timeout,
        "storage_ttl": 7.0,
        "storage_size": "0",
        "hostname": session.endpoint.hostname,
        "address": session.endpoint.external_ip,
        "supported_commands": [],
        "drives": [],
    }
    if session.status == "active":
        row |= {
            "supported_commands": supported(session.endpoint),
            "drives": ["C:\\"],
            "current_working_directory": "C:\\Windows\\CarbonBlack",
        }
    return row


def _command_row(session: Session, each: Issued, call: Call) -> Row:
    row: Row = {
        "id": each.id,
        "session_id": session.id,
        "sensor_id": int(session.endpoint.agent_id),
        "status": each.status,
        "username": each.call.user,
        "create_time": each.call.now,
        "name": each.name,
        "object": each.target,
    }
    if each.name == "get file":
        row["file_id"] = each.id
    if each.status in OVER:
        row |= {"completion": each.due, "result_desc": _said(session, each), **_code(session, each, call), **each.result.body}
    return row


def _said(session: Session, each: Issued) -> str:
    code = each.result.code
    return SAID[code].to(session.endpoint.language) if code else ""


def _code(session: Session, each: Issued, call: Call) -> Row:
    code = each.result.code
    if session.endpoint.platform != "Windows" and call.options.posix_errors == "errno":
        return {"result_code": ERRNO.get(code, 0), "result_type": "Errno"}
    signed = call.options.result_codes == "signed" and code >= 2**31
    return {"result_code": code - 2**32 if signed else code, "result_type": "WinHresult"}


@dataclass(frozen=True, kw_only=True)
class SessionCall(Call):
    sessions: Sessions


def listed(call: SessionCall) -> Reply:
    """Never 204: the vendor's own client cannot read that here."""
    rows = [_session_row(each, call) for each in call.sessions.all.values()]
    if call.request.first("active_only").lower() == "true":
        rows = [row for row in rows if row["status"] in LIVE]
    return json_reply(200, rows)


def ask(call: SessionCall) -> Reply:
    document = call.document(required=("sensor_id",))
    endpoint = call.sensor(document["sensor_id"])
    if endpoint.decommissioned:
        raise Refusal(404, f"Sensor {endpoint.agent_id} not found")
    return json_reply(200, _session_row(call.sessions.open(call, endpoint), call))


def one(call: SessionCall) -> Reply:
    return json_reply(200, _session_row(call.sessions.found(call.number(0)), call))


def keep_alive(call: SessionCall) -> Reply:
    session = call.sessions.found(call.number(0))
    session.used = call.now
    return json_reply(200, _session_row(session, call))


def close(call: SessionCall) -> Reply:
    """PUT: nothing but the status can be changed, and only to `close`."""
    session = call.sessions.found(call.number(0))
    if call.document(required=("status",))["status"] != "close":
        raise Refusal(400, "status must be close")
    _end(session, "close")
    return json_reply(200, _session_row(session, call))


def order(call: SessionCall) -> Reply:
    """Taken, and not done. The answer is written before the sensor has seen anything of it."""
    session = call.sessions.found(call.number(0))
    document = call.document(required=("session_id", "name"))
    name = document["name"]
    if session.status != "active":
        raise Refusal(call.options.inactive_session, f"Session {session.id} is not active")
    if document["session_id"] != session.id:
        raise Refusal(400, "session_id differs from the session of the path")
    if name not in supported(session.endpoint):
        raise Refusal(400, f"Command {name} is not supported")
    if ("object" in document) == (name in BARE):
        raise Refusal(400, f"Command {name}: object")
    due = call.now + (call.options.order_delay if name in ORDERS else 0.0)
    issued = Issued(len(session.commands) + 1, name, document.get("object"), call, due)
    session.commands.append(issued)
    session.used = call.now
    reply = json_reply(200, _command_row(session, issued, call))
    _carry_out(session, call)
    return reply


def orders(call: SessionCall) -> Reply:
    session = call.sessions.found(call.number(0))
    return json_reply(200, [_command_row(session, each, call) for each in session.commands])


def outcome(call: SessionCall) -> Reply:
    session = call.sessions.found(call.number(0))
    return json_reply(200, _command_row(session, _issued(session, call.number(1)), call))


def content(call: SessionCall) -> Reply:
    """A file that the sensor has sent."""
    found = _issued(call.sessions.found(call.number(0)), call.number(1)).result.content
    if found is None:
        raise Refusal(404, "File not found")
    return Reply(200, found, {"Content-Type": "application/octet-stream"})


def _issued(session: Session, command_id: int) -> Issued:
    found = next((each for each in session.commands if each.id == command_id), None)
    if found is None:
        raise Refusal(404, f"Command {command_id} not found")
    return found
