"""Which addresses that somebody else gave us are refused: for the form of the URL, for the port, or for where they belong."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ar_workers.channels.egress import Egress
from ar_workers.channels.targets import is_public, parsed
from ar_workers.domain.errors import Denied

from .posting import NAME, SECRET, a_post

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
