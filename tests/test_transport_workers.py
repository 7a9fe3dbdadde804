"""Our transport in real workers: servers that restart, connections that go silent, poison, and an end in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from ar_workers.celery import CeleryDoorbell, celery_at, workers_seen
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.canvas import Queue as Doorbells
from ar_workers.domain.checkups import Light
from ar_workers.transport import POISON
from tests.clusters import eventually
from tests.test_transport import POISONS, ring

ROOT = Path(__file__).parent.parent


class Proxy:
    """Between a client and Redis. What it has carried so far can be made half-open: nothing arrives, nobody is told."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs = []
        self._silent = set()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def fall_silent(self):
        self._silent.update(self._pairs)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._pairs:
            for each in pair:
                each.close()

    def _serve(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                pair = (client, socket.create_connection(("127.0.0.1", self._port)))
                self._pairs.append(pair)
                for source, target in (pair, pair[::-1]):
                    threading.Thread(target=self._carry, args=(pair, source, target), daemon=True).start()

    def _carry(self, pair, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                if pair not in self._silent:
                    target.sendall(data)
            if pair not in self._silent:
                target.shutdown(socket.SHUT_WR)


@contextmanager
def a_worker(broker_url, marks_url, log, *, queues="ioc,notify", options=(), **environment):
    """A real worker process of two threads, ready to take messages."""
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AR_BROKER_URL": broker_url, "MARKS_URL": marks_url, **environment}
    command = [sys.executable, "-m", "celery", "-A", "tests.worker_app", "worker", "-P", "threads", "-c", "2", "-Q", queues, "-l", "INFO"]
    command += options
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: b" ready." in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def ran(client):
    return sorted(client.lrange("ran", 0, -1))


@pytest.mark.e2e
def test_a_worker_goes_on_after_the_server_restarts(tmp_path):
    with RedisServer(tmp_path / "redis") as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        with a_worker(server.url, server.url, tmp_path / "log") as worker:
            CeleryDoorbell(celery_at(server.url)).ring([ring("1")])
            eventually(lambda: ran(client) == ["acme:1"])
            server.kill()
            server.start()
            CeleryDoorbell(celery_at(server.url)).ring([ring("2")])
            eventually(lambda: ran(client) == ["acme:1", "acme:2"])
            assert worker.poll() is None


@pytest.mark.e2e
def test_a_worker_notices_that_its_connection_is_half_open(redis_server, real_redis, redis_url, tmp_path):
    proxy = Proxy(redis_server.port)
    with a_worker(proxy.url, redis_url, tmp_path / "log", SOCKET_SECONDS="1"):
        proxy.fall_silent()
        real_redis.client_kill_filter(_type="normal", skipme=True)  # nobody waits at the other end either, as after a lost route
        CeleryDoorbell(celery_at(redis_url)).ring([ring("1")])
        eventually(lambda: ran(real_redis) == ["acme:1"])
    proxy.close()


@pytest.mark.e2e
def test_a_worker_that_ends_gives_back_what_it_has_not_begun(real_redis, redis_url, tmp_path):
    names = [f"{number}" for number in range(4)]
    with a_worker(redis_url, redis_url, tmp_path / "log", TASK_SECONDS="1") as worker:
        CeleryDoorbell(celery_at(redis_url)).ring([ring(name) for name in names])
        eventually(lambda: len(ran(real_redis)) == 2 and real_redis.llen("ioc") == 0)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    given_back = [json.loads(raw)["headers"]["argsrepr"] for raw in real_redis.lrange("ioc", 0, -1)]
    assert sorted(ran(real_redis) + [f"acme:{name}" for name in given_back]) == sorted(f"acme:{name}" for name in names)


@pytest.mark.e2e
def test_a_connection_lost_while_a_worker_starts_does_not_end_it(real_redis, redis_url, tmp_path):
    with a_worker(redis_url, redis_url, tmp_path / "log", HELLO_FAILS="1"):
        CeleryDoorbell(celery_at(redis_url)).ring([ring("1")])
        eventually(lambda: ran(real_redis) == ["acme:1"])
    assert b"the connection was reset" in (tmp_path / "log").read_bytes()


@pytest.mark.e2e
def test_a_worker_survives_every_poison(real_redis, redis_url, tmp_path):
    with a_worker(redis_url, redis_url, tmp_path / "log") as worker:
        real_redis.lpush("ioc", *POISONS.values())
        real_redis.set("notify", "a stranger's")
        eventually(lambda: real_redis.llen(POISON) == len(POISONS) + 1)
        CeleryDoorbell(celery_at(redis_url)).ring([ring("1"), ring("2", Doorbells.NOTIFY)])
        eventually(lambda: ran(real_redis) == ["acme:1", "acme:2"])
        assert worker.poll() is None


@pytest.mark.e2e
def test_the_stock_transport_does_the_same_work(real_redis, redis_url, tmp_path):
    CeleryDoorbell(celery_at(redis_url)).ring([ring("1"), ring("2", Doorbells.NOTIFY)])
    with a_worker(redis_url, redis_url, tmp_path / "log", AR_TRANSPORT="stock"):
        eventually(lambda: ran(real_redis) == ["acme:1", "acme:2"])
    assert b"ar_workers.transport" not in (tmp_path / "log").read_bytes()


@pytest.mark.e2e
@pytest.mark.usefixtures("real_redis")
def test_a_queue_that_nobody_works_on_is_seen(redis_url, tmp_path):
    with a_worker(redis_url, redis_url, tmp_path / "some"):
        found = workers_seen(celery_at(redis_url))
        assert (found.light, found.detail) == (Light.RED, "none works on respond, isolation, housekeeping, polling")
    with a_worker(redis_url, redis_url, tmp_path / "all", queues=",".join(Doorbells)):
        assert workers_seen(celery_at(redis_url)).light is Light.OK


@pytest.mark.e2e
def test_workers_are_seen_by_whoever_lost_its_connections_since_it_last_asked(real_redis, redis_url, tmp_path):
    with a_worker(redis_url, redis_url, tmp_path / "log", queues=",".join(Doorbells)):
        assert workers_seen(celery_at(redis_url)).light is Light.OK
        real_redis.client_kill_filter(_type="normal", skipme=True)
        real_redis.client_kill_filter(_type="pubsub", skipme=True)
        assert "the broker" not in workers_seen(celery_at(redis_url)).detail
        eventually(lambda: workers_seen(celery_at(redis_url)).light is Light.OK)  # the worker, too, has to come back
