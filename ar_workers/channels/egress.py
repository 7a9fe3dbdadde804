"""The guarded POST: the one way to an address that somebody else has given us, and to nothing inside our own network.

It speaks through `http.client` on a socket that it has opened itself. The usual clients resolve a name again when they
connect, read proxies from the environment, follow redirects and put the URL into their messages; here none of that
exists, so none of it has to be switched off.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

from ..domain import leases
from ..domain.errors import Denied, NotSent, OutcomeUnknown
from .base import CONNECT, READ
from .targets import is_public, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from .targets import Address, Target

    Network = IPv4Network | IPv6Network
    Resolver = Callable[[str, int], Iterable[str]]

#: A whole call: connecting, sending, and however slowly the reply trickles in. Leases are longer than this.
TOTAL = 30.0
LARGEST_REPLY = 2**16
_CHUNK = 2**14


@dataclass(frozen=True)
class Reply:
    """The status, lower-case headers, and as much of the body as was wanted. A receiver may echo the URL: only the status is shown."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def resolved(host: str, port: int) -> list[str]:
    """Every address of `host`, by this machine's resolver, which sets its own time limit."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Egress:
    """POSTs to addresses that others gave us.

    `allowed` are networks that the operator, never a customer, opens although they are not public; `ports` are the
    only ones that are dialled; `ca_file` is trusted beside the public authorities.
    """

    def __init__(
        self,
        *,
        allowed: Iterable[str] = (),
        ports: Iterable[int] = (443,),
        ca_file: Path | None = None,
        resolve: Resolver = resolved,
        read: float = READ,
        total: float = TOTAL,
    ) -> None:
        self._allowed: tuple[Network, ...] = tuple(map(ip_network, allowed))
        self._ports, self._resolve = frozenset(ports), resolve
        self._read, self._total = read, total
        self._tls = ssl.create_default_context()
        if ca_file:
            self._tls.load_verify_locations(cafile=str(ca_file))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request, sent once. Any status is returned, a redirect too: it is not followed.

        Raises Denied (the address may not be asked), NotSent (no connection came about) or OutcomeUnknown (something
        was sent and no answer came). No message holds anything of the URL, or of what the receiver said.
        """
        target, ends = _target(url), _Deadline(self._total)
        with contextlib.closing(self._connected(target, self._checked(target), ends)) as secured:
            if leases.is_over():
                raise NotSent(leases.LATE)
            try:
                return _exchanged(_Timed(secured, ends, self._read), target, body, headers)
            except (HTTPException, OSError) as error:
                raise OutcomeUnknown(f"no answer ({type(error).__name__})") from None

    def reach(self, url: str) -> None:
        """Connect, with all that is checked before a request, and ask nothing. Raises Denied or NotSent."""
        target = _target(url)
        self._connected(target, self._checked(target), _Deadline(self._total)).close()

    def _checked(self, target: Target) -> list[str]:
        """The addresses of the target, looked up once. One that is not public spoils all."""
        if target.port not in self._ports:
            raise Denied("address refused: its port is not allowed")
        try:
            found = [ip_address(each) for each in self._resolve(target.host, target.port)]
        except (OSError, ValueError) as error:
            raise NotSent(f"the name could not be resolved ({type(error).__name__})") from None
        if not found:
            raise NotSent("the name has no address")
        if not all(is_public(each) or self._is_allowed(each) for each in found):
            raise Denied("address refused: it is not public")
        return [str(each) for each in found]

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed if network.version == address.version)

    def _connected(self, target: Target, addresses: Iterable[str], ends: _Deadline) -> ssl.SSLSocket:
        """A verified connection to the first of the checked addresses that answers; the name counts for the certificate."""
        failure = "no time left"
        for address in addresses:
            try:
                return self._dialled(address, target, ends)
            except (OSError, ValueError) as error:
                failure = type(error).__name__
        raise NotSent(f"no connection ({failure})")

    def _dialled(self, address: str, target: Target, ends: _Deadline) -> ssl.SSLSocket:
        raw = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.settimeout(ends.left(CONNECT))
            raw.connect((address, target.port))
            raw.settimeout(ends.left(CONNECT))
            return self._tls.wrap_socket(raw, server_hostname=target.host)
        except BaseException:
            raw.close()
            raise


def _target(url: str) -> Target:
    try:
        return parsed(url)
    except ValueError as error:
        raise Denied(f"address refused: it {error}") from None


class _Deadline:
    def __init__(self, total: float) -> None:
        self._end = time.monotonic() + total

    def left(self, most: float) -> float:
        """Seconds that the next step may take. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class _Timed(io.RawIOBase):
    """A socket for `http.client` that looks at the clock before each step, so that a trickle does not outlast the deadline."""

    def __init__(self, secured: ssl.SSLSocket, ends: _Deadline, most: float) -> None:
        self._secured, self._ends, self._most = secured, ends, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._secured.settimeout(self._ends.left(self._most))
        return self._secured.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            self._secured.settimeout(self._ends.left(self._most))
            self._secured.sendall(data[start : start + _CHUNK])

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Nothing: `http.client` closes before it has read the body. Who opened the socket closes it."""


def _exchanged(timed: _Timed, target: Target, body: bytes, headers: Mapping[str, str]) -> Reply:
    connection = HTTPConnection(target.host)
    connection.auto_open = 0
    connection.sock = cast("socket.socket", timed)
    ours = {"Host": target.authority, "User-Agent": "ar_workers", "Accept-Encoding": "identity", "Connection": "close"}
    connection.request("POST", target.path, body, {**headers, **ours})
    response = connection.getresponse()
    if response.status < 200:  # noqa: PLR2004 - no final answer
        raise HTTPException
    lower = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, lower, b"".join(_body(response)))


def _body(response: Any) -> Iterator[bytes]:
    """The beginning of the body. Where it breaks off does not matter: the status has said what became of the request."""
    with contextlib.suppress(HTTPException, OSError, ValueError):
        yield response.read(LARGEST_REPLY)
