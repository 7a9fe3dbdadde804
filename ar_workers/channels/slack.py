"""Slack by bot token: one `chat.postMessage` per delivery, found again by its metadata. An incoming webhook is the lesser form."""

from __future__ import annotations

import logging
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.error import URLError

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from ..domain.results import Answer, Result
from ..http import delay_of
from .base import LONGEST_CODE, READ, clipped, essentials, one_line
from .egress import Egress
from .outcomes import encoded, outcome, status_of
from .targets import Url, parsed

if TYPE_CHECKING:
    from ..domain.notifications import Delivery, Notification
    from .egress import Reply

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
#: Where incoming webhooks live; loopback besides, which the egress then refuses unless the operator has opened it.
_HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com", "127.0.0.1", "localhost"})
_WORD = re.compile(r"[a-z_]{1,60}")
_TS = re.compile(r"[0-9]+\.[0-9]+")

logging.getLogger("slack_sdk").setLevel(logging.INFO)  # at DEBUG it writes every message into the log


def _is_slacks(url: SecretStr) -> SecretStr:
    if parsed(url.get_secret_value()).host not in _HOOKS:
        raise ValueError("must begin with https://hooks.slack.com/ or https://hooks.slack-gov.com/")
    return url


class Config(BaseModel):
    """A workspace: by `token`, with the `channel` where a receiver named `tre` is told; or by the URL of one incoming webhook.

    Prefer the token: a webhook gives no reference, so it has no threads, and nobody can look for what is in doubt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr | None = None
    channel: str = ""
    webhook_url: Annotated[Url, AfterValidator(_is_slacks)] | None = None
    base_url: str = "https://slack.com/api/"
    timeout: float = READ

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.webhook_url) == bool(self.token) or (self.webhook_url and self.channel):
            raise ValueError("needs a token (and a channel), or a webhook_url alone")
        return self


class Slack:
    """`ports.Channel`. Slack recognises no repetition, so an unknown outcome is looked up in the channel's history.

    By webhook it cannot be; there each message names its delivery instead, so that a copy is seen to be one.
    """

    dedupes = False

    def __init__(self, config: Config, egress: Egress | None = None) -> None:
        self._config = config
        self._egress = egress or Egress() if config.webhook_url else None

    @property
    def marks_copies(self) -> bool:
        """Only by webhook: with a token the history tells."""
        return self._egress is not None

    def render(self, notification: Notification) -> dict[str, Any]:
        """The message without its address: `text` for notifications and screen readers, blocks for the eye."""
        lines = [f"*{label}:* {_link(value) if label == 'Threat' else escaped(value)}" for label, value in essentials(notification)]
        lines += _within(
            ROOM, [f"*{escaped(one_line(label, 40))}:* {escaped(one_line(value, FACT))}" for label, value in notification.facts]
        )
        headline = one_line(f"{notification.headline} · {notification.customer}", HEADER)
        blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": headline}}]
        blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": chunk}} for chunk in _chunks(lines)]
        if notification.body:
            blocks.append({"type": "section", "text": {"type": "plain_text", "text": clipped(notification.body, BODY)}})
        return {"text": escaped(headline), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:
        """Post once, in the thread if there is one. A reply is not shown in the channel again."""
        if self._config.webhook_url and self._egress:
            return self._hooked(self._egress, self._config.webhook_url.get_secret_value(), delivery, delivery_id)
        channel = self._channel(delivery)
        metadata = {"event_type": "ar_delivery", "event_payload": {"delivery_id": delivery_id}}
        try:
            reply = self._client().chat_postMessage(
                channel=channel,
                metadata=metadata,
                thread_ts=_root_of(thread, channel),
                reply_broadcast=False,
                **self.render(delivery.notification),
            )
        except SlackApiError as error:
            return _refused(error)
        except (SlackClientError, OSError, ValueError) as error:
            return _unanswered(error)
        return Result(answer=Answer.ACCEPTED, reference=f"{reply.get('channel', '')}/{reply.get('ts', '')}")

    def _hooked(self, egress: Egress, url: str, delivery: Delivery, delivery_id: str) -> Result:
        message = self.render(delivery.notification)
        name = {"type": "plain_text", "text": one_line(f"Delivery {delivery_id}", FACT)}
        message["blocks"].append({"type": "context", "elements": [name]})
        body = encoded(message)
        return outcome(
            lambda: egress.post(url, body, {"Content-Type": "application/json"}),
            reference=lambda _: delivery_id,
            dedupes=False,
            code=_word_of,
        )

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:
        """Look through the channel's history, and the thread, for the delivery's id.

        Needs the history scope; without it nobody can tell, and of a webhook nobody can.
        """
        if self._egress:
            return None
        channel = self._channel(delivery)
        result = None
        try:
            for root in dict.fromkeys((_root_of(thread, channel) or "", "")):
                result = self._found(delivery_id, channel, root)
                if result is None or result.answer is Answer.ACCEPTED:
                    break
        except (SlackApiError, SlackClientError, OSError, ValueError):
            return None
        return result

    def _found(self, delivery_id: str, channel: str, root: str) -> Result | None:
        """What the history of the channel, or of one thread in it, says of a delivery; None if it is too long to tell."""
        client, cursor = self._client(), None
        wish: dict[str, Any] = {
            "channel": channel,
            "include_all_metadata": True,
            "oldest": str(time.time() - LOOK_BACK.total_seconds()),
            "limit": 200,
        }
        for _ in range(_MOST_PAGES):
            if root:
                page = client.conversations_replies(ts=root, cursor=cursor, **wish)
            else:
                page = client.conversations_history(cursor=cursor, **wish)
            found = next((each for each in page.get("messages") or [] if _delivery_of(each) == delivery_id), None)
            if found:
                return Result(answer=Answer.ACCEPTED, reference=f"{channel}/{found.get('ts', '')}")
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return Result(answer=Answer.RETRY, code="not in the channel's history")
        return None

    def _channel(self, delivery: Delivery) -> str:
        address = delivery.receiver.address
        return self._config.channel if address == "tre" else address

    def _client(self) -> WebClient:
        """A client without retries: the library's own post a message twice when the answer is lost."""
        token = self._config.token.get_secret_value() if self._config.token else ""
        return WebClient(token, base_url=self._config.base_url, timeout=int(self._config.timeout), retry_handlers=[])


def _word_of(reply: Reply) -> str:
    """What a webhook refuses with is one word, such as `no_service`."""
    word = reply.body.decode("ascii", "replace").strip()
    return f"{status_of(reply)} {word}" if _WORD.fullmatch(word) else status_of(reply)


def _root_of(thread: str, channel: str) -> str | None:
    """The timestamp of the message that a `channel/ts` reference names, if it stands in this channel."""
    where, _, ts = thread.partition("/")
    return ts if where == channel and _TS.fullmatch(ts) else None


def escaped(text: str) -> str:
    """Slack's three entities, and a word joiner behind what would be formatting."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{char}\u2060" if char in "*_~`" else char for char in plain)


def _link(url: str) -> str:
    """The URL's form is checked where threats are read: it cannot close the angle brackets."""
    return f"<{url.replace('&', '&amp;')}>"


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
