"""A pretend customer's endpoint: Standard Webhooks 1.0, strictly, and one that knows what it has had."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from typing import Any

from ..inbox import over_https
from ..journal import Journal, redact
from ..server import Reply, Request, Untenanted, json_reply

VENDOR = "webhook"
#: How far a timestamp may be from now: what the standard's own libraries allow.
TOLERANCE = 300
LARGEST = 20_000


class WebhookInbox(Untenanted):
    """`POST` on any path. A repeated `webhook-id` is taken with a 2xx, and marked as a duplicate in the journal."""

    vendor = VENDOR

    def __init__(self, journal: Journal, *, secrets: list[str]) -> None:
        self._journal = journal
        self._keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            return json_reply(405, {"error": "only POST"})
        problem = self._problem(request)
        if problem:
            return json_reply(401, {"error": problem})
        try:
            envelope = json.loads(request.body)
        except ValueError:
            envelope = None
        if not isinstance(envelope, dict) or _shape_problem(request, envelope):
            return json_reply(400, {"error": "not an envelope of type, timestamp and data, below 20 KB, in JSON"})
        return self._taken(request.headers["webhook-id"], envelope)

    def _problem(self, request: Request) -> str | None:
        name, stamp, given = (request.headers.get(f"webhook-{each}", "") for each in ("id", "timestamp", "signature"))
        if not name or "." in name:
            return "webhook-id is missing or has a full stop"
        if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE:
            return "webhook-timestamp is not of now"
        content = f"{name}.{stamp}.".encode() + request.body
        wanted = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in self._keys]
        versions = [each.partition(",") for each in given.split(" ")]
        known = any(version == "v1" and hmac.compare_digest(code, each) for version, _, code in versions for each in wanted)
        return None if known else "webhook-signature is wrong"

    def _taken(self, name: str, envelope: dict[str, Any]) -> Reply:
        with self._lock:
            is_duplicate = name in self._seen
            self._seen.add(name)
        subject = str(envelope["data"].get("headline", ""))
        self._journal.append(
            "message",
            vendor=VENDOR,
            tenant="",
            channel=envelope["type"],
            id=name,
            subject=subject,
            duplicate=is_duplicate,
            body=redact(envelope),
        )
        return Reply(204)


def _shape_problem(request: Request, envelope: dict[str, Any]) -> bool:
    is_shaped = (
        isinstance(envelope.get("type"), str) and isinstance(envelope.get("timestamp"), str) and isinstance(envelope.get("data"), dict)
    )
    return not is_shaped or "json" not in request.content_type or len(request.body) >= LARGEST


INBOX = over_https(VENDOR, WebhookInbox, path="/", secrets=["whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtd2ViaG9vaw=="])
