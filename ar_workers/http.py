"""The one HTTP session: deadlines, no redirects, no proxies, a cap on replies, and every failure as one of our errors.

No message holds a query, a header, a body or a secret: it is method, path, status, the vendor's own words and trace id.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote_plus

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError

from .connections import a_session
from .domain.errors import AuthRefused, Denied, EDRError, NotSent, OutcomeUnknown, Throttled, VendorFault
from .domain.retries import LONGEST_RETRY_AFTER
from .domain.text import LONGEST, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .ports import Ledger

_log = logging.getLogger(__name__)
CONNECT, READ = 5.0, 15.0
#: A whole call, however slowly its reply trickles in. Leases are longer than this.
TOTAL = 30.0
LARGEST_REPLY = 16 * 2**20
#: Of a refusal in plain text (or a proxy's HTML) no more is kept.
_LONGEST_WORDS = 2000
_CHUNK = 2**16
#: Where a request has its credential, in lower case, and as a field of a form.
_CREDENTIALS, _SECRET_FIELD = frozenset({"authorization", "x-auth-token", "x-api-key"}), "client_secret"
#: In place of a credential that came back; what is shorter than the shortest is no credential, and stands in other words.
_HIDDEN, _SHORTEST = "(credential)", 6
#: No word of an answer that is acted on is that long, and a credential by chance.
_UNMISTAKABLE = 16
#: A body that fails to arrive, but whose headers did: the vendor has worked on the request.
_BROKEN_OFF = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError, HTTPError, OSError)


class Gate(NamedTuple):
    """What every request of this thread passes first, and who hears of a 429."""

    #: Raises Throttled if the request must not be sent now.
    enter: Callable[[], None]
    #: Told for how long the vendor asks to be left alone.
    stay_away: Callable[[timedelta], None]


_GATE: ContextVar[Gate | None] = ContextVar("gate", default=None)


@contextlib.contextmanager
def gate(enter: Callable[[], None], stay_away: Callable[[timedelta], None]) -> Iterator[None]:
    """Requests inside pass this gate, one by one."""
    token = _GATE.set(Gate(enter, stay_away))
    try:
        yield
    finally:
        _GATE.reset(token)


#: Where the clocks of the replies' senders are noted, if somebody wants to know.
_CLOCKS: ContextVar[list[timedelta] | None] = ContextVar("clocks", default=None)


@contextlib.contextmanager
def clocks_seen() -> Iterator[list[timedelta]]:
    """Of each reply inside: how far its sender's clock is ahead of ours, to a second or so. A reply without a Date is left out."""
    found: list[timedelta] = []
    token = _CLOCKS.set(found)
    try:
        yield found
    finally:
        _CLOCKS.reset(token)


def _note_clock(date: str | None) -> None:
    found = _CLOCKS.get()
    if found is None or not date:
        return
    with contextlib.suppress(ValueError, TypeError):
        found.append(timedelta(seconds=parsedate_to_datetime(date).timestamp() - datetime.now(UTC).timestamp()))


@contextlib.contextmanager
def allowance(ledger: Ledger, customer: str, remote: str, *, may_use_reserve: bool = False) -> Iterator[None]:
    """Requests inside are taken out of the customer's allowance at this remote, one by one.

    One that is not allowed now is not sent: it raises Throttled, like one that the vendor turned away.
    """

    def spend() -> None:
        wait = ledger.spend(customer, remote, may_use_reserve=may_use_reserve)
        if wait:
            raise Throttled(f"not sent: {remote} is to be left alone for {wait.total_seconds():.1f} s", retry_after=wait)

    with gate(spend, lambda retry_after: ledger.stay_away(customer, remote, retry_after)):
        yield


#: What reading comes to where an answer has another shape than its vendor documents. A ValidationError is a ValueError.
_MISREAD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)


@contextlib.contextmanager
def understood(vendor: str, otherwise: type[EDRError]) -> Iterator[None]:
    """An answer inside that has another shape than documented is one that did not come: it costs this call, and not its worker.

    `otherwise` is VendorFault for what may be asked again, and OutcomeUnknown for what may have been done.
    """
    try:
        yield
    except _MISREAD as error:
        _log.warning("%s: an answer has an unknown shape", vendor, exc_info=True)
        raise otherwise(f"{vendor}: an answer has an unknown shape ({type(error).__name__})") from None


@dataclass(frozen=True)
class Reply:
    """What came back: the status, lower-case headers, and the decoded JSON (None for an empty body).

    The body of a refusal that is not JSON is its text: some vendors explain themselves so, and their dialect reads it.
    """

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Dialect:
    """How a vendor words its refusals."""

    #: Body -> the vendor's code and message.
    explain: Callable[[Any], tuple[str, str]] = lambda _: ("", "")
    #: Lower-case headers -> how long to stay away, if they say so.
    retry_after: Callable[[Mapping[str, str]], timedelta | None] = lambda headers: delay_of(headers.get("retry-after"))
    trace_header: str = ""


@dataclass
class HttpSession:
    """Calls to one base URL. Threads may share one: each keeps a connection of its own.

    After an answer that never came, every kept connection is made anew with its thread's next call: what cut one off has
    cut off the others.
    """

    base_url: str
    dialect: Dialect = field(default_factory=Dialect)
    ca_file: Path | None = None
    connect: float = CONNECT
    read: float = READ
    _local: threading.local = field(default_factory=threading.local, repr=False)
    #: How many answers have not come.
    _missed: int = field(default=0, repr=False)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | bytes | None = None,
        expects: frozenset[int] = frozenset(),
    ) -> Reply:
        """One request, sent once. Raises the errors of `domain.errors`; a 2xx and the statuses in `expects` are returned."""
        what = f"{method} {path}"
        response = self._send(what, method, path, headers=dict(headers or {}), params=query, json=body, data=form)
        with contextlib.closing(response):
            raw = self._read(what, response, is_read=method == "GET")
        lower = _headers(response)
        reply = self._decoded(what, response.status_code, lower, raw, is_read=method == "GET")
        if reply.status not in expects:
            self._judge(what, reply)
        return reply

    def download(self, path: str, *, what: str) -> bytes:
        """A file as it is. Errors name it by `what`: a signed link is a secret."""
        response = self._send(what, "GET", path)
        with contextlib.closing(response):
            raw = self._read(what, response, is_read=True)
        self._judge(what, Reply(response.status_code, _headers(response), None))
        return raw

    def sha256_of(self, path: str, *, headers: Mapping[str, str] | None = None) -> str:
        """The SHA-256 of the file that a GET brings, which may be malware and is not kept. Raises as `call` does."""
        what = f"GET {path}"
        response = self._send(what, "GET", path, headers=dict(headers or {}))
        content = hashlib.sha256()
        with contextlib.closing(response):
            if response.status_code < 300:  # noqa: PLR2004 - HTTP's own classes
                for part in self._parts(what, response, is_read=True):
                    content.update(part)
                return content.hexdigest()
            raw = self._read(what, response, is_read=True)
        lower = _headers(response)
        self._judge(what, self._decoded(what, response.status_code, lower, raw, is_read=True))
        raise AssertionError("a status of 300 or more is always judged")

    def _send(self, what: str, method: str, path: str, **parts: Any) -> requests.Response:
        passing = _GATE.get()
        if passing:
            passing.enter()
        try:
            response = self._session().request(
                method,
                self.base_url.rstrip("/") + path,
                timeout=(self.connect, self.read),
                allow_redirects=False,
                stream=True,
                **parts,
            )
        except requests.RequestException as error:
            failure = _unsent(what, error)
            self._missed += isinstance(failure, OutcomeUnknown)
            raise failure from None
        _note_clock(response.headers.get("Date"))
        return response

    def _session(self) -> requests.Session:
        kept: requests.Session | None = getattr(self._local, "session", None)
        if kept is None or self._local.missed != self._missed:
            if kept:
                kept.close()
            kept = a_session(self.ca_file)
            self._local.session, self._local.missed = kept, self._missed
        return kept

    def _read(self, what: str, response: requests.Response, *, is_read: bool) -> bytes:
        parts, size = [], 0
        for part in self._parts(what, response, is_read=is_read):
            parts.append(part)
            size += len(part)
            if size > LARGEST_REPLY:
                raise _lost(what, "the reply is too long", is_read=is_read)
        return _without_credentials(b"".join(parts), response)

    @staticmethod
    def _parts(what: str, response: requests.Response, *, is_read: bool) -> Iterator[bytes]:
        deadline = time.monotonic() + TOTAL
        try:
            for part in response.iter_content(_CHUNK):
                if time.monotonic() > deadline:
                    raise _lost(what, "the reply is too slow", is_read=is_read)
                yield part
        except (requests.RequestException, *_BROKEN_OFF) as error:
            raise _lost(what, f"the reply broke off ({type(error).__name__})", is_read=is_read) from None

    def _decoded(self, what: str, status: int, headers: dict[str, str], raw: bytes, *, is_read: bool) -> Reply:
        try:
            return Reply(status, headers, json.loads(raw) if raw.strip() else None)
        except (ValueError, RecursionError):
            if status < 300:  # noqa: PLR2004 - a success that cannot be read says nothing
                raise _lost(what, f"{status} with an unreadable body", is_read=is_read) from None
            return Reply(status, headers, raw[:_LONGEST_WORDS].decode("utf-8", "replace"))

    def _judge(self, what: str, reply: Reply) -> None:
        status = reply.status
        if status < 300:  # noqa: PLR2004 - HTTP's own classes
            return
        code, said = self.dialect.explain(reply.body)
        trace = reply.headers.get(self.dialect.trace_header, "")
        words = (f" {shortened(said, LONGEST)}" if said else "", f" [trace {shortened(trace, 200)}]" if trace else "")
        message = f"{what}: {status}{''.join(words)}"
        error = self._error(status, message, code=code or str(status), trace=trace, headers=reply.headers)
        retry_after, passing = getattr(error, "retry_after", None), _GATE.get()
        if retry_after and passing:
            passing.stay_away(min(retry_after, LONGEST_RETRY_AFTER))
        raise error

    def _error(self, status: int, message: str, *, code: str, trace: str, headers: Mapping[str, str]) -> EDRError:
        if status == 429:  # noqa: PLR2004
            return Throttled(message, retry_after=self.dialect.retry_after(headers), code=code, trace=trace)
        if status >= 500:  # noqa: PLR2004
            return VendorFault(message, retry_after=self.dialect.retry_after(headers), code=code, trace=trace)
        if status in {401, 403}:
            return AuthRefused(message, code=code, trace=trace, is_unauthenticated=status == 401)  # noqa: PLR2004
        if status < 400:  # noqa: PLR2004
            return Denied(
                f"{message}: a redirect is never followed; the tenant may live in another cloud, check base_url", code=code, trace=trace
            )
        return Denied(message, code=code, trace=trace)


def _sent_credentials(response: requests.Response) -> set[str]:
    """The request's credentials as its receiver, or a proxy on the way, could repeat them: with slashes or signs escaped, too.

    Of a success only what can be nothing else is one: a whole header, and that is long. The answer to a form is a credential itself.
    """
    request, is_taken = response.request, response.status_code < 300  # noqa: PLR2004 - HTTP's own classes
    headers = [str(value).rpartition(" ")[2] for name, value in request.headers.items() if name.lower() in _CREDENTIALS]
    form = request.body if "urlencoded" in str(request.headers.get("Content-Type")) else None
    text = form.decode("utf-8", "replace") if isinstance(form, bytes) else form or ""
    parts = [
        *(part for each in headers for part in each.split("/")),
        *(value for name, value in parse_qsl(text) if name == _SECRET_FIELD),
    ]
    found = [each for each in headers if len(each) >= _UNMISTAKABLE] if is_taken else [*headers, *parts]
    return {form for each in found if len(each) >= _SHORTEST for form in (each, each.replace("/", "\\/"), quote_plus(each))}


def _without_credentials(raw: bytes, response: requests.Response) -> bytes:
    """An answer whose sender repeats what it was sent: its words come into errors, rows and notices."""
    for each in sorted(_sent_credentials(response), key=len, reverse=True):
        raw = raw.replace(each.encode(), _HIDDEN.encode())
    return raw


def _headers(response: requests.Response) -> dict[str, str]:
    """In lower case, and likewise."""
    found = {name.lower(): value for name, value in response.headers.items()}
    for each in sorted(_sent_credentials(response), key=len, reverse=True):
        found = {name: value.replace(each, _HIDDEN) for name, value in found.items()}
    return found


def _unsent(what: str, error: requests.RequestException) -> EDRError:
    """A request without a reply: it never left, or nobody knows. A connection that was never made is the only sure sign."""
    never_made = requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError
    if isinstance(error, never_made) or _is_new_connection(error):
        return NotSent(f"{what}: no connection ({type(error).__name__})")
    bad_input = requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema
    if isinstance(error, bad_input):
        return Denied(f"{what}: not a usable address ({type(error).__name__})")
    return OutcomeUnknown(f"{what}: no answer ({type(error).__name__})")


def _is_new_connection(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError) and not isinstance(reason, ProtocolError)


def _lost(what: str, why: str, *, is_read: bool) -> EDRError:
    """A read that failed may be repeated; of a write nobody knows what it did."""
    return VendorFault(f"{what}: {why}") if is_read else OutcomeUnknown(f"{what}: {why}")


#: Nobody asks to be left alone for 31 years: a number above this is an instant, as some vendors write it, and a thousand times
#: this in milliseconds.
_AN_INSTANT = 10**9
_NUMBER = re.compile(r"[0-9]{1,300}(?:\.[0-9]*)?")


def delay_of(value: str | None) -> timedelta | None:
    """How long a `Retry-After`, or a vendor's header of its kind, asks to be left alone: seconds, a Unix instant in seconds or
    milliseconds, or an HTTP date. What is none of these, or an instant in the past, says nothing.
    """
    text = (value or "").strip()
    if not _NUMBER.fullmatch(text):
        return _until_date(text)
    number = float(text)
    if number <= _AN_INSTANT:
        return timedelta(seconds=number)
    return _until(number / 1000 if number > _AN_INSTANT * 1000 else number)


def _until_date(text: str) -> timedelta | None:
    """One whose zone is written as unknown is of UTC, as every HTTP date is."""
    try:
        date = parsedate_to_datetime(text)
        return _until((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _until(timestamp: float) -> timedelta | None:
    left = timestamp - datetime.now(UTC).timestamp()
    return timedelta(seconds=min(left, _AN_INSTANT)) if left > 0 else None
