"""A threaded HTTP/1.1 server that lets a twin answer, and a fault plan spoil the answers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs

from .clock import VirtualClock
from .faults import Fault, FaultPlan
from .journal import Journal, readable_body, readable_path, readable_query

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 16 * 1024 * 1024
LONGEST_LINE = 65_536
MOST_FIELDS = 100
#: SO_LINGER on with zero seconds: closing sends RST instead of FIN.
ABORT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """One request as a twin sees it; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    client: str

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def number(self, name: str, default: int, refusal: Exception, *, least: int = 0, most: int = sys.maxsize) -> int:
        """A query parameter that must be a whole number."""
        text = self.first(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise refusal
        return int(text)

    def json(self, *, other_type: Exception, broken: Exception, media: str = "json") -> Any:
        """The JSON of the body; raises what the vendor says to another content type, or to no JSON."""
        if media not in self.content_type:
            raise other_type
        try:
            return json.loads(self.body)
        except ValueError:
            raise broken from None

    def form(self) -> dict[str, str]:
        """The first value of each field of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    @property
    def host_url(self) -> str:
        """Where the caller found this server."""
        return f"http://{self.headers.get('host', LOOPBACK)}"

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def as_bytes(self, *, close: bool = False) -> bytes:
        """The whole reply in one piece: two writes would meet Nagle and the delayed ACK."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(self.body)}")
        if close:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def json_reply(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(document).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class Twin(Protocol):
    """The pretend end of one API."""

    vendor: str

    def answer(self, request: Request) -> Reply: ...

    def tenant_of(self, request: Request) -> str: ...


class Untenanted:
    """A twin that serves everybody alike."""

    def tenant_of(self, request: Request) -> str:
        del request
        return ""


class ConnectionDropped(Exception):
    """The plan wants this connection gone without an answer."""


class Exchange:
    """Answers one request: draws a fault, asks the twin, writes the journal."""

    def __init__(self, twin: Twin, journal: Journal | None, faults: FaultPlan | None, clock: VirtualClock | None) -> None:
        self._twin = twin
        self._clock = clock
        self._journal = journal
        self._faults = faults

    def run(self, request: Request) -> tuple[Reply, bool]:
        """The reply, and whether the connection must be cut in the middle of it."""
        tenant = self._twin.tenant_of(request)
        fault = self._draw(request, tenant)
        reply: Reply | None = None
        try:
            reply = self._spoilt(request, fault) if fault else self._twin.answer(request)
        finally:
            self._record(request, tenant, reply, fault)
        if self._clock is not None:
            reply.headers.setdefault("Date", formatdate(self._clock.now(), usegmt=True))
        return reply, fault is not None and fault.action == "cut"

    def _draw(self, request: Request, tenant: str) -> Fault | None:
        if self._faults is None:
            return None
        return self._faults.draw(
            vendor=self._twin.vendor,
            tenant=tenant,
            method=request.method,
            path=request.path,
            body=request.body.decode("utf-8", "replace"),
        )

    def _spoilt(self, request: Request, fault: Fault) -> Reply:
        if fault.action in {"delay", "hang_before"}:
            time.sleep(fault.seconds)
        if fault.action in {"reset_before", "hang_before"}:
            raise ConnectionDropped
        if fault.action in {"reply", "redirect"}:
            return Reply(fault.status, fault.body.encode(), dict(fault.headers))
        reply = self._twin.answer(request)
        if fault.action == "hang_after":
            time.sleep(fault.seconds)
        if fault.action in {"reset_after", "hang_after"}:
            raise ConnectionDropped
        if fault.action == "truncate":
            reply.body = reply.body[: len(reply.body) // 2]
        return reply

    def _record(self, request: Request, tenant: str, reply: Reply | None, fault: Fault | None) -> None:
        if self._journal is None:
            return
        self._journal.append(
            "request",
            vendor=self._twin.vendor,
            tenant=tenant,
            method=request.method,
            path=readable_path(request.path),
            query=readable_query(request.query),
            body=readable_body(request.body, request.content_type),
            status=reply.status if reply else None,
            fault=(fault.label or fault.action) if fault else None,
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    exchange: Exchange
    raw_requestline: bytes
    server: _Listener

    def serve(self) -> None:
        request = self._read()
        if request is None:
            self.close_connection = True
            self.wfile.write(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE).as_bytes(close=True))
            return
        try:
            reply, cut = self.exchange.run(request)
        except ConnectionDropped:
            self._drop(self.connection)
            return
        data = reply.as_bytes(close=self.close_connection)
        if cut:
            self.wfile.write(data[: len(data) - len(reply.body) // 2 - 1])
            self.close_connection = True
            return
        self.wfile.write(data)

    def parse_request(self) -> bool:
        """Read the head of a request without the mail parser of the library, which takes most of its time."""
        words = self.raw_requestline.decode("latin-1").split()
        if len(words) != 3:
            self.close_connection = True
            self.wfile.write(Reply(HTTPStatus.BAD_REQUEST).as_bytes(close=True))
            return False
        self.command, self.path, self.request_version = words
        self.fields: dict[str, str] = {}
        while (line := self.rfile.readline(LONGEST_LINE).decode("latin-1").strip()) and len(self.fields) < MOST_FIELDS:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        self.close_connection = self.fields.get("connection", "").lower() == "close" or self.request_version == "HTTP/1.0"
        if self.fields.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve  # noqa: N815

    def _read(self) -> Request | None:
        headers = self.fields
        if "chunked" in headers.get("transfer-encoding", ""):
            body = self._read_chunks()
        else:
            length = int(headers.get("content-length") or 0)
            if length > LARGEST_BODY:
                return None
            body = self.rfile.read(length) if length else b""
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            headers=headers,
            body=body,
            client=self.client_address[0],
        )

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _drop(self, connection: socket.socket) -> None:
        """Close the descriptor under everybody's feet: the library's own way sends a polite FIN first."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.close_connection = True
        self.server.forget(connection)
        os.close(connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The journal is the log."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self._live: set[socket.socket] = set()
        self._live_lock = threading.Lock()
        super().__init__((LOOPBACK, port), handler)

    def server_bind(self) -> None:
        """Bind without the reverse name lookup of the standard library, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._live_lock:
            self._live.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.forget(request)
        super().shutdown_request(request)

    def forget(self, connection: socket.socket) -> None:
        with self._live_lock:
            self._live.discard(connection)

    def hang_up(self) -> None:
        """End the kept-alive connections, so that a stopped server is really gone."""
        with self._live_lock:
            live, self._live = list(self._live), set()
        for connection in live:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go; a broken connection is not worth a traceback, a broken twin is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Server:
    """One twin on one loopback port, plain or over TLS."""

    def __init__(
        self,
        twin: Twin,
        *,
        journal: Journal | None = None,
        faults: FaultPlan | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        clock: VirtualClock | None = None,
    ) -> None:
        self.twin: Any = twin
        handler = type("Handler", (_Handler,), {"exchange": Exchange(twin, journal, faults, clock)})
        self._listener = _Listener(port, handler)
        if tls is not None:
            # The handshake happens in the connection's own thread: a slow client must not block accept.
            self._listener.socket = tls.wrap_socket(self._listener.socket, server_side=True, do_handshake_on_connect=False)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._serve, name=f"twin-{twin.vendor}", daemon=True)

    @property
    def port(self) -> int:
        return self._listener.server_port

    @property
    def url(self) -> str:
        return f"{self._scheme}://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and end every connection; stopping twice is stopping."""
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.hang_up()

    def _serve(self) -> None:
        self._listener.serve_forever(poll_interval=0.02)
