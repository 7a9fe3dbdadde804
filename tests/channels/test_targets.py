"""Which addresses that somebody else gave us are refused: for the form of the URL, for the port, or for where they belong."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from ar_workers.channels.egress import Egress
from ar_workers.channels.targets import is_public, parsed
from ar_workers.domain.errors import Denied

from .addresses import INNER, OUTER, REFUSED_BY_CHARACTER, REFUSED_BY_FORM
from .posting import NAME, SECRET, a_post


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
