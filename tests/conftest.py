"""What every test may use: a real Redis of our own, and no network but loopback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import settings

from ar_workers.cli.redis_server import RedisServer
from ar_workers.cli.server_binary import server_binary
from tests import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOPBACK = ("127.", "::1", "localhost")


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook cannot be switched off, so no code under test gets around it."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else _LOOPBACK[0]
    elif event == "socket.getaddrinfo":
        host = arguments[0] or _LOOPBACK[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if not name.startswith(_LOOPBACK):
        message = f"a test tried to reach {name}"
        raise RuntimeError(message)


__all__ = ["keys"]  # AR_KEYS, which commands and workers inherit
sys.addaudithook(_only_loopback)
#: How long an example takes says something of the machine only.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_report_header() -> str:
    """Both servers are tested: AR_REDIS_SERVER names another one than the embedded."""
    return f"server: {server_binary()}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real server for the session. That none can be started is an error, never a skip."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of the real server, which is empty when the test begins."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def real_redis(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the real server, which is empty when the test begins."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
