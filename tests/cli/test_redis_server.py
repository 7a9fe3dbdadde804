"""The embedded Redis."""

from __future__ import annotations

import os
import stat

import pytest
import redis

from ar_workers.cli.redis_server import RedisServer, server_binary, version_of
from ar_workers.domain.errors import ARError


def test_it_answers_and_keeps_its_data_over_a_crash(tmp_path):
    with RedisServer(tmp_path, fsync="always") as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("k", "v")
            first = server.pid
            server.kill()
            server.start()
            assert client.get("k") == b"v"
        assert server.pid != first
    assert not server.is_alive


def test_it_evicts_nothing_and_listens_on_loopback_only(tmp_path):
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("appendonly")["appendonly"] == "yes"


def fake_server(folder, said):
    binary = folder / "redis-server"
    binary.write_text(f"#!/bin/sh\necho '{said}'\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    return binary


def test_a_server_on_the_path_is_used_if_it_is_new_enough(tmp_path, monkeypatch):
    binary = fake_server(tmp_path, "Redis server v=7.2.4 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    assert version_of(binary) == (7, 2)
    assert server_binary() == binary


def test_an_old_server_on_the_path_is_passed_over(tmp_path, monkeypatch):
    fake_server(tmp_path, "Redis server v=6.0.16 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_binary().parent != tmp_path


def test_one_that_does_not_start_says_where_its_log_is(tmp_path):
    with pytest.raises(ARError, match=r"redis\.log"):
        RedisServer(tmp_path, extra=["--no-such-option", "1"]).start()
