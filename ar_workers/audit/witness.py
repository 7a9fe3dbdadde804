"""The ends of chains, told to a syslog server elsewhere: who rewrites a chain cannot take them back there.

Over TLS or TCP, framed by length (RFC 5425, 4.3; RFC 6587, 3.4.1): what a datagram loses nobody misses. Each message bears the chain's
seal, so that nobody else can have said it.
"""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..domain.errors import RecordUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..domain.audit import Anchor

#: Seconds for the whole of a connection; it is made once a minute.
DEADLINE = 5.0
#: Facility 13 (log audit), severity 5 (notice): RFC 5424, 6.2.1.
_PRIORITY = 13 * 8 + 5
PORT = 6514


class SyslogWitness:
    """`ports.Witness` at `tls://HOST:PORT` or `tcp://HOST:PORT`."""

    def __init__(self, url: str, *, ca_file: Path | None = None) -> None:
        self._parts, self._ca_file = urlsplit(url), ca_file

    def tell(self, ends: Mapping[str, Anchor]) -> None:
        messages = [_framed(_message(customer, anchor)) for customer, anchor in sorted(ends.items())]
        host, port = self._parts.hostname or "", self._parts.port or PORT
        try:
            with socket.create_connection((host, port), timeout=DEADLINE) as plain:
                if self._parts.scheme == "tcp":
                    plain.sendall(b"".join(messages))
                    return
                with ssl.create_default_context(cafile=self._ca_file).wrap_socket(plain, server_hostname=host) as connection:
                    connection.sendall(b"".join(messages))
        except OSError as error:
            raise RecordUnusable(f"the syslog server {host}:{port} in AR_AUDIT_SYSLOG takes no ends of the record ({error})") from None


def _message(customer: str, anchor: Anchor) -> bytes:
    """Of one chain. A customer's name and a hash need no escapes (RFC 5424, 6.3.3)."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    words = f'customer="{customer}" end="{anchor.seq}:{anchor.digest}" seal="{anchor.seal}"'
    return f"<{_PRIORITY}>1 {at} {socket.gethostname() or '-'} ar_workers - audit - {words}".encode()


def _framed(message: bytes) -> bytes:
    return b"%d %b" % (len(message), message)
