"""A pretend SIEM: takes syslog over UDP, TCP and TLS, and keeps what RFC 5424 allows."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

from ..faults import Fault, FaultPlan
from ..inbox import Inbox, Place
from ..journal import Journal
from ..server import ABORT, LOOPBACK

VENDOR = "syslog"
LARGEST = 65_536
_HEADER = re.compile(
    r"<(?P<pri>0|[1-9]\d{0,2})>1 (?P<timestamp>\S+) (?P<hostname>[!-~]{1,255}) (?P<app>[!-~]{1,48})"
    r" (?P<procid>[!-~]{1,128}) (?P<msgid>[!-~]{1,32}) "
)
_TIMESTAMP = re.compile(r"-|\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_ELEMENT = re.compile(r'\[(?P<id>[^\s="\]]{1,32})(?P<params>( [^\s="\]]{1,32}="([^"\\\]]|\\.)*")*)\]', re.DOTALL)
_PARAM = re.compile(r' ([^\s="\]]+)="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parsed(raw: bytes) -> dict[str, Any]:
    """One message, field by field. Raises ValueError for what RFC 5424 does not allow, and for control characters."""
    text = raw.decode("utf-8")
    header = _HEADER.match(text)
    if header is None:
        raise ValueError("no RFC 5424 header")
    priority = int(header["pri"])
    if priority > 191 or not _TIMESTAMP.fullmatch(header["timestamp"]):
        raise ValueError("PRI or TIMESTAMP out of range")
    data, rest = _structured(text[header.end() :])
    if rest and not rest.startswith(" "):
        raise ValueError("no space before MSG")
    message = rest[1:].removeprefix("\ufeff")
    if _CONTROL.search(text):
        raise ValueError("a control character")
    return {**header.groupdict(), "facility": priority // 8, "severity": priority % 8, "data": data, "message": message}


def _structured(text: str) -> tuple[dict[str, dict[str, str]], str]:
    if text.startswith("-"):
        return {}, text[1:]
    found: dict[str, dict[str, str]] = {}
    while element := _ELEMENT.match(text):
        if element["id"] in found:
            raise ValueError("an SD-ID twice")
        pairs = _PARAM.findall(element["params"])
        found[element["id"]] = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in pairs}
        text = text[element.end() :]
    if not found:
        raise ValueError("no STRUCTURED-DATA")
    return found, text


def frames(stream: BufferedIOBase) -> Iterator[bytes]:
    """Messages of a stream (RFC 6587), by octet count where it begins with a digit, else by line feed.

    What a broken frame holds comes with its count, so that it cannot pass for a message.
    """
    while first := stream.read(1):
        if not first.isdigit():
            yield (first + stream.readline(LARGEST)).removesuffix(b"\n")
            continue
        count = first
        while (char := stream.read(1)).isdigit():
            count += char
        frame = stream.read(int(count)) if char == b" " else stream.readline(LARGEST)
        yield frame if char == b" " and len(frame) == int(count) else count + char + frame


class SyslogInbox:
    """Three ports: `udp`, `tcp` and `tls`. Each message is a request, and a message if it is one by RFC 5424."""

    def __init__(self, journal: Journal, faults: FaultPlan, *, tls: ssl.SSLContext, ports: dict[str, int]) -> None:
        self._journal, self._faults = journal, faults
        self._servers: dict[str, _Datagrams | _Streams] = {
            "udp": _Datagrams((LOOPBACK, ports.get("syslog_udp", 0)), _Datagram),
            "tcp": _Streams((LOOPBACK, ports.get("syslog_tcp", 0)), _Stream),
            "tls": _Streams((LOOPBACK, ports.get("syslog_tls", 0)), _Stream),
        }
        # The handshake happens in the connection's own thread: a slow client must not block accept.
        sealed = self._servers["tls"]
        sealed.socket = tls.wrap_socket(sealed.socket, server_side=True, do_handshake_on_connect=False)
        self._threads: list[threading.Thread] = []
        for transport, server in self._servers.items():
            server.inbox, server.transport = self, transport

    @property
    def ports(self) -> dict[str, int]:
        return {transport: int(server.server_address[1]) for transport, server in self._servers.items()}

    def start(self) -> None:
        for transport, server in self._servers.items():
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=f"{VENDOR}-{transport}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop listening; stopping twice is stopping."""
        for server in self._servers.values() if self._threads else ():
            server.shutdown()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        for server in self._servers.values():
            server.server_close()

    def take(self, raw: bytes, transport: str) -> bool:
        """Keep one message, or let it go as the faults in force say. Whether the connection goes on."""
        fault = self._faults.draw(vendor=VENDOR, tenant="", method=transport.upper(), path="", body=raw.decode("utf-8", "replace"))
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        lost = fault is not None and fault.action in {"reset_before", "hang_before"}
        problem = None if lost else self._keep(raw, transport)
        self._journal.append(
            "request",
            vendor=VENDOR,
            tenant="",
            method=transport.upper(),
            path="",
            query="",
            body=raw.decode("utf-8", "replace"),
            status=None,
            fault=_name(fault) or problem,
        )
        return not (lost or (fault is not None and fault.action in {"reset_after", "hang_after"}))

    def _keep(self, raw: bytes, transport: str) -> str | None:
        try:
            message = parsed(raw)
        except ValueError as error:
            return f"malformed: {error}"
        subject = message["message"]
        self._journal.append("message", vendor=VENDOR, tenant="", channel=transport, id=message["msgid"], subject=subject, body=message)
        return None


def _name(fault: Fault | None) -> str | None:
    return (fault.label or fault.action) if fault else None


class _Datagram(socketserver.BaseRequestHandler):
    server: _Datagrams

    def handle(self) -> None:
        self.server.inbox.take(self.request[0], self.server.transport)


class _Stream(socketserver.StreamRequestHandler):
    server: _Streams

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            for frame in frames(self.rfile):
                if not self.server.inbox.take(frame, self.server.transport):
                    return self._drop()
        return None

    def _drop(self) -> None:
        """RST in place of a polite FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        os.close(self.connection.detach())


class _Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = LARGEST
    inbox: SyslogInbox
    transport: str


class _Streams(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    inbox: SyslogInbox
    transport: str


def _servers(place: Place) -> dict[str, Any]:
    return {"syslog": SyslogInbox(place.journal, place.faults, tls=place.tls, ports=place.ports)}


def _addresses(servers: dict[str, Any]) -> dict[str, str]:
    return {f"syslog_{transport}": f"127.0.0.1:{port}" for transport, port in servers["syslog"].ports.items()}


INBOX = Inbox(_servers, _addresses, {})
