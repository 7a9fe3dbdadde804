"""The guard before every address that somebody else gave us: what it refuses costs no connection, and what it tells is nothing."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
import threading
import time
import traceback
from contextlib import closing
from ipaddress import ip_address

import pytest
import trustme

from ar_workers.channels.egress import Egress
from ar_workers.channels.targets import is_public, parsed
from ar_workers.domain.errors import Denied, NotSent, OutcomeUnknown
from ar_workers.simulator.server import Reply, Request, Server

SECRET = "canary-5d1c2"
NAME = "hooks.acme.example"
BODY = b'{"a":1}'
_connects: list[object] = []


def _remember(event, arguments):
    if event == "socket.connect":
        _connects.append(arguments[1])


sys.addaudithook(_remember)


@pytest.fixture(autouse=True)
def connects():
    """Every address that anything in this process dialled during the test."""
    _connects.clear()
    return _connects


class Ear:
    """A twin that remembers what it was asked, and answers what it was told to."""

    vendor = "ear"

    def __init__(self):
        self.heard: list[Request] = []
        self.reply = Reply(200, b"fine", {"X-Case": "Kept"})

    def tenant_of(self, request):
        return ""

    def answer(self, request):
        self.heard.append(request)
        return self.reply


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"


@pytest.fixture(scope="module")
def tls(authority):
    ca, path = authority
    ca.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(NAME, "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def ear(tls):
    twin = Ear()
    server = Server(twin, tls=tls)
    server.start()
    twin.port = server.port
    yield twin
    server.stop()


def an_egress(authority, port, *answers, **more):
    """Resolves every name to the answers, in order; the last one stays."""
    left = [list(each) for each in answers or [("127.0.0.1",)]]
    wish = {
        "allowed": ["127.0.0.0/8"],
        "ports": [port],
        "ca_file": authority[1],
        "resolve": lambda *_: left.pop(0) if len(left) > 1 else left[0],
    }
    return Egress(**(wish | more))


def a_post(egress, url):
    return egress.post(url, BODY, {"Content-Type": "application/json"})


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


REFUSED_BY_FORM = """
http://acme.example/
HTTP://acme.example/
ftp://acme.example/
file:///etc/passwd
gopher://acme.example/_x
//acme.example/
acme.example/hook
https:acme.example
https:/acme.example/
https:///acme.example/
https://
https://:443/
https://?x
javascript:alert(1)
data:text/plain,x
https://user@acme.example/
https://user:pass@acme.example/
https://:@acme.example/
https://@acme.example/
https://acme.example@127.0.0.1/
https://127.0.0.1@acme.example/
https://acme.example:443@127.0.0.1/
https://acme.example%40127.0.0.1/
https://acme.example#@127.0.0.1/
https://acme.example/#fragment
https://acme.example\\@127.0.0.1/
https:\\\\acme.example/
https://acme.example\\.evil.example/
https://acme.example/a\\..\\b
https://127.1/
https://127.0.1/
https://127/
https://2130706433/
https://0x7f.1/
https://0x7f000001/
https://0X7F.0.0.1/
https://0x7f.0x0.0x0.0x1/
https://0177.0.0.1/
https://0177.0.0.01/
https://017700000001/
https://127.0.0.01/
https://127.000.000.001/
https://127.0.0.1.1/
https://127.0.0.256/
https://127.0.0.-1/
https://1.2.3.4.5.6/
https://0/
https://0x/
https://00/
https://0.0/
https://4294967296/
https://acme.example.0x7f/
https://acme.1/
https://127.0.0.1./
https://localhost./
https://acme.example./
https://acme.example../
https://.acme.example/
https://acme..example/
https://.../
https://-acme.example/
https://acme-.example/
https://ac_me.example/
https://*.acme.example/
https://acme.example%2e/
https://%31%32%37.0.0.1/
https://acme%00.example/
https://acme.example%20/
https://acme.example:/
https://acme.example:0443/
https://acme.example:99999/
https://acme.example:-1/
https://acme.example:4_43/
https://acme.example:443:443/
https://acme.example:x/
https://acme.example:+443/
https://[::1/
https://::1/
https://[::1]evil.example/
https://evil.example[::1]/
https://[127.0.0.1]/
https://[fe80::1%25eth0]/
https://[fe80::1%eth0]/
https://[2606:4700::1111%25lo]/
https://[v1.fe80]/
https://[acme.example]/
https://[::1]:x/
https://[]/
https://[::ffff:127.0.0.1
https://(acme.example)/
https://acme.example,127.0.0.1/
https://acme.example;127.0.0.1/
https://{acme}.example/
https://acme.example|127.0.0.1/
https://a'cme.example/
https://a$cme.example/
https://a!cme.example/
https://a~cme.example/
""".split()
REFUSED_BY_CHARACTER = [
    "",
    " ",
    " https://acme.example/",
    "https://acme.example/ ",
    "https://acme.example/\n",
    "https://acme.example\n/",
    "https://acme.example/\r\nX-Evil: 1",
    "https://acme.example/a b",
    "https://ac\tme.example/",
    "ht\ntps://acme.example/",
    "https://acme.example/\0",
    "https://acme\0.example/",
    "\x01https://acme.example/",
    "https://acm\u00e9.example/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "https://127\u30020\u30020\u30021/",
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "https://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/",
    "https://acme\u200b.example/",
    "https://acme\u202e.example/",
    "https://acme\u00ad.example/",
    "https://\u0430cme.example/",
    "https://acme.example/\ud800",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://acme.example/" + "a" * 2048,
]
INNER = """
0.0.0.0
0.1.2.3
10.0.0.1
100.64.0.1
100.100.100.200
127.0.0.1
127.255.255.254
168.63.129.16
169.254.169.254
169.254.170.2
172.16.0.1
172.31.255.255
192.0.0.1
192.0.0.8
192.0.0.9
192.0.0.170
192.0.0.192
192.0.2.1
192.88.99.1
192.168.0.1
198.18.0.1
198.51.100.1
203.0.113.1
224.0.0.1
239.255.255.255
240.0.0.1
255.255.255.255
::
::1
::127.0.0.1
::8.8.8.8
::ffff:127.0.0.1
::ffff:7f00:1
::ffff:8.8.8.8
::ffff:0:127.0.0.1
0:0:0:0:0:0:0:1
64:ff9b::7f00:1
64:ff9b::8.8.8.8
64:ff9b:1::1
64:ff9b:1:ffff::a00:1
100::1
100:0:0:1::1
2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:2::1
2001:10::1
2001:20::1
2001:db8::1
2002:7f00:1::
2002:a9fe:a9fe::1
2002:808:808::1
3fff::1
5f00::1
fc00::1
fd00:ec2::254
fe80::1
fe80::5efe:7f00:1
fec0::1
ff02::1
ff0e::1
4000::1
""".split()
OUTER = ["8.8.8.8", "1.1.1.1", "168.63.129.17", "100.128.0.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1", "2400:cb00::1"]


def written(address):
    return f"https://[{address}]/{SECRET}" if ":" in address else f"https://{address}/{SECRET}"


def test_there_are_more_than_a_hundred_forms():
    assert len(set(REFUSED_BY_FORM)) + len(set(REFUSED_BY_CHARACTER)) > 100


def nobody(*_):
    pytest.fail("a name was looked up")


@pytest.fixture(scope="module")
def careless():
    """The form alone stands between this one and any address."""
    return Egress(allowed=["0.0.0.0/0", "::/0"], resolve=nobody)


@pytest.fixture(scope="module")
def answers():
    return []


@pytest.fixture(scope="module")
def strict(answers):
    """As a customer's channels have it; names lead to `answers`, and addresses to themselves."""
    return Egress(resolve=lambda host, _: answers if host == NAME else [host])


@pytest.mark.parametrize("url", [*REFUSED_BY_FORM, *REFUSED_BY_CHARACTER])
def test_a_url_in_another_form_is_not_even_looked_up(careless, url, connects):
    with pytest.raises(Denied, match="address refused"):
        a_post(careless, url)
    assert connects == []


REASONS = {
    "http://acme.example/": "must begin with https://",
    "https://user:pass@acme.example/": "must hold no user name and no password",
    "https://acme.example/#top": "must hold no fragment",
    "https://acm\u00e9.example/": "write an international name in its xn-- form",
    "https://127.1/": "an address in its usual form",
    "https://[fe80::1%eth0]/": "zone",
    "https://acme.example./": "without a final dot",
}


@pytest.mark.parametrize("url", REASONS)
def test_who_configures_a_url_is_told_what_is_wrong_with_it(url):
    with pytest.raises(ValueError, match=REASONS[url]):
        parsed(url)


@pytest.mark.parametrize("address", INNER)
def test_an_address_that_is_not_public_is_not_dialled_however_it_was_come_by(strict, answers, address, connects):
    answers[:] = [address]
    for url in (written(address), f"https://{NAME}/{SECRET}"):
        with pytest.raises(Denied, match="not public"):
            a_post(strict, url)
    assert connects == []


@pytest.mark.parametrize("address", OUTER)
def test_an_address_that_is_public_may_be_dialled(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("found", [["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "2606:4700::1", "::1"], ["fe80::1%eth0"]])
def test_one_answer_that_is_not_public_spoils_all(strict, answers, found, connects):
    answers[:] = found
    with pytest.raises(Denied, match="not public"):
        a_post(strict, f"https://{NAME}/")
    assert connects == []


@pytest.mark.parametrize("port", [1, 22, 80, 444, 6379, 8443])
def test_a_port_that_is_not_listed_is_not_dialled(careless, port, connects):
    with pytest.raises(Denied, match="port"):
        a_post(careless, f"https://{NAME}:{port}/")
    assert connects == []


def test_port_zero_is_not_taken_for_the_usual_one():
    assert parsed("https://acme.example:0/").port == 0


@pytest.mark.parametrize("url", [f"https://xn--acm-dma.example/{SECRET}", f"HTTPS://ACME.Example:443/{SECRET}?sig={SECRET}"])
def test_what_is_taken_does_not_show_its_path(url):
    assert SECRET not in repr(parsed(url))
    assert SECRET in parsed(url).path


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
