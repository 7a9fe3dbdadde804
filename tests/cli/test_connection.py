"""What is shown of an address, and which one is used."""

from __future__ import annotations

import pytest

from ar_workers.cli.connection import known_url, leave_word, without_login


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6379/3", "redis://host:6379/3"),
        ("redis://user:canary@host:6379/3", "redis://host:6379/3"),
        ("redis://host/0?password=canary", "redis://host/0"),
        ("unix://:canary@/srv/ar/redis.sock?db=0&password=canary", "unix:/srv/ar/redis.sock"),
        ("redis+sentinel://:canary@a,b/main?sentinel_password=canary", "redis+sentinel://a,b/main"),
    ],
)
def test_no_login_is_shown(url, shown):
    assert without_login(url) == shown


def test_word_is_found_in_the_home_that_it_was_left_in(tmp_path, monkeypatch):
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    monkeypatch.setenv("AR_HOME", str(tmp_path / "mine"))
    leave_word(tmp_path / "demo", "redis://demo/0", "")
    assert known_url() is None
    leave_word(tmp_path / "mine", "redis://mine/0", "")
    assert known_url() == "redis://mine/0"
