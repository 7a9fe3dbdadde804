"""Where credentials may go: to the vendor's own hosts over TLS, or nowhere beyond this machine."""

from __future__ import annotations

import pytest

from ar_workers.domain.hosts import at_one_of

HOSTS = frozenset({"api.vendor.example", "api.eu.vendor.example"})


@pytest.mark.parametrize(
    "url",
    ["https://api.vendor.example", "https://API.eu.vendor.example/", "http://127.0.0.1:8080/twin", "https://localhost:8443"],
)
def test_the_vendors_hosts_and_this_machine_are_taken(url):
    assert at_one_of(url, HOSTS) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.vendor.example",
        "https://vendor.example",
        "https://api.vendor.example.evil.example",
        "https://api.vendor.example@evil.example",
        "https://kim:hush@api.vendor.example",
        "https://api.vendor.example:8443",
        "https://api.vendor.example/elsewhere",
        "https://api.vendor.example?x=1",
        "https://api.vendor.example#x",
        "https://127.0.0.1.evil.example",
        "https://localhost@evil.example",
        "ftp://localhost",
        "localhost",
        "",
    ],
)
def test_anything_else_is_refused_and_the_rule_told(url):
    with pytest.raises(ValueError, match=r"must be https:// and one of api\.eu\.vendor\.example, api\.vendor\.example"):
        at_one_of(url, HOSTS)
