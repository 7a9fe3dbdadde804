"""A pretend Twilio: messages and calls of one account (API 2010-04-01), which are taken, refused and listed."""

from __future__ import annotations

import base64
import re
import secrets
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlencode

from ..inbox import Inbox, Place
from ..journal import Journal
from ..server import Reply, Request, Untenanted, json_reply

VENDOR = "twilio"
_ON_ITS_WAY = frozenset({"queued", "sent", "ringing"})
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_REFUSALS = {
    20003: (401, "Authentication Error - invalid username"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (403, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    12100: (400, "Document parse failure"),
    21218: (400, "Invalid Twiml: exceeds the 4000 character limit"),
}
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")


class TwilioInbox(Untenanted):
    """`refusals` maps a number to the error code that it is refused with, such as 21610; Basic auth as of the account.

    `ends` maps a number to how a message or call to it ends: a status and perhaps an error code, such as `undelivered 30003`, `busy`
    or `no-answer`; `late` stays on its way until `settle`. To any other number it is delivered or answered, as soon as somebody asks.
    """

    vendor = VENDOR

    def __init__(
        self,
        journal: Journal,
        *,
        account_sid: str,
        auth_token: str,
        refusals: Mapping[str, int] | None = None,
        ends: Mapping[str, str] | None = None,
    ) -> None:
        self.refusals: dict[str, int] = dict(refusals or {})
        self.ends: dict[str, str] = dict(ends or {})
        self._journal = journal
        self._root = f"/2010-04-01/Accounts/{account_sid}"
        self._auth = "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._account = account_sid
        self._lock = threading.Lock()
        self._taken: dict[str, list[dict[str, Any]]] = {"Messages": [], "Calls": []}

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != self._auth:
            return _refused(20003)
        kind, _, sid = request.path.removeprefix(f"{self._root}/").removesuffix(".json").partition("/")
        if kind not in self._taken or request.method not in ({"GET"} if sid else {"GET", "POST"}):
            return _refused(20404)
        if sid:
            return self._shown(kind, sid)
        if request.method == "GET":
            return self._listed(kind, request)
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        problem = _message_problem(form) if kind == "Messages" else _call_problem(form)
        code = problem or self.refusals.get(form["To"])
        if code:
            return _refused(code)
        return self._made(kind, form)

    def _made(self, kind: str, form: dict[str, str]) -> Reply:
        is_message = kind == "Messages"
        resource: dict[str, Any] = {
            "sid": ("SM" if is_message else "CA") + secrets.token_hex(16),
            "account_sid": self._account,
            "to": form["To"],
            "from": form.get("From"),
            "status": "queued",
            "date_created": formatdate(time.time(), usegmt=True),
            "error_code": None,
        }
        if is_message:
            resource |= {"body": form["Body"], "num_segments": str(segments(form["Body"])), "date_sent": None}
        with self._lock:
            self._taken[kind].append(resource)
        subject = form["Body"] if is_message else _spoken(form["Twiml"])
        self._journal.append(
            "message", vendor=VENDOR, tenant="", channel=form["To"], id=resource["sid"], subject=subject, body={**form, **resource}
        )
        return json_reply(201, resource)

    def _listed(self, kind: str, request: Request) -> Reply:
        """Newest first, page by page. The twin sends at once, so every message is as new as any date asked for."""
        size, page = int(request.first("PageSize", "50")), int(request.first("Page", "0"))
        with self._lock:
            for each in self._taken[kind]:
                self._move_on(kind, each)
            found = [dict(each) for each in reversed(self._taken[kind]) if request.first("To", each["to"]) == each["to"]]
        rest = found[(page + 1) * size :]
        query = urlencode({"To": request.first("To"), "PageSize": size, "Page": page + 1})
        document = {
            kind.lower(): found[page * size : (page + 1) * size],
            "page": page,
            "page_size": size,
            "next_page_uri": f"{self._root}/{kind}.json?{query}" if rest else None,
        }
        return json_reply(200, document)

    def _shown(self, kind: str, sid: str) -> Reply:
        with self._lock:
            found = next((each for each in self._taken[kind] if each["sid"] == sid), None)
            if found is None:
                return _refused(20404)
            self._move_on(kind, found)
            return json_reply(200, found)

    def _move_on(self, kind: str, resource: dict[str, Any]) -> None:
        """The network answers as soon as somebody looks; what has ended stays as it is."""
        if resource["status"] not in _ON_ITS_WAY:
            return
        status, _, code = self.ends.get(resource["to"], "delivered" if kind == "Messages" else "completed").partition(" ")
        late = "sent" if kind == "Messages" else "ringing"
        resource |= {"status": late if status == "late" else status, "error_code": int(code) if code else None}

    def settle(self, sid: str, status: str, error_code: int | None = None) -> None:
        """What the handset's network said in the end: `delivered`, `undelivered` with its error code, and so on."""
        with self._lock:
            for each in (*self._taken["Messages"], *self._taken["Calls"]):
                if each["sid"] == sid:
                    each |= {"status": status, "error_code": error_code}


def segments(body: str) -> int:
    """How many messages the network makes of it: 160 or 153 septets, else 70 or 67 units of UTF-16."""
    is_gsm7 = set(body) <= _GSM7 | _ESCAPED
    costs = [2 if each in _ESCAPED else 1 for each in body] if is_gsm7 else [len(each.encode("utf-16-le")) // 2 for each in body]
    lone, part = (160, 153) if is_gsm7 else (70, 67)
    if sum(costs) <= lone:
        return 1
    count, left = 1, part
    for cost in costs:
        if cost > left:
            count, left = count + 1, part
        left -= cost
    return count


def _message_problem(form: Mapping[str, str]) -> int | None:
    if not form.get("To"):
        return 21604
    if not _NUMBER.fullmatch(form["To"]):
        return 21211
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603
    if not form.get("Body"):
        return 21602
    return 21617 if len(form["Body"].encode("utf-16-le")) // 2 > 1600 else None


def _call_problem(form: Mapping[str, str]) -> int | None:
    if not form.get("To"):
        return 21201
    if not _NUMBER.fullmatch(form["To"]):
        return 21211
    if not form.get("Twiml"):
        return 21205
    if len(form["Twiml"]) > 4000:
        return 21218
    try:
        _spoken(form["Twiml"])
    except ET.ParseError:
        return 12100
    return None


def _spoken(twiml: str) -> str:
    return " | ".join(each.text or "" for each in ET.fromstring(twiml).iter("Say"))  # noqa: S314 - from our own tests


def _refused(code: int) -> Reply:
    status, message = _REFUSALS[code]
    document = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return json_reply(status, document, {"Retry-After": "1"} if status == 429 else None)


def _servers(place: Place, **settings: Any) -> dict[str, Any]:
    return {"twilio": place.over_http("twilio", TwilioInbox(place.journal, **settings), tls=False)}


INBOX = Inbox(_servers, lambda servers: {"twilio": servers["twilio"].url}, {"account_sid": "AC" + "0" * 32, "auth_token": "simulated"})
