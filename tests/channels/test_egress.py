"""A guarded POST: what it dials, what arrives, and that nothing it tells shows the URL."""

from __future__ import annotations

import logging
import socket
import traceback
from contextlib import closing

import pytest

from ar_workers.channels.egress import Egress
from ar_workers.domain.errors import Denied, NotSent
from ar_workers.simulator.server import Reply, Server

from .posting import BODY, NAME, SECRET, Ear, a_post, an_egress


@pytest.fixture
def ear(tls):
    twin = Ear()
    server = Server(twin, tls=tls)
    server.start()
    twin.port = server.port
    yield twin
    server.stop()


def test_one_post_arrives_as_it_was_meant(authority, ear):
    reply = a_post(an_egress(authority, ear.port), f"https://{NAME}:{ear.port}/a%20b/c?x=1&y=%2F")
    (heard,) = ear.heard
    assert (heard.method, heard.path, heard.query) == ("POST", "/a%20b/c", {"x": ["1"], "y": ["/"]})
    assert (heard.headers["host"], heard.body) == (f"{NAME}:{ear.port}", BODY)
    assert "authorization" not in heard.headers
    assert (reply.status, reply.headers["x-case"], reply.body) == (200, "Kept", b"fine")


def test_the_guard_against_connections_would_see_one(authority, ear, connects):
    """The control of all tests that expect no connection: one that is allowed is seen, and one to elsewhere would fail the test."""
    a_post(an_egress(authority, ear.port), f"https://{NAME}:{ear.port}/")
    assert connects == [("127.0.0.1", ear.port)]
    with pytest.raises(RuntimeError, match="a test tried to reach"):
        a_post(Egress(allowed=["0.0.0.0/0"], resolve=lambda *_: ["10.0.0.1"]), f"https://{NAME}/")


def test_a_name_is_looked_up_once_and_what_was_checked_is_dialled(authority, ear, connects):
    """DNS rebinding: the second answer would be one of ours."""
    asked = []

    def rebinding(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    reply = a_post(an_egress(authority, ear.port, resolve=rebinding), f"https://{NAME}:{ear.port}/")
    assert reply.status == 200
    assert asked == [(NAME, ear.port)]
    assert connects == [("127.0.0.1", ear.port)]


def test_a_name_that_has_moved_inside_is_refused_the_next_time(authority, ear):
    egress = an_egress(authority, ear.port, ["127.0.0.1"], ["10.0.0.1"])
    a_post(egress, f"https://{NAME}:{ear.port}/")
    with pytest.raises(Denied):
        a_post(egress, f"https://{NAME}:{ear.port}/")
    assert len(ear.heard) == 1


def test_the_next_checked_address_is_tried_if_one_does_not_answer(authority, ear, connects):
    egress = an_egress(authority, ear.port, ["127.0.0.99", "127.0.0.1"])
    assert a_post(egress, f"https://{NAME}:{ear.port}/").status == 200
    assert connects == [("127.0.0.99", ear.port), ("127.0.0.1", ear.port)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(authority, ear, connects, status):
    ear.reply = Reply(status, b"", {"Location": f"https://{NAME}:{ear.port}/inner"})
    assert a_post(an_egress(authority, ear.port), f"https://{NAME}:{ear.port}/").status == status
    assert len(ear.heard) == len(connects) == 1


def test_no_proxy_is_taken_from_the_environment(authority, ear, connects, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    a_post(an_egress(authority, ear.port), f"https://{NAME}:{ear.port}/")
    assert connects == [("127.0.0.1", ear.port)]


@pytest.mark.parametrize(("host", "trusted"), [("other.acme.example", True), (NAME, False)])
def test_a_certificate_for_another_name_or_of_a_stranger_is_not_trusted(authority, ear, host, trusted):
    more = {} if trusted else {"ca_file": None}
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        a_post(an_egress(authority, ear.port, **more), f"https://{host}:{ear.port}/")
    assert ear.heard == []


def gone(*_):
    raise socket.gaierror(-2, f"Name or service not known {SECRET}")


@pytest.mark.parametrize("resolve", [gone, lambda *_: [], lambda *_: ["not an address"]])
def test_a_name_that_leads_nowhere_was_surely_not_told(resolve, connects):
    with pytest.raises(NotSent):
        a_post(Egress(resolve=resolve), f"https://{NAME}/")
    assert connects == []


def test_a_closed_port_was_surely_not_told(authority):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        a_post(an_egress(authority, port), f"https://{NAME}:{port}/")


def test_nothing_that_is_told_shows_the_url(authority, ear, caplog):
    caplog.set_level(logging.DEBUG)
    url = f"https://{NAME}:{ear.port}/{SECRET}?sig={SECRET}"
    ear.reply = Reply(302, SECRET.encode(), {"Location": url})
    egress = an_egress(authority, ear.port)
    shown = [repr(a_post(egress, url)), repr(egress), repr(vars(egress))]
    failing = [
        (egress, f"http://{NAME}/{SECRET}"),
        (egress, f"https://{SECRET}@{NAME}/{SECRET}"),
        (egress, f"https://{NAME}:1/{SECRET}"),
        (egress, f"https://{NAME}/{SECRET}\r\nX: y"),
        (an_egress(authority, ear.port, ["10.0.0.1"]), url),
        (an_egress(authority, ear.port, ["127.0.0.1"], ca_file=None), url),
        (an_egress(authority, ear.port, total=0.0), url),
    ]
    for broken, address in failing:
        with pytest.raises((Denied, NotSent)) as refused:
            a_post(broken, address)
        shown.append(str(refused.value) + repr(refused.value) + "".join(traceback.format_exception(refused.value, chain=True)))
    assert [told for told in [*shown, caplog.text] if SECRET in told] == []
