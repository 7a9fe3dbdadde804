"""A pretend Slack: bot token, channels, threads and message metadata, and an incoming webhook."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from ..inbox import Inbox, Place
from ..journal import Journal
from ..server import Reply, Request, Untenanted, json_reply

VENDOR = "slack"
#: What a method needs one of (https://docs.slack.dev/reference/methods); what is not named needs none.
_NEEDED = {
    "chat.postMessage": frozenset({"chat:write"}),
    "conversations.info": frozenset({"channels:read"}),
    "conversations.history": frozenset({"channels:history"}),
    "conversations.replies": frozenset({"channels:history"}),
}
SCOPES = ("chat:write", "channels:read", "channels:history")


class SlackInbox(Untenanted):
    """`chat.postMessage`, `conversations.info`, `.history` and `.replies`; everything else is an unknown method, as Slack says it.

    `channels` are those that the bot is in, `others` public ones that it is not in, `archived` some of either; `scopes` is what the
    token may. `POST /services/HOOK` is the incoming webhook of the first channel.
    """

    vendor = VENDOR

    def __init__(
        self,
        journal: Journal,
        *,
        token: str,
        channels: list[str],
        hook: str = "",
        others: Sequence[str] = (),
        archived: Sequence[str] = (),
        scopes: Sequence[str] = SCOPES,
    ) -> None:
        self._journal, self._token, self._channels, self._hook = journal, token, channels, hook
        self.others, self.archived, self.scopes = set(others), set(archived), set(scopes)
        self._lock = threading.Lock()
        self._messages: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Reply:
        if request.path.startswith("/services/"):
            return self._hooked(request)
        method = request.path.rstrip("/").rsplit("/", 1)[-1]
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refused("invalid_auth")
        known = {
            "auth.test": self._who,
            "conversations.info": self._info,
            "chat.postMessage": self._post,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }
        handler = known.get(method)
        if handler is None:
            return _refused("unknown_method")
        if not _NEEDED.get(method, frozenset(self.scopes)) & self.scopes:
            return _refused("missing_scope")
        try:
            reply = handler(_arguments(request))
        except ValueError:
            return _refused("invalid_json")
        return Reply(reply.status, reply.body, {**reply.headers, "X-OAuth-Scopes": ",".join(sorted(self.scopes))})

    def _who(self, given: dict[str, Any]) -> Reply:
        del given
        return json_reply(200, {"ok": True, "team": "Simulated", "user": "ar_workers", "bot_id": "B0"})

    def _info(self, given: dict[str, Any]) -> Reply:
        channel = str(given.get("channel", ""))
        if channel not in self.others.union(self._channels):
            return _refused("channel_not_found")
        found = {"id": channel, "is_member": channel in self._channels, "is_archived": channel in self.archived, "is_private": False}
        return json_reply(200, {"ok": True, "channel": found})

    def _barred(self, channel: str, *, is_writing: bool) -> str:
        if channel not in self.others.union(self._channels):
            return "channel_not_found"
        if is_writing and channel in self.archived:
            return "is_archived"
        return "not_in_channel" if channel in self.others and not (is_writing and "chat:write.public" in self.scopes) else ""

    def _post(self, given: dict[str, Any]) -> Reply:
        channel = str(given.get("channel", ""))
        barred = self._barred(channel, is_writing=True)
        if barred:
            return _refused(barred)
        if not given.get("text") and not given.get("blocks"):
            return _refused("no_text")
        problem = _block_problem(given.get("blocks") or [])
        if problem:
            return _refused(problem)
        ts, message = self._kept(channel, given)
        return json_reply(200, {"ok": True, "channel": channel, "ts": ts, "message": message})

    def _kept(self, channel: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        with self._lock:
            ts = f"{time.time():.6f}"
            message: dict[str, Any] = {key: given[key] for key in ("text", "blocks", "metadata", "thread_ts") if given.get(key)}
            message["ts"] = ts
            self._messages.append({"channel": channel, **message})
        self._journal.append("message", vendor=VENDOR, tenant="", channel=channel, id=ts, subject=str(given.get("text", "")), body=message)
        return ts, message

    def _hooked(self, request: Request) -> Reply:
        """An incoming webhook answers in plain words, and never with a timestamp."""
        if request.path != f"/services/{self._hook}" or not self._hook:
            return Reply(404, b"no_service")
        try:
            given = json.loads(request.body)
        except ValueError:
            return Reply(400, b"invalid_payload")
        if not isinstance(given, dict) or not given.get("text") or _block_problem(given.get("blocks") or []):
            return Reply(400, b"invalid_blocks")
        self._kept(self._channels[0], given)
        return Reply(200, b"ok")

    def _history(self, given: dict[str, Any]) -> Reply:
        """The channel without what was said in its threads."""
        return self._page(given, lambda each: "thread_ts" not in each)

    def _replies(self, given: dict[str, Any]) -> Reply:
        """A thread: its root, and what was said to it."""
        root = str(given.get("ts", ""))
        return self._page(given, lambda each: root in {each["ts"], each.get("thread_ts")})

    def _page(self, given: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> Reply:
        channel, oldest = str(given.get("channel", "")), float(given.get("oldest") or 0)
        barred = self._barred(channel, is_writing=False)
        if barred:
            return _refused(barred)
        with self._lock:
            here = [dict(each) for each in reversed(self._messages) if each["channel"] == channel and float(each["ts"]) > oldest]
        found = [each for each in here if wanted(each)]
        if str(given.get("include_all_metadata", "")).lower() not in {"true", "1"}:
            for each in found:
                each.pop("metadata", None)
        start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
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


def _servers(place: Place, **settings: Any) -> dict[str, Any]:
    """Its API, and its incoming webhook, whose address must be https."""
    slack = SlackInbox(place.journal, **settings)
    return {"slack": place.over_http("slack", slack, tls=False), "slack_hook": place.over_http("slack_hook", slack, tls=True)}


def _addresses(servers: dict[str, Any]) -> dict[str, str]:
    return {"slack": f"{servers['slack'].url}/api/", "slack_hook": f"{servers['slack_hook'].url}/services/"}


INBOX = Inbox(_servers, _addresses, {"token": "xoxb-simulated", "channels": ["C-TRE"], "hook": "T0/B0/simulated"})
