"""Syslog (RFC 5424) for a SIEM: over UDP, TCP or TLS, as plain text, CEF or ECS."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ..domain import leases
from ..domain.checkups import Check, ok, red, warn
from ..domain.dry_runs import DryRun
from ..domain.results import Answer, Result
from ..domain.threats import Severity
from .base import CONNECT, Entry, essentials, one_line
from .egress import resolved
from .targets import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..domain.notifications import Delivery, Notification
    from .targets import Address

#: What a receiver should take, in bytes: of a datagram (RFC 5426, 3.2) and of a message in a stream (RFC 5425, 4.3.1).
DATAGRAM, STREAMED = 2048, 8192
FACT, FACTS, BODY = 240, 100, 4000
SEVERITIES = {Severity.HIGH: 2, Severity.MEDIUM: 4, Severity.LOW: 5, Severity.UNKNOWN: 4}
INFORMATIONAL = 6
#: CEF counts from 0 to 10; ECS takes the same number.
GRADES = {Severity.HIGH: 9, Severity.MEDIUM: 6, Severity.LOW: 3, Severity.UNKNOWN: 6}
APP_NAME = "active-remediation"
#: After so many nothing is left that could be halved.
_HALVINGS = 12
NILVALUE = "-"
UNCONFIRMED = "sent, unconfirmed"
#: How long the receiver may take to answer our goodbye; that it does not is no sign of anything.
_FAREWELL = 1.0


class Config(BaseModel):
    """How the receiver wants its messages. `host` is where a receiver named `tre` is; others bring `host` or `host:port`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = ""
    port: Annotated[int, Field(gt=0, lt=65536)] = Field(6514, description="Where `to` names no port.")
    transport: Literal["udp", "tcp", "tls"] = Field("tls", description="Nothing confirms what goes by UDP.")
    framing: Literal["octet", "lf"] = Field(
        "octet", description="RFC 6587: `LEN SP MSG`, which TLS demands, or a line feed at the end, which is all that some receivers know."
    )
    body: Literal["plain", "cef", "ecs"] = Field("plain", description="The form of the message's text.")
    facility: Annotated[int, Field(ge=0, le=23)] = Field(13, description="The syslog facility; 13 is log audit.")
    hostname: Annotated[str, Field(pattern=r"^[!-~]{0,255}$")] = Field(
        "", description="Our own name in the header. RFC 5424 allows it to be absent."
    )
    sd_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,20}@[0-9.]{1,11}$")] = Field(
        "ar@32473",
        description="RFC 5424, 7.2.2: a private enterprise number stands behind the @. 32473 is the one for examples (RFC 5612).",
    )
    bom: bool = Field(default=False, description="RFC 5424 asks for it before UTF-8; SIEMs keep it in the text.")
    ca_file: Path | None = None
    timeout: float = Field(default=CONNECT, gt=0, le=15)


def probe(config: Config) -> Check:
    """A connection, where the transport has one. A datagram would be a message."""
    if not config.host:
        return warn("syslog", "no host of its own: receivers bring theirs, which are not tested without a message")
    if config.transport == "udp":
        return warn("syslog", f"{config.host} is told by UDP, which nothing confirms")
    try:
        Syslog(config).connected(next(iter(resolved(config.host, config.port)), ""), config.port, config.host).close()
    except OSError as error:
        return red("syslog", f"{config.host}:{config.port} cannot be reached ({type(error).__name__})", "check host, port and certificate")
    return ok("syslog", f"{config.host}:{config.port} takes connections; nothing in the protocol confirms a message")


class Syslog:
    """`ports.Channel`. The protocol has no answer, so nothing is ever confirmed; the id in each message tells copies.

    A name is resolved once, and the connection goes to the very address that `is_allowed` has seen.
    """

    dedupes = False
    marks_copies = True

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resolve: Callable[[str, int], Iterable[str]] = resolved,
        is_allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._config, self._now, self._resolve, self._is_allowed = config, now, resolve, is_allowed
        self._tls = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)

    def render(self, notification: Notification, delivery_id: str) -> bytes:
        """The message without its frame. What is told beside the essentials is halved until the message fits."""
        most = DATAGRAM if self._config.transport == "udp" else STREAMED
        at = self._now().astimezone(UTC)
        header = self._header(notification, delivery_id, at)
        message = b""
        for halvings in range(_HALVINGS):
            told = _told(notification, 2**halvings)
            message = (header + _BODIES[self._config.body](notification, delivery_id, told, at)).encode("utf-8", "replace")
            if len(message) <= most:
                break
        return message

    def _header(self, note: Notification, delivery_id: str, at: datetime) -> str:
        config = self._config
        severity = SEVERITIES[_graded(note)] if note.threat else INFORMATIONAL
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        params = {"id": delivery_id, "customer": note.customer} | ({"threat": note.threat.id} if note.threat else {})
        params |= {"dry_run": str(note.dry_run)} if note.mark else {}
        data = "".join(f' {name}="{param_value(value)}"' for name, value in params.items())
        head = f"<{config.facility * 8 + severity}>1 {stamp} {config.hostname or NILVALUE} {APP_NAME} {NILVALUE} {note.kind}"
        return f"{head} [{config.sd_id}{data}] " + ("\ufeff" if config.bom else "")

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002 - there are no threads
        """Write it once."""
        target = self._target(delivery.receiver.address)
        if target is None:
            return Result(answer=Answer.PERMANENT, code="not a syslog host such as siem.acme.example:6514")
        host, port = target
        try:
            addresses = list(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            return Result(answer=Answer.RETRY, code=f"no address ({type(error).__name__})")
        if not addresses or not all(self._is_allowed(ip_address(each)) for each in addresses):
            return Result(answer=Answer.PERMANENT, code="address_refused")
        message = self.render(delivery.notification, delivery_id)
        try:
            connection = self.connected(addresses[0], port, host)
        except OSError as error:
            return Result(answer=Answer.RETRY, code=type(error).__name__)
        with connection:
            if leases.is_over():
                return Result(answer=Answer.RETRY, code=leases.LATE)
            return self._written(connection, message, delivery_id)

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002 - no receiver can be asked
        """Nobody can tell."""
        return None

    def _target(self, address: str) -> tuple[str, int] | None:
        if address == "tre":
            return (self._config.host, self._config.port) if self._config.host else None
        try:
            parts = urlsplit(f"//{address}")
            port = parts.port or self._config.port
        except ValueError:
            return None
        is_plain = bool(parts.hostname) and not (parts.path or parts.query or parts.fragment or "@" in address)
        return (parts.hostname or "", port) if is_plain else None

    def connected(self, address: str, port: int, host: str) -> socket.socket:
        """A connection to this address, by TLS under the host's name where that is wanted."""
        config = self._config
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_DGRAM if config.transport == "udp" else socket.SOCK_STREAM)
        try:
            connection.settimeout(config.timeout)
            connection.connect((address, port))
            return self._tls.wrap_socket(connection, server_hostname=host) if config.transport == "tls" else connection
        except BaseException:
            connection.close()
            raise

    def _written(self, connection: socket.socket, message: bytes, delivery_id: str) -> Result:
        """A stream that breaks before our goodbye is answered may have lost its end."""
        try:
            if self._config.transport == "udp":
                connection.send(message)
            else:
                connection.sendall(framed(message, self._config.framing))
                _farewell(connection)
        except OSError as error:
            return Result(answer=Answer.UNKNOWN, code=f"broke off while writing ({type(error).__name__})")
        return Result(answer=Answer.ACCEPTED, reference=delivery_id, code=UNCONFIRMED)


def framed(message: bytes, framing: str) -> bytes:
    """As RFC 6587 puts messages into a stream. No message holds a line feed."""
    return message + b"\n" if framing == "lf" else b"%d %s" % (len(message), message)


def param_value(text: str) -> str:
    """RFC 5424, 6.3.3: three characters are escaped, and no control character gets through."""
    return re.sub(r'([\\"\]])', r"\\\1", one_line(text, FACT))


def _farewell(connection: socket.socket) -> None:
    """Say that we are done (close_notify, as RFC 5425 demands), and see whether the other side hangs up or breaks off."""
    connection.settimeout(_FAREWELL)
    with contextlib.suppress(TimeoutError, ssl.SSLError):
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
        else:
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)


def _told(note: Notification, share: int) -> list[str]:
    """Headline, facts and body, each cut to one `share`-th, and how many facts that leaves out."""
    room = len(note.facts[:FACTS]) // share
    facts = [f"{one_line(label, FACT // share)}: {one_line(value, FACT // share)}" for label, value in note.facts[:room]]
    left = len(note.facts) - room
    more = [f"... ({left} more, see the threat)"] if left else []
    body = [one_line(note.body, BODY // share)] if note.body and BODY // share > 1 else []
    return [one_line(note.headline, max(FACT // share, 40)), *facts, *more, *body]


def _graded(note: Notification) -> Severity:
    """By which rules of a SIEM go: a dry run is no more than a threat of low severity, which its words still name as it is."""
    return note.threat.severity if note.threat and note.dry_run is not DryRun.YES else Severity.LOW


def _plain(note: Notification, delivery_id: str, told: list[str], at: datetime) -> str:
    del delivery_id, at
    return "; ".join([*(f"{label}: {value}" for label, value in essentials(note)), *told])


def _cef(note: Notification, delivery_id: str, told: list[str], at: datetime) -> str:
    """ArcSight's Common Event Format, revision 0 (`cs1` and `cs2` are its fields for strings of one's own)."""
    grade = GRADES[_graded(note)]
    header = ("CEF:0", "ar_workers", "Active Remediation", "1", str(note.kind), told[0], str(grade))
    fields = {"rt": str(int(at.timestamp() * 1000)), "externalId": delivery_id, "cs2Label": "customer", "cs2": note.customer}
    shown = dict(essentials(note))
    if shown:
        fields |= {"cs1Label": "severity", "cs1": shown["Severity"], "cat": shown["Classification"], "request": shown["Threat"]}
    fields["msg"] = "; ".join(told[1:]) or told[0]
    return "|".join(map(cef_header, header)) + "|" + " ".join(f"{name}={cef_value(value)}" for name, value in fields.items())


def cef_header(text: str) -> str:
    """A field of CEF's header."""
    return text.replace("\\", "\\\\").replace("|", "\\|")


def cef_value(text: str) -> str:
    """A value of CEF's extension."""
    return text.replace("\\", "\\\\").replace("=", "\\=")


def _ecs(note: Notification, delivery_id: str, told: list[str], at: datetime) -> str:
    """Elastic Common Schema 8. It has no field for a classification, so that is a label."""
    event: dict[str, Any] = {"kind": "alert", "action": str(note.kind), "id": delivery_id, "provider": APP_NAME}
    labels = {"customer": note.customer} | ({"dry_run": str(note.dry_run)} if note.mark else {})
    if note.threat:
        shown = dict(essentials(note))
        event |= {"severity": GRADES[_graded(note)], "url": shown["Threat"]}
        labels |= {"severity": shown["Severity"], "classification": shown["Classification"]}
    document = {
        "@timestamp": at.isoformat(timespec="milliseconds"),
        "ecs": {"version": "8.11.0"},
        "event": event,
        "labels": labels,
        "message": "; ".join(told),
    }
    return json.dumps(document, ensure_ascii=False)


_BODIES: dict[str, Callable[[Notification, str, list[str], datetime], str]] = {"plain": _plain, "cef": _cef, "ecs": _ecs}


ENTRY = Entry(Config, Syslog, probe)
