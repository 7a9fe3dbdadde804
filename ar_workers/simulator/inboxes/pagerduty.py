"""A pretend PagerDuty: the Events API v2, with alerts that open, are updated, and close."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from ..inbox import over_https
from ..journal import Journal, redact
from ..server import Reply, Request, Untenanted, json_reply

VENDOR = "pagerduty"
SEVERITIES = frozenset({"critical", "error", "warning", "info"})


class PagerDutyInbox(Untenanted):
    """`POST /v2/enqueue`. A repeated trigger of an open key updates its alert."""

    vendor = VENDOR

    def __init__(self, journal: Journal, *, routing_key: str) -> None:
        self._journal, self._routing_key = journal, routing_key
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/v2/enqueue"):
            return json_reply(404, {"status": "not found"})
        try:
            event = json.loads(request.body)
        except ValueError:
            event = None
        problems = _problems(event) if isinstance(event, dict) else ["body is not a JSON object"]
        if isinstance(event, dict) and event.get("routing_key") != self._routing_key:
            problems.append("routing_key is invalid")
        if problems or not isinstance(event, dict):
            return json_reply(400, {"status": "invalid event", "message": "Event object is invalid", "errors": problems})
        return self._taken(event)

    def _taken(self, event: dict[str, Any]) -> Reply:
        key = str(event.get("dedup_key") or uuid.uuid4().hex)
        with self._lock:
            is_new = key not in self._open
            if event["event_action"] == "trigger":
                self._open.add(key)
            elif event["event_action"] == "resolve":
                self._open.discard(key)
        summary = str((event.get("payload") or {}).get("summary", ""))
        self._journal.append(
            "message", vendor=VENDOR, tenant="", channel="alerts", id=key, subject=summary, opened=is_new, body=redact(event)
        )
        return json_reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})


def _problems(event: dict[str, Any]) -> list[str]:
    found = []
    action = event.get("event_action")
    if action not in {"trigger", "acknowledge", "resolve"}:
        found.append("event_action is invalid")
    if len(str(event.get("dedup_key") or "")) > 255:
        found.append("dedup_key is too long")
    if action != "trigger":
        return found + ([] if event.get("dedup_key") else ["dedup_key is required"])
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return [*found, "payload is required"]
    found += [f"payload.{name} is missing or blank" for name in ("summary", "source", "severity") if not payload.get(name)]
    if len(str(payload.get("summary") or "")) > 1024:
        found.append("payload.summary is too long")
    if payload.get("severity") not in SEVERITIES:
        found.append("payload.severity is invalid")
    return found


INBOX = over_https(VENDOR, PagerDutyInbox, routing_key="simulated-routing-key-0123456789")
