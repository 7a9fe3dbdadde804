"""Sessions of Real Time Response: shared by one client's workers, and dead after ten idle minutes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..clock import VirtualClock, iso
from ..endpoints import Endpoint
from .call import Call
from .envelope import Answer, Refusal, error

Row = dict[str, Any]

OFFLINE, NO_SESSION = 40401, 40002
NO_COMMS = "Could not establish sensor comms"


@dataclass
class Session:
    session_id: str
    client_id: str
    agent_id: str
    used: float
    offline_queued: bool = False

    def is_live(self, call: Call) -> bool:
        """A queued session waits for its host for days; any other dies of idleness."""
        life = call.options.queue_life if self.offline_queued else call.options.session_life
        return call.now - self.used <= life


@dataclass
class Issued:
    """A command that was taken. `run` is what a queued one still has to do when its host returns."""

    session_id: str
    agent_id: str
    base: str
    text: str
    at: float
    polls_left: int
    chunks: list[str] = field(default_factory=list)
    stderr: str = ""
    run: Callable[[Endpoint, float], None] | None = None
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Responder:
    """The sessions and commands of all tenants."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lock = threading.RLock()
        self.sessions: dict[str, Session] = {}
        self.issued: dict[str, Issued] = {}
        #: batch id -> agent id -> session id
        self.batches: dict[str, dict[str, str]] = {}
        self._clock = clock

    def session(self, call: Call, session_id: str) -> Session:
        """The live session of this client; raises 40002 as the vendor does."""
        found = self.sessions.get(session_id)
        if found is None or found.client_id != call.user or not found.is_live(call):
            self.sessions.pop(session_id, None)
            raise Refusal(404, "Session not found", code=NO_SESSION)
        found.used = call.now
        return found

    def open(self, call: Call, endpoint: Endpoint, *, queue: bool) -> tuple[Session, bool]:
        """The client's session with this endpoint, and whether it had one already."""
        if not endpoint.online and not queue:
            raise Refusal(404, NO_COMMS, code=OFFLINE)
        owner = (call.user, endpoint.agent_id)
        mine = [one for one in self.sessions.values() if (one.client_id, one.agent_id) == owner and one.is_live(call)]
        found = mine[0] if mine else Session(str(uuid.uuid4()), *owner, call.now)
        found.used = call.now
        found.offline_queued = not endpoint.online
        self.sessions[found.session_id] = found
        return found, bool(mine)

    def deliver(self, endpoint: Endpoint) -> None:
        """A host is back: what was queued for it is done now, in order."""
        with self.lock:
            waiting = [one for one in self.issued.values() if one.run and one.agent_id == endpoint.agent_id]
            for one in waiting:
                if one.run:
                    one.run(endpoint, self._clock.now())
                one.run = None


def endpoint_of(call: Call, agent_id: str) -> Endpoint:
    endpoint = call.tenant.endpoint(agent_id, call.now)
    if endpoint is None:
        raise Refusal(404, f"No device found with id {agent_id}")
    return endpoint


@dataclass(frozen=True, kw_only=True)
class SessionCall(Call):
    responder: Responder


def open_session(call: SessionCall) -> Answer:
    """201. The same client asking for the same host is given the session it has."""
    document = call.document()
    endpoint = endpoint_of(call, str(document.get("device_id", "")))
    with call.responder.lock:
        found, existed = call.responder.open(call, endpoint, queue=bool(document.get("queue_offline")))
    row = {
        "session_id": found.session_id,
        "scripts": [],
        "existing_aid_sessions": int(existed),
        "offline_queued": found.offline_queued,
        "pwd": "C:\\" if endpoint.platform == "Windows" else "/",
    }
    return Answer([row], status=201)


def refresh_session(call: SessionCall) -> Answer:
    answer = open_session(call)
    answer.resources[0].pop("scripts")
    return answer


def close_session(call: SessionCall) -> Answer:
    with call.responder.lock:
        found = call.responder.session(call, call.request.first("session_id"))
        del call.responder.sessions[found.session_id]
    return Answer(status=204)


def queued(call: SessionCall) -> Answer:
    """What still waits for an offline host, by session."""
    answer = Answer()
    with call.responder.lock:
        for session_id in call.texts(call.document(), "ids", most=500):
            session = call.responder.sessions.get(session_id)
            if session is None or session.client_id != call.user:
                answer.errors.append(error(NO_SESSION, "Session not found", id=session_id))
            else:
                answer.resources.append(_queued_row(call, session))
    return answer


def _queued_row(call: SessionCall, session: Session) -> Row:
    commands = [
        {"cloud_request_id": one_id, "base_command": one.base, "command_string": one.text, "created_at": iso(one.at), "status": "PENDING"}
        for one_id, one in call.responder.issued.items()
        if one.session_id == session.session_id and one.run
    ]
    return {"id": session.session_id, "aid": session.agent_id, "offline_queued": session.offline_queued, "Commands": commands}


def unqueue(call: SessionCall) -> Answer:
    """204, and the command will not be done."""
    with call.responder.lock:
        session = call.responder.session(call, call.request.first("session_id"))
        found = call.responder.issued.get(call.request.first("cloud_request_id"))
        if found is None or found.session_id != session.session_id or found.run is None:
            raise Refusal(404, "queued command not found")
        found.run = None
    return Answer(status=204)
