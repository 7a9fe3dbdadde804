"""Slack by bot token: one `chat.postMessage` per delivery, found again by its metadata. An incoming webhook is the lesser form."""

from __future__ import annotations

import logging
import re
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.error import URLError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from ..domain import leases
from ..domain.checkups import Check, ok, red, warn
from ..domain.results import Answer, Result
from ..http import delay_of
from .base import READ, Entry, clipped, essentials, one_line
from .dialling import dialled
from .egress import Egress
from .outcomes import encoded, outcome, status_of
from .targets import Url, parsed
from .templating import OURS, Templates, escaped, marked, plain_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.request import Request

    from slack_sdk.web import SlackResponse

    from ..domain.notifications import Delivery, Notification
    from .egress import Reply

#: Slack's limits: header 150, section text 3000, 10 fields of 2000, and some 13,200 characters in all.
HEADER, FACT, BODY, TEXT = 150, 240, 2500, 2900
#: For all facts together, escaped: with the essentials, the header and the body it stays below the total.
ROOM = 6000
#: Answers that say "not now"; all other `ok: false` are for good.
PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
#: Refusals that are about the one message; by any other the bot says nothing here any more until somebody mends it.
ABOUT_THE_MESSAGE = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "cannot_reply_to_message",
        "thread_not_found",
    }
)
_ABOUT_THE_PLACE = frozenset({"channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "restricted_action"})
_ABOUT_SCOPES = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})
#: Of these the message may have been posted nevertheless.
IN_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout"})
#: How far back a message in doubt is looked for.
LOOK_BACK = timedelta(hours=26)
#: 5,000 messages: a busy day of a channel.
#: No answer that anybody can read; slack_sdk takes it for an object whatever it is.
_NO_ANSWER = (SlackClientError, OSError, ValueError, AttributeError, TypeError)
_MOST_PAGES = 25
#: Where incoming webhooks live; loopback besides, which the egress then refuses unless the operator has opened it.
_HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com", "127.0.0.1", "localhost"})
_WORD = re.compile(r"[a-z_]{1,60}")
_TS = re.compile(r"[0-9]+\.[0-9]+")

#: At DEBUG it writes every message into the log, and at ERROR whatever a proxy answers in Slack's place; we say ourselves what failed.
logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)


def _is_slacks(url: SecretStr) -> SecretStr:
    if parsed(url.get_secret_value()).host not in _HOOKS:
        raise ValueError("must begin with https://hooks.slack.com/ or https://hooks.slack-gov.com/")
    return url


class Config(BaseModel):
    """A workspace: by `token`, with the `channel` that is looked at beforehand, and where a receiver named `tre` is told; or by the URL
    of one incoming webhook.

    Prefer the token: a webhook gives no reference, so it has no threads, and nobody can look for what is in doubt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr | None = Field(None, description="The bot's token. Either this, or `webhook_url`.")
    channel: str = ""
    webhook_url: Annotated[Url, AfterValidator(_is_slacks)] | None = Field(
        None, description="An incoming webhook. It has no threads, and what is in doubt cannot be looked for: prefer the token."
    )
    base_url: str = "https://slack.com/api/"
    timeout: float = READ

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if bool(self.webhook_url) == bool(self.token) or (self.webhook_url and self.channel):
            raise ValueError("needs a token (and a channel), or a webhook_url alone")
        return self


def probe(config: Config, egress: Egress | None = None) -> Check:
    """Whether the token is taken, may write, and the bot may write into the channel: three reads, and nothing is posted.

    A webhook is only dialled.
    """
    if config.webhook_url:
        return dialled("slack", config.webhook_url.get_secret_value(), egress or Egress())
    client = Slack(config).client()
    try:
        said = client.auth_test()
    except SlackApiError as error:
        return red("slack", f"auth.test: {_said(error)}", "check AR_SLACK_TOKEN")
    except _NO_ANSWER as error:
        return red("slack", f"auth.test: no answer ({type(error).__name__})", "check AR_SLACK_URL and the way to it")
    scopes = _scopes(said)
    if scopes and "chat:write" not in scopes:
        return red("slack", "the token is taken, but it has no scope chat:write", fix_of("missing_scope"))
    if not config.channel:
        return red("slack", "the token is taken, but no channel is set", "set AR_SLACK_CHANNEL")
    where = one_line(f"{said.get('user')} in {said.get('team')}", 80)
    return _writable(client, one_line(config.channel, 80), where, scopes)


def _scopes(said: SlackResponse) -> frozenset[str]:
    """What the token may, as Slack names it with every reply; nothing if it does not."""
    named = next((str(value) for name, value in said.headers.items() if name.lower() == "x-oauth-scopes"), "")
    return frozenset(filter(None, (each.strip() for each in named.split(","))))


def _writable(client: WebClient, channel: str, where: str, scopes: frozenset[str]) -> Check:
    """By `conversations.info`, or without its scope by the history, which only a member reads."""
    for look in (client.conversations_info, partial(client.conversations_history, limit=1)):
        try:
            found = look(channel=channel).get("channel")
        except SlackApiError as error:
            if _said(error) == "missing_scope":
                continue
            return red("slack", f"{where}: {channel}: {_said(error)}", fix_of("channel_not_found"))
        except _NO_ANSWER as error:
            return red("slack", f"{where}: no answer about {channel} ({type(error).__name__})", "check AR_SLACK_URL and the way to it")
        return _judged(found, channel, where, scopes) if isinstance(found, dict) else ok("slack", f"{where}, a member of {channel}")
    missing = "give the bot the scopes channels:read and channels:history (in a private channel groups:read, groups:history)"
    return warn("slack", f"auth.test: {where}; whether the bot is in {channel} cannot be looked at: it lacks the scopes", missing)


def _judged(found: dict[str, Any], channel: str, where: str, scopes: frozenset[str]) -> Check:
    if found.get("is_archived"):
        return red("slack", f"{where}: {channel} is archived", "take it out of the archive, or set another AR_SLACK_CHANNEL")
    if found.get("is_member"):
        return ok("slack", f"{where}, a member of {channel}")
    if "chat:write.public" in scopes and not found.get("is_private"):
        return ok("slack", f"{where}, no member of {channel}, which is public and may be written to (chat:write.public)")
    return red("slack", f"{where}: the bot is not in {channel}", "invite the bot into the channel")


def _said(error: SlackApiError) -> str:
    word = _word_in(error.response)
    return word if _WORD.fullmatch(word) else "refused"


class _NotOurs(ConnectionError):
    """Nothing was posted."""


class _Client(WebClient):
    """The library's client. Its requests ask, once the connection stands, whether the message is still this worker's to send.

    It leans on a method that the library calls internal; the channels' contract suite tells if it is called no more.
    """

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if isinstance(req.data, bytes):
            length = len(req.data)
            req.data = _if_still_ours(req.data)
            req.add_unredirected_header("Content-length", str(length))
        return super()._perform_urllib_http_request_internal(url, req)


def _if_still_ours(body: bytes) -> Iterator[bytes]:
    """Asked for by `http.client` behind the headers: without its body no request is worked on."""
    if leases.is_over():
        raise _NotOurs(leases.LATE)
    yield body


class Slack:
    """`ports.Channel`. Slack recognises no repetition, so an unknown outcome is looked up in the channel's history.

    By webhook it cannot be; there each message names its delivery instead, so that a copy is seen to be one.
    """

    dedupes = False

    def __init__(self, config: Config, egress: Egress | None = None, *, templates: Templates = OURS) -> None:
        self._config, self._templates = config, templates
        self._egress = egress or Egress() if config.webhook_url else None

    @property
    def marks_copies(self) -> bool:
        """Only by webhook: with a token the history tells."""
        return self._egress is not None

    def render(self, notification: Notification) -> dict[str, Any]:
        """The message without its address: `text` for notifications and screen readers, blocks for the eye."""
        return self._rendered(notification)[0]

    def _rendered(self, note: Notification) -> tuple[dict[str, Any], bool]:
        """The message, and whether its template failed. The essentials come first, and before a summary a TRE's words."""
        words = self._templates.words(note, "slack", _plain)
        lines = _within(ROOM, [_cut(line) for line in words.text.splitlines() if line.strip()])
        essential = [f"*{label}:* {_link(value) if label == 'Threat' else escaped(value)}" for label, value in essentials(note)]
        body = [_block("section", "plain_text", clipped(note.body, BODY))] if note.body.strip() else []
        headline = one_line(f"{note.headline} · {note.customer}", HEADER)
        head = [_block("header", "plain_text", headline)]
        blocks = (
            [*head, *_sections(essential), *body, *_sections(lines)] if note.summary else [*head, *_sections([*essential, *lines]), *body]
        )
        return {"text": escaped(headline), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}, words.has_failed

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:
        """Post once, in the thread if there is one. A reply is not shown in the channel again."""
        if self._config.webhook_url and self._egress:
            return self._hooked(self._egress, self._config.webhook_url.get_secret_value(), delivery, delivery_id)
        channel = self._channel(delivery)
        message, has_failed = self._rendered(delivery.notification)
        metadata = {"event_type": "ar_delivery", "event_payload": {"delivery_id": delivery_id}}
        try:
            reply = self.client().chat_postMessage(
                channel=channel, metadata=metadata, thread_ts=_root_of(thread, channel), reply_broadcast=False, **message
            )
        except SlackApiError as error:
            return _refused(error)
        except _NO_ANSWER as error:
            return _unanswered(error)
        reference = f"{reply.get('channel', '')}/{reply.get('ts', '')}"
        return marked(Result(answer=Answer.ACCEPTED, reference=reference), has_failed=has_failed)

    def _hooked(self, egress: Egress, url: str, delivery: Delivery, delivery_id: str) -> Result:
        message, has_failed = self._rendered(delivery.notification)
        name = {"type": "plain_text", "text": one_line(f"Delivery {delivery_id}", FACT)}
        message["blocks"].append({"type": "context", "elements": [name]})
        body = encoded(message)
        result = outcome(
            lambda: egress.post(url, body, {"Content-Type": "application/json"}),
            reference=lambda _: delivery_id,
            dedupes=False,
            code=_word_of,
        )
        return marked(result, has_failed=has_failed)

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
        except (SlackApiError, *_NO_ANSWER):
            return None
        return result

    def _found(self, delivery_id: str, channel: str, root: str) -> Result | None:
        """What the history of the channel, or of one thread in it, says of a delivery; None if it is too long to tell."""
        client, cursor = self.client(), None
        query: dict[str, Any] = {
            "channel": channel,
            "include_all_metadata": True,
            "oldest": str(time.time() - LOOK_BACK.total_seconds()),
            "limit": 200,
        }
        for _ in range(_MOST_PAGES):
            if root:
                page = client.conversations_replies(ts=root, cursor=cursor, **query)
            else:
                page = client.conversations_history(cursor=cursor, **query)
            messages, more = page.get("messages"), page.get("response_metadata") or {}
            if not isinstance(messages, list) or not isinstance(more, dict):
                return None
            found = next((each for each in messages if _delivery_of(each) == delivery_id), None)
            if found:
                return Result(answer=Answer.ACCEPTED, reference=f"{channel}/{found.get('ts', '')}")
            cursor = more.get("next_cursor")
            if not cursor:
                return Result(answer=Answer.RETRY, code="not in the channel's history")
        return None

    def _channel(self, delivery: Delivery) -> str:
        address = delivery.receiver.address
        return self._config.channel if address == "tre" else address

    def client(self) -> WebClient:
        """A client without retries: the library's own post a message twice when the answer is lost."""
        token = self._config.token.get_secret_value() if self._config.token else ""
        return _Client(token, base_url=self._config.base_url, timeout=int(self._config.timeout), retry_handlers=[])


def _word_of(reply: Reply) -> str:
    """What a webhook refuses with is one word, such as `no_service`."""
    word = reply.body.decode("ascii", "replace").strip()
    return f"{status_of(reply)} {word}" if _WORD.fullmatch(word) else status_of(reply)


def _root_of(thread: str, channel: str) -> str | None:
    """The timestamp of the message that a `channel/ts` reference names, if it stands in this channel."""
    where, _, ts = thread.partition("/")
    return ts if where == channel and _TS.fullmatch(ts) else None


def _link(url: str) -> str:
    """The URL's form is checked where threats are read: it cannot close the angle brackets."""
    return f"<{url.replace('&', '&amp;')}>"


def _plain(note: Notification) -> str:
    return "\n".join(map(escaped, plain_facts(note).splitlines()))


def _cut(line: str) -> str:
    """A line that fits a section, without half an entity at its end."""
    return line if len(line) <= TEXT else re.sub(r"&[a-z]*$", "", line[: TEXT - 1]) + "…"


def _block(kind: str, form: str, text: str) -> dict[str, Any]:
    return {"type": kind, "text": {"type": form, "text": text}}


def _sections(lines: list[str]) -> list[dict[str, Any]]:
    return [_block("section", "mrkdwn", chunk) for chunk in _chunks(lines)]


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
            chunks.append(line)
    return chunks


def _delivery_of(message: Any) -> str:
    """Of what is no message of ours, nothing."""
    for name in ("metadata", "event_payload"):
        message = message.get(name) if isinstance(message, dict) else None
    return str(message.get("delivery_id", "")) if isinstance(message, dict) else ""


def _word_in(response: Any) -> str:
    """Slack's word for what is wrong, if its answer is an object that has one."""
    data = getattr(response, "data", response)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _refused(error: SlackApiError) -> Result:
    response = error.response
    status, headers = getattr(response, "status_code", 0), getattr(response, "headers", {}) or {}
    word = _word_in(response)
    code = word if _WORD.fullmatch(word) else f"http {status}"  # a proxy's page may repeat our token
    wait = delay_of(next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), None))
    if status == 429 or code in {"ratelimited", "rate_limited"}:  # noqa: PLR2004
        return Result(answer=Answer.RETRY, code="ratelimited", retry_after=wait)
    if code in IN_DOUBT or (status >= 500 and not (status == 503 and wait)):  # noqa: PLR2004
        return Result(answer=Answer.UNKNOWN, code=code, retry_after=wait)
    if code in PASSING or status >= 500:  # noqa: PLR2004
        return Result(answer=Answer.RETRY, code=code, retry_after=wait)
    return Result(answer=Answer.PERMANENT, code=code, fix=fix_of(code))


def fix_of(code: str) -> str:
    """What is mended before Slack takes messages again; empty where the next one may be taken."""
    if code in ABOUT_THE_MESSAGE:
        return ""
    if code in _ABOUT_THE_PLACE:
        return "check the channel (AR_SLACK_CHANNEL), and invite the bot into it"
    if code in _ABOUT_SCOPES:
        return "give the bot the scope chat:write, and install it again"
    if code.startswith("http "):
        return "check AR_SLACK_URL"
    return "renew the bot's token (AR_SLACK_TOKEN)"


def _unanswered(error: Exception) -> Result:
    """A connection that was refused was never made, and one that we ended sent nothing; of any other failure nobody knows."""
    reason = error.reason if isinstance(error, URLError) else error
    never_made = isinstance(reason, ConnectionRefusedError | _NotOurs) or type(reason).__name__ in {"gaierror", "SSLCertVerificationError"}
    return Result(answer=Answer.RETRY if never_made else Answer.UNKNOWN, code=type(reason).__name__)


ENTRY = Entry(Config, Slack, probe, is_templated=True)
