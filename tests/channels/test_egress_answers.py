"""What a guarded POST makes of answers that are slow, endless or nonsense: what is known afterwards, and when it gives up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextlib import closing

import pytest

from ar_workers.domain.errors import NotSent, OutcomeUnknown

from .posting import BODY, NAME, a_post, an_egress


@pytest.fixture
def raw(tls):
    """A server below HTTP: `raw(pieces, pause)` is the port of one that reads a request and then says the pieces, slowly."""
    listeners = []

    def serve(pieces, pause=0.0, *, handshake=True):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run():
            with contextlib.suppress(OSError):  # the client leaves in the middle, as it should: the tests assert that it did
                connection, _ = listener.accept()
                with closing(tls.wrap_socket(connection, server_side=True) if handshake else connection) as secured:
                    while handshake and not secured.recv(65_536).endswith(BODY):
                        pass
                    for piece in pieces:
                        time.sleep(pause)
                        secured.sendall(piece)

        threading.Thread(target=run, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for listener in listeners:
        listener.close()


OK = b"HTTP/1.1 200 OK\r\n"


def single(data):
    return [data[at : at + 1] for at in range(len(data))]


SLOW = [
    ("status line", single(OK + b"Content-Length: 0\r\n\r\n")),
    ("headers", [OK, *single(b"X-A: " + b"a" * 100 + b"\r\n\r\n")]),
]


@pytest.mark.parametrize(("name", "pieces"), SLOW, ids=[name for name, _ in SLOW])
def test_a_trickle_does_not_outlast_the_deadline(authority, raw, name, pieces):
    """Each byte is in time for a read; were only reads limited, this would be an answer in the end."""
    port = raw(pieces, 0.05)
    with pytest.raises(OutcomeUnknown, match="TimeoutError"):
        a_post(an_egress(authority, port, read=5.0, total=0.6), f"https://{NAME}:{port}/")


def test_a_body_that_trickles_does_not_change_what_the_status_has_said(authority, raw):
    port = raw([OK + b"Content-Length: 1000\r\n\r\n", *single(b"x" * 1000)], 0.05)
    assert a_post(an_egress(authority, port, read=5.0, total=0.6), f"https://{NAME}:{port}/").status == 200


def test_a_body_without_end_is_cut_off(authority, raw):
    port = raw([OK + b"\r\n", *[b"x" * 65_536] * 200])
    assert len(a_post(an_egress(authority, port), f"https://{NAME}:{port}/").body) <= 2**16


def test_a_handshake_that_never_comes_was_surely_not_told(authority, raw):
    port = raw([b""], 2.0, handshake=False)
    with pytest.raises(NotSent):
        a_post(an_egress(authority, port, total=0.4), f"https://{NAME}:{port}/")


NONSENSE = [
    b"",
    b"SSH-2.0-x\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 99 Low\r\n\r\n",
    b"HTTP/1.1 103 Early\r\n\r\n",
    b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
    OK + b"A: b\r\n" * 200 + b"\r\n",
    OK + b"A: " + b"b" * 70_000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_that_is_none_leaves_the_outcome_unknown(authority, raw, nonsense):
    port = raw([nonsense])
    with pytest.raises(OutcomeUnknown):
        a_post(an_egress(authority, port, total=5.0), f"https://{NAME}:{port}/")


ODD = [
    OK + b"Content-Length: -5\r\n\r\nx",
    OK + b"Content-Length: 99\r\n\r\nx",
    OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_status_counts_whatever_is_wrong_with_the_body(authority, raw, odd):
    port = raw([odd])
    assert a_post(an_egress(authority, port), f"https://{NAME}:{port}/").status == 200
