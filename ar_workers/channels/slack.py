"""Slack by bot token: one `chat.postMessage` per delivery, found again by its metadata."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from pydantic import BaseModel, ConfigDict, SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from ..domain.results import Answer, Result
from ..http import delay_of
from .base import LONGEST_CODE, READ, clipped, essentials, one_line

if TYPE_CHECKING:
    from ..domain.notifications import Delivery, Notification

#: Slack's limits: header 150, section text 3000, 10 fields of 2000, and some 13,200 characters in all.
HEADER, FACT, BODY, TEXT = 150, 240, 2500, 2900
#: For all facts together, escaped: with the essentials, the header and the body it stays below the total.
ROOM = 6000
#: Answers that say "not now"; all other `ok: false` are for good.
PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
#: Of these the message may have been posted nevertheless.
IN_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout"})
#: How far back a message in doubt is looked for.
LOOK_BACK = timedelta(hours=26)
_MOST_PAGES = 5

logging.getLogger("slack_sdk").setLevel(logging.INFO)  # at DEBUG it writes every message into the log


class Config(BaseModel):
    """The TREs' workspace. `channel` is where a receiver named `tre` is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr
    channel: str
    base_url: str = "https://slack.com/api/"
    timeout: float = READ


class Slack:
    """`ports.Channel`. Slack recognises no repetition, so an unknown outcome is looked up in the channel's history."""

    dedupes = False
    marks_copies = False

    def __init__(self, config: Config) -> None:
        self._config = config

    def render(self, notification: Notification) -> dict[str, Any]:
        """The message without its address: `text` for notifications and screen readers, blocks for the eye."""
        # The URL's form is checked where threats are read: it cannot close the angle brackets.
        lines = [f"*{label}:* " + (f"<{value}>" if label == "Threat" else escaped(value)) for label, value in essentials(notification)]
        lines += _within(
            ROOM, [f"*{escaped(one_line(label, 40))}:* {escaped(one_line(value, FACT))}" for label, value in notification.facts]
        )
        headline = one_line(f"{notification.headline} · {notification.customer}", HEADER)
        blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": headline}}]
        blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": chunk}} for chunk in _chunks(lines)]
        if notification.body:
            blocks.append({"type": "section", "text": {"type": "plain_text", "text": clipped(notification.body, BODY)}})
        return {"text": escaped(headline), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

    def send(self, delivery: Delivery, delivery_id: str) -> Result:
        """Post once."""
        metadata = {"event_type": "ar_delivery", "event_payload": {"delivery_id": delivery_id}}
        try:
            reply = self._client().chat_postMessage(
                channel=self._channel(delivery), metadata=metadata, **self.render(delivery.notification)
            )
        except SlackApiError as error:
            return _refused(error)
        except (SlackClientError, OSError, ValueError) as error:
            return _unanswered(error)
        return Result(answer=Answer.ACCEPTED, reference=f"{reply.get('channel', '')}/{reply.get('ts', '')}")

    def reconcile(self, delivery: Delivery, delivery_id: str) -> Result | None:
        """Look through the channel's history for the delivery's id. Needs the history scope; without it nobody can tell."""
        oldest = str(time.time() - LOOK_BACK.total_seconds())
        cursor = None
        try:
            for _ in range(_MOST_PAGES):
                page = self._client().conversations_history(
                    channel=self._channel(delivery), include_all_metadata=True, oldest=oldest, limit=200, cursor=cursor
                )
                found = next((each for each in page.get("messages") or [] if _delivery_of(each) == delivery_id), None)
                if found:
                    return Result(answer=Answer.ACCEPTED, reference=f"{self._channel(delivery)}/{found.get('ts', '')}")
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    return Result(answer=Answer.RETRY, code="not in the channel's history")
        except (SlackApiError, SlackClientError, OSError, ValueError):
            return None
        return None

    def _channel(self, delivery: Delivery) -> str:
        address = delivery.receiver.address
        return self._config.channel if address == "tre" else address

    def _client(self) -> WebClient:
        """A client without retries: the library's own post a message twice when the answer is lost."""
        token = self._config.token.get_secret_value()
        return WebClient(token, base_url=self._config.base_url, timeout=int(self._config.timeout), retry_handlers=[])


def escaped(text: str) -> str:
    """Slack's three entities, and a word joiner behind what would be formatting."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{char}\u2060" if char in "*_~`" else char for char in plain)


def _within(room: int, lines: list[str]) -> list[str]:
    """As many lines as there is room for, and how many more there are."""
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return [*lines[:number], f"… ({len(lines) - number} more, see the threat)"]
    return lines


def _chunks(lines: list[str]) -> list[str]:
    """Lines joined into texts that each fit a section."""
    chunks: list[str] = []
    for line in lines:
        if chunks and len(chunks[-1]) + len(line) < TEXT:
            chunks[-1] += "\n" + line
        else:
            chunks.append(line[:TEXT])
    return chunks


def _delivery_of(message: dict[str, Any]) -> str:
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("delivery_id", ""))


def _refused(error: SlackApiError) -> Result:
    response = error.response
    status, headers = getattr(response, "status_code", 0), getattr(response, "headers", {}) or {}
    code = str(response.get("error", "") if hasattr(response, "get") else "")[:LONGEST_CODE] or f"http {status}"
    wait = delay_of(next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), None))
    if status == 429 or code in {"ratelimited", "rate_limited"}:  # noqa: PLR2004
        return Result(answer=Answer.RETRY, code="ratelimited", retry_after=wait)
    if code in IN_DOUBT or (status >= 500 and not (status == 503 and wait)):  # noqa: PLR2004
        return Result(answer=Answer.UNKNOWN, code=code, retry_after=wait)
    if code in PASSING or status >= 500:  # noqa: PLR2004
        return Result(answer=Answer.RETRY, code=code, retry_after=wait)
    return Result(answer=Answer.PERMANENT, code=code)


def _unanswered(error: Exception) -> Result:
    """A connection that was refused was never made; of any other failure nobody knows."""
    reason = error.reason if isinstance(error, URLError) else error
    never_made = isinstance(reason, ConnectionRefusedError) or type(reason).__name__ in {"gaierror", "SSLCertVerificationError"}
    return Result(answer=Answer.RETRY if never_made else Answer.UNKNOWN, code=type(reason).__name__)
