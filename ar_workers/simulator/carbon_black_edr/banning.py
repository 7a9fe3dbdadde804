"""The server-wide list of banned hashes: MD5 only, and a lifted ban stays on it as a disabled row."""

from __future__ import annotations

import re

from ..server import Reply, json_reply
from .call import Call, Refusal, Row
from .sensors import server_time

MD5 = re.compile(r"^[0-9a-f]{32}$")


def _row(call: Call, md5: str, text: str) -> Row:
    return {
        "md5hash": md5,
        "text": text,
        "enabled": True,
        "timestamp": server_time(call.now),
        "username": call.user,
        "user_id": 1,
        "block_count": 0,
        "last_block_time": None,
        "last_block_hostname": None,
        "last_block_sensor_id": None,
        "audit": [],
    }


def ban(call: Call) -> Reply:
    """A new row, or a disabled one enabled again; an enabled one is a conflict."""
    call.may("ban")
    document = call.document(required=("md5hash",))
    md5 = str(document["md5hash"]).lower()
    if not MD5.match(md5):
        raise Refusal(400, "md5hash is not an MD5")
    found = call.tenant.iocs.get(md5)
    if found and found["enabled"]:
        call.effect("ban_hash", md5, changed=False, refused=409)
        raise Refusal(409, f"Blacklist entry for {md5} already exists")
    call.tenant.iocs[md5] = _row(call, md5, str(document.get("text") or ""))
    call.effect("ban_hash", md5, changed=True)
    return json_reply(200, {"result": "success"})


def _known(call: Call) -> Row:
    found = call.tenant.iocs.get(call.parts[0].lower())
    if found is None:
        raise Refusal(call.options.unknown_ban, f"Blacklist entry for {call.parts[0]} does not exist")
    return found


def one(call: Call) -> Reply:
    return json_reply(200, _known(call))


def listed(call: Call) -> Reply:
    return json_reply(200, list(call.tenant.iocs.values())[: int(call.request.first("count", "100"))])


def change(call: Call) -> Reply:
    """PUT: the note only."""
    call.may("ban")
    found = _known(call)
    found["text"] = str(call.document().get("text") or "")
    return json_reply(200, {"result": "success"})


def lift(call: Call) -> Reply:
    """The row stays, disabled and without its note."""
    call.may("ban")
    found = call.tenant.iocs.get(call.parts[0].lower())
    if found is None or not found["enabled"]:
        raise Refusal(409, f"Blacklist entry for {call.parts[0]} does not exist")
    found["enabled"], found["text"] = False, ""
    call.effect("unban_hash", call.parts[0].lower(), changed=True)
    return json_reply(200, {"result": "success"})
