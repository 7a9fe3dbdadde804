"""A pretend Slack: bot token, channels, threads and message metadata."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from urllib.parse import parse_qs

from ..journal import Journal
from ..server import Reply, Request, json_reply

VENDOR = "slack"


class SlackInbox:
    """`chat.postMessage` and `conversations.history`; everything else is an unknown method, as Slack says it."""

    vendor = VENDOR

    def __init__(self, journal: Journal, *, token: str, channels: list[str]) -> None:
        self._journal, self._token, self._channels = journal, token, set(channels)
        self._lock = threading.Lock()
        self._messages: list[dict[str, Any]] = []

    def tenant_of(self, request: Request) -> str:
        del request
        return ""

    def answer(self, request: Request) -> Reply:
        method = request.path.rstrip("/").rsplit("/", 1)[-1]
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refused("invalid_auth")
        known = {"chat.postMessage": self._post, "conversations.history": self._history}
        handler = known.get(method)
        if handler is None:
            return _refused("unknown_method")
        try:
            return handler(_arguments(request))
        except ValueError:
            return _refused("invalid_json")

    def _post(self, wish: dict[str, Any]) -> Reply:
        channel = str(wish.get("channel", ""))
        if channel not in self._channels:
            return _refused("channel_not_found")
        if not wish.get("text") and not wish.get("blocks"):
            return _refused("no_text")
        problem = _block_problem(wish.get("blocks") or [])
        if problem:
            return _refused(problem)
        with self._lock:
            ts = f"{time.time():.6f}"
            message: dict[str, Any] = {key: wish[key] for key in ("text", "blocks", "metadata", "thread_ts") if key in wish}
            message["ts"] = ts
            self._messages.append({"channel": channel, **message})
        self._journal.append("message", vendor=VENDOR, tenant="", channel=channel, id=ts, subject=str(wish.get("text", "")), body=message)
        return json_reply(200, {"ok": True, "channel": channel, "ts": ts, "message": message})

    def _history(self, wish: dict[str, Any]) -> Reply:
        channel, oldest = str(wish.get("channel", "")), float(wish.get("oldest") or 0)
        with self._lock:
            found = [dict(each) for each in reversed(self._messages) if each["channel"] == channel and float(each["ts"]) > oldest]
        if str(wish.get("include_all_metadata", "")).lower() not in {"true", "1"}:
            for each in found:
                each.pop("metadata", None)
        start, limit = int(wish.get("cursor") or 0), int(wish.get("limit") or 100)
        more = str(start + limit) if start + limit < len(found) else ""
        page = {"messages": found[start : start + limit], "has_more": bool(more), "response_metadata": {"next_cursor": more}}
        return json_reply(200, {"ok": True, **page})


def _arguments(request: Request) -> dict[str, Any]:
    """Slack takes JSON, a form, or a query."""
    if "json" in request.content_type:
        document = json.loads(request.body or b"{}")
        return document if isinstance(document, dict) else {}
    sent = dict(request.query)
    sent.update(parse_qs(request.body.decode("utf-8", "replace")))
    return {name: values[0] for name, values in sent.items()}


def _refused(error: str) -> Reply:
    """Slack's way: HTTP 200, and `ok` is false."""
    return json_reply(200, {"ok": False, "error": error})


def _block_problem(blocks: list[dict[str, Any]]) -> str | None:
    """Slack's limits: 50 blocks, header 150 characters, section text 3000, and some 13,200 in all."""
    if len(blocks) > 50:
        return "invalid_blocks"
    sizes = [(block.get("type"), len(str((block.get("text") or {}).get("text", "")))) for block in blocks]
    if any((kind == "header" and size > 150) or (kind == "section" and not 0 < size <= 3000) for kind, size in sizes):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(size for _, size in sizes) > 13_200 else None
