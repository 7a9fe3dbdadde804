"""The transport: what it promises of messages, strangers and connections, over a real Redis."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from kombu import Connection, Consumer, Queue

from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.scores import Queue as Doorbells
from ar_workers.domain.scores import Ring
from ar_workers.transport import POISON, Channel

ROOT = Path(__file__).parent.parent
TRANSPORT = "ar_workers.transport:Transport"


class Taker:
    """A consumer of some queues, as a worker is one, but in this process."""

    def __init__(self, url, *queues, prefetch=20, keeps=False, **options):
        self.connection = Connection(url, transport=TRANSPORT, transport_options={"socket_timeout": 5, **options})
        self.connection.transport.brpop_timeout = 0.1  # a channel that closes waits for its blocking pop
        self.taken = []
        self._keeps = keeps
        consumer = Consumer(self.connection, [Queue(name) for name in queues], on_message=self._on_message, prefetch_count=prefetch)
        consumer.consume()

    @property
    def channel(self) -> Channel:
        return self.connection.default_channel

    def _on_message(self, message):
        self.taken.append((message.delivery_info["routing_key"], message.payload))
        if not self._keeps:
            message.ack()

    def drain(self, seconds=0.3):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.connection.drain_events(timeout=0.1)
            except TimeoutError:
                continue
        return self.taken

    def drain_until(self, count, seconds=20):
        deadline = time.monotonic() + seconds
        while len(self.taken) < count and time.monotonic() < deadline:
            self.drain(0.05)
        return self.taken


@contextmanager
def taker(url, *queues, **options):
    ready = Taker(url, *queues, **options)
    try:
        yield ready
    finally:
        ready.connection.release()


@contextmanager
def sender(url):
    with Connection(url, transport=TRANSPORT, transport_options={"socket_timeout": 5}) as connection:
        producer = connection.Producer()

        def send(queue, number):
            producer.publish({"n": number}, routing_key=queue, declare=[Queue(queue)], exchange="", serializer="json")

        yield producer.channel, send


def ring(name, queue=Doorbells.IOC):
    return Ring(id=f"acme:{name}", queue=queue, label=name)


def test_a_batch_brings_what_stands_behind_the_first_message(real_redis, redis_url):
    with sender(redis_url) as (_, send), taker(redis_url, "ioc", prefetch=10, keeps=True) as worker:
        for number in range(30):
            send("ioc", number)
        worker.drain()
        assert [body["n"] for _, body in worker.taken] == list(range(10))
        assert real_redis.llen("ioc") == 20


POISONS = {
    "random bytes": b"\xff\x00\x80garbage",
    "no JSON": b"isolate everything",
    "JSON that is no object": b"[1, 2]",
    "an object that is no message": b'{"task": "isolate"}',
    "a tag of the wrong type": b'{"properties": {"delivery_tag": []}, "body": ""}',
    "an unknown encoding": b'{"properties": {"delivery_tag": "x", "body_encoding": "rot13"}, "body": "abc"}',
    "a body that is not in its encoding": b'{"properties": {"delivery_tag": "x", "body_encoding": "base64"}, "body": "%"}',
    "10 MB": b"x" * 10_000_000,
    "10 MB of brackets": b"[" * 10_000_000,
}


@pytest.mark.parametrize("raw", POISONS.values(), ids=POISONS.keys())
def test_what_is_no_message_is_set_aside_and_the_next_is_taken(real_redis, redis_url, raw):
    with sender(redis_url) as (_, send), taker(redis_url, "ioc") as worker:
        real_redis.lpush("ioc", raw)
        send("ioc", 1)
        assert worker.drain_until(1) == [("ioc", {"n": 1})]
        (entry,) = real_redis.lrange(POISON, 0, -1)
        assert json.loads(entry)["queue"] == "ioc"
        assert json.loads(entry)["error"]
        assert len(entry) < 20_000


@pytest.mark.parametrize("plant", [lambda r: r.set("notify", "x"), lambda r: r.hset("notify", "a", "b"), lambda r: r.zadd("notify", {"a": 1})])
def test_a_queue_that_is_no_list_is_moved_away_and_works_again(real_redis, redis_url, plant):
    plant(real_redis)
    with sender(redis_url) as (_, send), taker(redis_url, "ioc", "notify") as worker:
        send("ioc", 1)
        worker.drain_until(1)
        deadline = time.monotonic() + 10
        while not real_redis.exists(f"{POISON}:notify") and time.monotonic() < deadline:
            worker.drain(0.05)
        send("notify", 2)
        assert worker.drain_until(2) == [("ioc", {"n": 1}), ("notify", {"n": 2})]
        assert "instead of a list" in json.loads(real_redis.lindex(POISON, 0))["error"]


def test_poison_that_has_nowhere_to_go_does_not_end_the_worker(real_redis, redis_url, caplog):
    real_redis.set(POISON, "a stranger's")
    with sender(redis_url) as (_, send), taker(redis_url, "ioc") as worker:
        real_redis.lpush("ioc", "garbage")
        send("ioc", 1)
        assert worker.drain_until(1) == [("ioc", {"n": 1})]
    assert "is no message" in caplog.text


def test_poison_takes_up_no_room_of_the_prefetch(real_redis, redis_url):
    with sender(redis_url) as (_, send), taker(redis_url, "ioc", prefetch=3, keeps=True) as worker:
        real_redis.lpush("ioc", *[POISONS["a body that is not in its encoding"]] * 5)
        for number in range(3):
            send("ioc", number)
        assert len(worker.drain_until(3)) == 3


def test_a_full_queue_starves_no_other_of_the_same_worker(real_redis, redis_url):
    with sender(redis_url) as (channel, send), taker(redis_url, "ioc", "notify", prefetch=8, keeps=True) as worker:
        with channel.batch():
            for number in range(100):
                send("ioc", number)
                send("notify", number)
        for _ in range(5):
            worker.drain_until(8)
            counts = Counter(queue for queue, _ in worker.taken)
            assert min(counts["ioc"], counts["notify"]) >= 3, counts
            worker.taken.clear()
            for tag in list(worker.channel.qos._delivered):
                worker.channel.qos.ack(tag)


def test_a_batch_leaves_in_one_pipeline_and_tells_the_lengths(real_redis, redis_url):
    with sender(redis_url) as (channel, send):
        with channel.batch() as lengths:
            for number in range(3):
                send("ioc", number)
            assert real_redis.llen("ioc") == 0
            with channel.batch() as inner:
                send("notify", 1)
            assert (inner, real_redis.llen("notify")) == ({}, 0)
        assert lengths == {"ioc": 3, "notify": 1}
        assert (real_redis.llen("ioc"), real_redis.llen("notify")) == (3, 1)


def test_nothing_of_a_batch_is_sent_after_an_error_and_the_next_is_sent(real_redis, redis_url):
    with sender(redis_url) as (channel, send):
        with pytest.raises(ZeroDivisionError), channel.batch():
            send("ioc", 1)
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), channel.batch(), channel.batch():
            send("ioc", 1)
            raise ZeroDivisionError
        assert real_redis.llen("ioc") == 0
        with channel.batch():
            send("ioc", 2)
        assert real_redis.llen("ioc") == 1


def test_messages_in_hand_go_back_in_order_when_the_channel_closes(real_redis, redis_url):
    with sender(redis_url) as (_, send):
        with taker(redis_url, "ioc", prefetch=3, keeps=True) as worker:
            for number in range(5):
                send("ioc", number)
            worker.drain_until(3)
        with taker(redis_url, "ioc") as other:
            assert sorted(body["n"] for _, body in other.drain_until(5)) == list(range(5))
