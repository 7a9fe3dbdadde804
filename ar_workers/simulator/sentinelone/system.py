"""What a console tells of itself and of whoever asks. The shapes are unverified: clients ask here whether they are let in."""

from __future__ import annotations

from ..clock import iso
from .call import Call, Refusal, Row

#: A token that nobody gave an end to, in seconds.
_LONG = 180 * 86400.0


def info(call: Call) -> Row:
    del call
    return {"data": {"version": "S-24.1.2", "build": "6", "release": "S", "patch": "2", "latestAgentVersion": "24.1.2.6"}}


def status(call: Call) -> Row:
    del call
    return {"data": {"health": "ok"}}


def user(call: Call) -> Row:
    return {"data": {"id": call.user, "fullName": call.user, "scope": "account", "apiToken": {"expiresAt": _expires(call)}}}


def token_details(call: Call) -> Row:
    data = call.document("data")["data"]
    if not isinstance(data, dict) or data.get("apiToken") != call.credential.client_secret:
        raise Refusal(4000010, "Validation Error", "apiToken: Not valid.")
    return {"data": {"createdAt": iso(call.now), "expiresAt": _expires(call)}}


def _expires(call: Call) -> str:
    return iso(call.tenant.facts.get("token_expires_at", call.now + _LONG))
