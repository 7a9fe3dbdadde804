"""What SMS and voice share: Twilio's own client over our HTTP session, and what its answers mean."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from ..domain.checkups import Check, ok, red
from ..domain.errors import EDRError, NotSent, OutcomeUnknown
from ..domain.results import Answer, Result
from ..http import HttpSession, delay_of
from .base import READ

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

PROVIDER = "Twilio"
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
#: Twilio's own hosts (`api.EDGE.REGION.twilio.com` too), or a test server: the token goes nowhere else.
_BASE_URL = re.compile(r"https://api(\.[a-z0-9-]+){0,2}\.twilio\.com|https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
_EVERY_ANSWER = frozenset(range(300, 600))
#: How a message (https://www.twilio.com/docs/messaging/api/message-resource#message-status-values) or a call ends well, and how not;
#: everything else is on its way.
_ARRIVED = {"delivered": "delivered", "read": "read", "completed": "completed: answered by somebody, or by a mailbox"}
_LOST = {
    "undelivered": "it did not reach the handset",
    "failed": "it could not be sent",
    "canceled": "it was called off",
    "busy": "the line was busy",
    "no-answer": "nobody answered",
}
#: Twilio's error codes of messages (https://www.twilio.com/docs/api/errors), in words.
_ERRORS = {
    21610: "the receiver has opted out",
    30001: "it was queued for too long",
    30002: "the account is suspended",
    30003: "the handset is off or out of reach",
    30004: "the receiver or its carrier blocks messages",
    30005: "the carrier does not know the number",
    30006: "a landline, or a carrier that cannot be reached",
    30007: "filtered by the carrier",
    30008: "the carrier gives no reason",
    30034: "the sender's number is not registered with the carriers",
    30036: "its validity ran out before it could be delivered",
}
#: What the vendor's client raises over a reply of another shape than its own.
_MISSHAPEN = (AttributeError, TypeError, ValueError)


def is_number(text: str) -> bool:
    """Whether `text` is a phone number as E.164 writes it: `+` and 7 to 15 digits."""
    return _NUMBER.fullmatch(text) is not None


def _number(text: str) -> str:
    if not is_number(text):
        raise ValueError("is not an E.164 number such as +15005550006")
    return text


Number = Annotated[str, AfterValidator(_number)]


class Account(BaseModel):
    """The account that pays, and where its API is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")] = Field(description="Twilio's account.")
    auth_token: SecretStr = Field(description="That account's token.")
    base_url: Annotated[str, Field(pattern=f"^({_BASE_URL.pattern})$")] = "https://api.twilio.com"
    timeout: float = Field(default=READ, gt=0, le=30)


def probe(name: str, account: Account) -> Check:
    """A list of one message: it tells whether the account takes the token, and tells nobody anything."""
    listed = Twilio(account).listed(lambda client: list(client.messages.list(limit=1)))
    if listed is None:
        return red(name, "Twilio does not answer, or does not take the token", "check account_sid and auth_token")
    return ok(name, "the token is taken; not tested without sending: the numbers")


class Twilio:
    """One account. Every call is one request: the session below the vendor's client never repeats one."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._session = HttpSession(base_url=account.base_url, read=account.timeout)

    def create(self, ask: Callable[[Client], Any]) -> Result:
        """What became of asking for a message or a call. Twilio recognises no repetition: a doubt stays a doubt."""
        wire = _Wire(self._session)
        try:
            made = ask(self._client(wire))
        except (TwilioRestException, TwilioServiceException) as error:
            return _refused(error.status, error.code, wire.retry_after)
        except NotSent as error:
            return Result(answer=Answer.RETRY, code=str(error))
        except (EDRError, TwilioException, *_MISSHAPEN) as error:
            return Result(answer=Answer.UNKNOWN, code=str(error) if isinstance(error, EDRError) else type(error).__name__)
        return judged(made)

    def end(self, ask: Callable[[Client], Any]) -> Result | None:
        """What became of a message or call that Twilio has accepted; None if it cannot be asked now, or knows nothing of it."""
        try:
            return judged(ask(self._client(_Wire(self._session))))
        except (EDRError, TwilioException, *_MISSHAPEN):
            return None

    def listed(self, ask: Callable[[Client], list[Any]]) -> list[Any] | None:
        """What Twilio lists, or None if it cannot be asked now."""
        try:
            return ask(self._client(_Wire(self._session)))
        except (EDRError, TwilioException, *_MISSHAPEN):
            return None

    def _client(self, wire: _Wire) -> Client:
        return Client(self._account.account_sid, self._account.auth_token.get_secret_value(), http_client=wire)


def judged(resource: Any) -> Result:
    """What the status of a message or call says: taken is not delivered, and the handset's answer comes later."""
    status, error = str(resource.status), getattr(resource, "error_code", None)
    if status in _ARRIVED:
        return Result(answer=Answer.ACCEPTED, reference=resource.sid, code=_ARRIVED[status])
    if status in _LOST:
        numbered = f"twilio {status} {error}" if error else f"twilio {status}"
        return Result(answer=Answer.PERMANENT, reference=resource.sid, code=f"{numbered}: {_ERRORS.get(error or 0, _LOST[status])}")
    return Result(answer=Answer.ACCEPTED, reference=resource.sid, code=status, is_on_its_way=True)


class _Wire(HttpClient):  # type: ignore[misc] # the library ships no types
    """The vendor's seam for another HTTP client. Keeps `Retry-After`, which the vendor's exceptions leave out."""

    def __init__(self, session: HttpSession) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._session = session
        self.retry_after: timedelta | None = None

    def request(  # noqa: PLR0913, PLR0917 - the vendor's signature
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the session's
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002 - never
    ) -> Response:
        """Send `uri` to the session's base URL, whatever host the vendor's client would have asked."""
        target = urlsplit(uri)
        reply = self._session.call(
            method,
            target.path,
            headers={**(headers or {}), "Authorization": _basic(*auth) if auth else ""},
            query={**dict(parse_qsl(target.query)), **(params or {})},
            form=data,
            expects=_EVERY_ANSWER,
        )
        self.retry_after = delay_of(reply.headers.get("retry-after"))
        is_usable = isinstance(reply.body, dict) and (method == "GET" or bool(reply.body.get("sid")))
        if reply.status < 300 and not is_usable:  # noqa: PLR2004
            raise OutcomeUnknown(f"{method} {target.path}: {reply.status} without what was asked for")
        return Response(reply.status, json.dumps(reply.body), dict(reply.headers))


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _refused(status: int, code: object, retry_after: timedelta | None) -> Result:
    """Twilio's error code where it gave one: the library puts the HTTP status in its place where not."""
    said = f"http {status}" if code in {None, status} else f"twilio {str(code)[:20]}"
    if status == 429:  # noqa: PLR2004 - "not processed and safe to retry" (Twilio's error 20429)
        return Result(answer=Answer.RETRY, code=said, retry_after=retry_after)
    if status >= 500:  # noqa: PLR2004
        return Result(answer=Answer.UNKNOWN, code=said, retry_after=retry_after)
    if status < 400:  # noqa: PLR2004
        return Result(answer=Answer.PERMANENT, code="redirect_refused")
    return Result(answer=Answer.PERMANENT, code=said)
