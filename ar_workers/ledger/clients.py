"""A client for every way to run Redis: one server, a cluster, or the primary that sentinels name."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import FullJitterBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from ..domain.addresses import Kind, parse_address
from ..domain.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.addresses import Address

#: Repeats of what found no server, about four seconds in all: a restart, or an ordinary failover.
PATIENCE = 8
_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ClusterError,
    redis.exceptions.RedisClusterException,
    redis.exceptions.AskError,
    redis.exceptions.TryAgainError,
)
#: What a server that cannot write says; from within a script it says so only in the text.
_CANNOT_WRITE = ("READONLY ", "OOM ", "NOREPLICAS ", "MISCONF ", "CLUSTERDOWN ")


class PerThread(redis.ConnectionPool):
    """One connection per thread, kept: a pool that hands them around costs a fifth of a command more.

    A thread must not begin a command within another one, as `WATCH` would. A connection ends some time after its thread.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"max_connections": sys.maxsize})  # each is counted once made, also when its thread has ended
        self._own = threading.local()
        self._all: dict[threading.Thread, Any] = {}

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """It connects with its first command, and again after an error."""
        if getattr(self._own, "pid", None) != os.getpid():
            self._own.connection, self._own.pid = self.make_connection(), os.getpid()
            self._keep(self._own.connection)
        return self._own.connection

    def _keep(self, connection: Any) -> None:
        self._all[threading.current_thread()] = connection
        for ended in [each for each in list(self._all) if not each.is_alive()]:
            if lost := self._all.pop(ended, None):
                lost.disconnect()

    def release(self, connection: Any) -> None:
        """It stays its thread's."""

    def disconnect(self, *_: Any, **__: Any) -> None:
        """End the connections of all threads; each connects again with its next command."""
        for each in list(self._all.values()):
            each.disconnect()


def connect(url: str, *, patience: int = PATIENCE) -> redis.Redis | redis.RedisCluster:
    """A client whose every wait has a deadline, and which outlasts a restart or failover of about four seconds.

    Repeating a script after a lost reply is safe: accept and record know the event, a claim knows its owner,
    and every other move is refused to a fence that has been used up.
    The spellings are `domain.addresses.parse_address`'s. Raises LedgerUnavailable if a cluster cannot be asked for its shape.
    """
    address = parse_address(url)
    retry = Retry(FullJitterBackoff(cap=1, base=0.05), patience)
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
    if address.kind is Kind.CLUSTER:
        with unavailable_if_away():
            return _cluster(address, retry, options)
    if url.startswith("unix://"):
        del options["socket_keepalive"]  # TCP's
    options |= {"retry": retry, "retry_on_error": [redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError]}
    return _primary(address, options) if address.kind is Kind.SENTINEL else redis.Redis.from_pool(PerThread.from_url(url, **options))


def _cluster(address: Address, retry: Retry, options: dict[str, Any]) -> redis.RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    return redis.RedisCluster(startup_nodes=nodes, retry=retry, ssl=address.is_tls, **_login(address), **options, **address.tls)


def _primary(address: Address, options: dict[str, Any]) -> redis.Redis:
    """Sentinels are asked once per address of theirs: the retries are those of the whole."""
    asking = {name: value for name, value in options.items() if name.startswith("socket_")}
    tls = {"ssl": address.is_tls, **address.tls}
    asking |= {"password": address.sentinel_password, **tls}
    sentinels = Sentinel(address.hosts, sentinel_kwargs=asking)
    found: redis.Redis = sentinels.master_for(address.service, db=address.db, **tls, **_login(address), **options)
    return found


def _login(address: Address) -> dict[str, Any]:
    return {"username": address.user, "password": address.password}


def infos(client: Any, section: str = "default") -> list[dict[str, Any]]:
    """`INFO` of every server that takes writes."""
    if isinstance(client, redis.RedisCluster):
        return [client.info(section, target_nodes=node) for node in client.get_primaries()]
    return [client.info(section)]


@contextmanager
def unavailable_if_away() -> Iterator[None]:
    """What redis-py raises for servers that are away or cannot write becomes LedgerUnavailable."""
    try:
        yield
    except _AWAY as error:
        raise LedgerUnavailable(_message(type(error).__name__)) from None
    except redis.ResponseError as error:
        said = next((each.strip() for each in _CANNOT_WRITE if each in str(error)), None)
        if said is None:
            raise
        raise LedgerUnavailable(_message(said)) from None


def _message(reason: str) -> str:
    return f"the ledger cannot be reached or written: {reason}"
