"""Several Redis servers that make one: a cluster of three, and a primary with replicas and sentinels."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import redis

from ar_workers.cli.processes import die_with_parent
from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.cli.server_binary import server_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOTS = 16384
SERVICE = "ledger"


def eventually(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def asked(port: int, *command: str | int) -> Any:
    with redis.Redis(port=port, decode_responses=True, socket_timeout=2) as client:
        return client.execute_command(*command)


def replicated(port: int, replicas: int) -> None:
    """Until that many replicas have whatever the primary on `port` has: WAIT speaks only of writes of its own connection."""
    with redis.Redis(port=port, single_connection_client=True, socket_timeout=30) as client:
        client.set("mark", "written")
        eventually(lambda: client.wait(replicas, 2000) >= replicas)


@contextmanager
def a_cluster(folder: Path) -> Iterator[list[RedisServer]]:
    """Three primaries that share the slots."""
    extra = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]
    with ExitStack() as stack:
        servers = [stack.enter_context(RedisServer(folder / f"{number}", port=cluster_port(), extra=extra)) for number in range(3)]
        for number, server in enumerate(servers):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3
            asked(server.port, "CLUSTER", "ADDSLOTS", *range(first, last))
            asked(server.port, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            asked(servers[0].port, "CLUSTER", "MEET", "127.0.0.1", server.port)
        for server in servers:
            eventually(lambda server=server: "cluster_state:ok" in whole(asked(server.port, "CLUSTER", "INFO")))
            eventually(lambda server=server: whole(asked(server.port, "CLUSTER", "NODES")).count("connected") >= 3)
        yield servers


def whole(reply: Any) -> str:
    return "\n".join(f"{key}:{value}" for key, value in reply.items()) if isinstance(reply, dict) else str(reply)


def cluster_port() -> int:
    """One whose port for the other nodes, ten thousand higher, is a port too."""
    while (port := free_port()) > 55_000:
        pass
    return port


def cluster_url(servers: list[RedisServer]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


class Sentinels:
    """A primary, two replicas, and three sentinels that promote one of them within seconds of its death.

    They are patient: sentinels that give up after half a second also depose the primary that they have just promoted, and what
    was written to it in between is gone.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.primary = stack.enter_context(RedisServer(folder / "primary"))
        quick = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]
        self.replicas = [stack.enter_context(RedisServer(folder / f"replica{number}", extra=quick)) for number in (1, 2)]
        for replica in self.replicas:
            asked(replica.port, "REPLICAOF", "127.0.0.1", self.primary.port)
        self.ports = [self._sentinel(folder / f"sentinel{number}.conf", stack) for number in (1, 2, 3)]
        eventually(lambda: all(self._knows_all(port) for port in self.ports))

    @property
    def url(self) -> str:
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{port}" for port in self.ports) + f"/{SERVICE}"

    def primary_port(self) -> int:
        return int(asked(self.ports[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])

    def _knows_all(self, port: int) -> bool:
        with redis.Redis(port=port, decode_responses=True) as client:
            known = client.sentinel_masters()[SERVICE]
        return known["num-slaves"] == 2 and known["num-other-sentinels"] == 2

    def _sentinel(self, config: Path, stack: ExitStack) -> int:
        port = free_port()
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.primary.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} 3000",
            f"sentinel failover-timeout {SERVICE} 10000",
        ]
        config.write_text("\n".join(lines) + "\n")
        with config.with_suffix(".log").open("wb") as output:
            process = subprocess.Popen(
                [server_binary().path, str(config), "--sentinel"],
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - as the embedded Redis
            )
        stack.callback(process.wait)
        stack.callback(process.kill)
        eventually(lambda: answers(port))
        return port


def answers(port: int) -> bool:
    try:
        return asked(port, "PING") in (True, "PONG")
    except redis.RedisError:
        return False


@contextmanager
def sentinels(folder: Path) -> Iterator[Sentinels]:
    with ExitStack() as stack:
        yield Sentinels(folder, stack)
