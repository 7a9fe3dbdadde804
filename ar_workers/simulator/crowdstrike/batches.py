"""Real Time Response on many hosts at once: the answers are maps by host, and come at once."""

from __future__ import annotations

import uuid
from typing import Any

from .envelope import Answer, Refusal, error
from .rtr import check, command_in, start
from .sessions import NO_COMMS, OFFLINE, Session, SessionCall, endpoint_of

Row = dict[str, Any]

MOST_HOSTS = 10_000


def init(call: SessionCall) -> Answer:
    """201 with `batch_id` and a map; a host that could not be reached has its reason among its own errors."""
    document = call.document()
    hosts = call.texts(document, "host_ids", most=MOST_HOSTS)
    batch_id = str(document.get("existing_batch_id") or uuid.uuid4())
    with call.responder.lock:
        members = dict(call.responder.batches.get(batch_id, {}))
        rows = {aid: _opened(call, aid, members, queue=bool(document.get("queue_offline"))) for aid in hosts}
        if not members:
            raise Refusal(404, "no hosts could be initialized")
        call.responder.batches[batch_id] = members
    return Answer(status=201, extra={"batch_id": batch_id, "resources": rows}, without_resources=True)


def _opened(call: SessionCall, aid: str, members: dict[str, str], *, queue: bool) -> Row:
    try:
        session, _ = call.responder.open(call, endpoint_of(call, aid), queue=queue)
    except Refusal as refusal:
        return _row(aid, errors=refusal.answer.errors)
    members[aid] = session.session_id
    return _row(aid, session)


def refresh(call: SessionCall) -> Answer:
    document = call.document()
    with call.responder.lock:
        members = _members(call, document)
        for aid in document.get("hosts_to_remove") or []:
            members.pop(aid, None)
        rows = {aid: _row(aid, call.responder.session(call, session_id)) for aid, session_id in members.items()}
    return Answer(status=201, extra={"batch_id": document["batch_id"], "resources": rows}, without_resources=True)


def read(call: SessionCall) -> Answer:
    return _command(call, acting=False)


def act(call: SessionCall) -> Answer:
    return _command(call, acting=True)


def _command(call: SessionCall, *, acting: bool) -> Answer:
    document = call.document()
    base, text = command_in(document)
    with call.responder.lock:
        members = _members(call, document)
        wanted = document.get("optional_hosts") or list(members)
        rows = {aid: _done(call, aid, members[aid], base, text, acting=acting) for aid in wanted if aid in members}
    return Answer(status=201, extra={"combined": {"resources": rows}}, without_resources=True)


def _done(call: SessionCall, aid: str, session_id: str, base: str, text: str, *, acting: bool) -> Row:
    try:
        session = call.responder.session(call, session_id)
        endpoint = endpoint_of(call, aid)
        check(endpoint, base, text, acting=acting)
    except Refusal as refusal:
        return _row(aid, base=base, errors=refusal.answer.errors)
    if not endpoint.online and not session.offline_queued:
        return _row(aid, session, base=base, errors=[error(OFFLINE, NO_COMMS)])
    issued = call.responder.issued[start(call, session, endpoint, base=base, text=text)]
    row = _row(aid, session, base=base)
    row.update(task_id=issued.task_id, complete=issued.run is None, stdout="".join(issued.chunks), stderr=issued.stderr)
    return row


def _members(call: SessionCall, document: Row) -> dict[str, str]:
    found = call.responder.batches.get(str(document.get("batch_id", "")))
    if found is None:
        raise Refusal(404, "batch not found")
    return found


def _row(aid: str, session: Session | None = None, *, base: str = "", errors: list[Row] | None = None) -> Row:
    return {
        "session_id": session.session_id if session else "",
        "task_id": "",
        "complete": not errors,
        "stdout": "",
        "stderr": "",
        "base_command": base,
        "aid": aid,
        "errors": errors or [],
        "query_time": 0.0,
        "offline_queued": session.offline_queued if session else False,
    }
