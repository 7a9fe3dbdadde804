"""The ends of chains are told to a syslog server elsewhere."""

from __future__ import annotations

import re
import socket
import ssl
import threading

import pytest
import trustme

from ar_workers.audit.verifying import verified
from ar_workers.audit.witness import SyslogWitness
from ar_workers.domain.errors import RecordUnusable
from tests.audit.building import a_chain
from tests.keys import SEALS


class Server:
    """Takes one connection, and keeps what came over it."""

    def __init__(self, wrap=lambda plain: plain):
        self._wrap, self._socket = wrap, socket.create_server(("127.0.0.1", 0))
        self.port, self.taken = self._socket.getsockname()[1], b""
        self.broke_off = None
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self):
        plain, _ = self._socket.accept()
        plain.settimeout(10)
        with self._socket, plain:
            try:
                with self._wrap(plain) as connection:
                    while data := connection.recv(65536):
                        self.taken += data
            except OSError as error:  # a client that does not believe us ends it, which is what some tests want
                self.broke_off = error

    def messages(self):
        self._thread.join(10)
        found, rest = [], self.taken
        while rest:
            size, _, rest = rest.partition(b" ")
            found.append(rest[: int(size)].decode())
            rest = rest[int(size) :]
        return found


@pytest.fixture
def ends(tmp_path):
    chains = a_chain(tmp_path)
    a_chain(tmp_path, customer="globex")
    return {name: chains.anchor(name) for name in ("acme", "globex")}


def test_each_end_is_a_message_with_its_seal_and_can_be_compared_later(ends, tmp_path):
    server = Server()
    SyslogWitness(f"tcp://127.0.0.1:{server.port}").tell(ends)
    acme, globex = server.messages()
    assert re.match(r"<109>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ ar_workers - audit - customer=\"acme\" ", acme)
    assert 'customer="globex"' in globex
    assert ends["acme"].seal in acme
    seq, digest = re.search(r'end="(\d+):(\w+)"', acme).groups()
    assert verified(tmp_path, "acme", seals=SEALS, seen=(int(seq), digest)).findings == []


def test_over_tls_the_server_must_be_who_it_says(ends, tmp_path):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(lambda plain: context.wrap_socket(plain, server_side=True))
    SyslogWitness(f"tls://127.0.0.1:{server.port}", ca_file=tmp_path / "ca.pem").tell(ends)
    assert len(server.messages()) == 2
    stranger = Server(lambda plain: context.wrap_socket(plain, server_side=True))
    with pytest.raises(RecordUnusable, match="AR_AUDIT_SYSLOG"):
        SyslogWitness(f"tls://127.0.0.1:{stranger.port}").tell(ends)
    assert stranger.messages() == []


def test_a_server_that_is_away_is_named(ends):
    with pytest.raises(RecordUnusable, match=r"127\.0\.0\.1:1 in AR_AUDIT_SYSLOG"):
        SyslogWitness("tcp://127.0.0.1:1").tell(ends)
