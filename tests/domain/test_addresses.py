"""Where a Redis is."""

from __future__ import annotations

import pytest

from ar_workers.domain.addresses import Kind, parse_address


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "service", "db"),
    [
        ("redis://127.0.0.1:6379/2", Kind.SINGLE, (("127.0.0.1", 6379),), "", 2),
        ("rediss://redis.example", Kind.SINGLE, (("redis.example", 6379),), "", 0),
        ("redis+cluster://a:7000,b,[::1]:7002", Kind.CLUSTER, (("a", 7000), ("b", 6379), ("::1", 7002)), "", 0),
        ("unix:///run/redis.sock", Kind.SINGLE, (), "", 0),
        ("redis+sentinel://a,b:26380/main/1", Kind.SENTINEL, (("a", 26379), ("b", 26380)), "main", 1),
    ],
)
def test_every_spelling_is_understood(url, kind, hosts, service, db):
    found = parse_address(url)
    assert (found.kind, found.hosts, found.service, found.db) == (kind, hosts, service, db)


def test_passwords_are_unquoted_and_shown_nowhere():
    found = parse_address("rediss+sentinel://me:canary%40word@a,b/main?sentinel_password=canary-two")
    assert (found.user, found.password, found.sentinel_password, found.is_tls) == ("me", "canary@word", "canary-two", True)
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://:canary@a", "begins with none of"),
        ("redis+sentinel://:canary@a,b", "names no service"),
        ("redis+sentinel://:canary@a/main/x", "no database's number"),
        ("redis://:canary@a/1/2", "no database.s number"),
        ("redis+cluster://:canary@a/1", "has only 0"),
        ("redis+cluster://:canary@a:x", "port that is no number"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        parse_address(url)
    assert "canary" not in str(refused.value)
