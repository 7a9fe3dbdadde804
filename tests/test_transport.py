"""The transport: what it promises of messages, strangers and connections, over a real Redis."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from kombu import Connection, Consumer, Queue

from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.domain.canvas import Queue as Doorbells
from ar_workers.domain.canvas import Ring
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
    "a body that is not in its encoding": b'{"properties": {"delivery_tag": "x", "body_encoding": "base64"}, "body": "abc"}',
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


@pytest.mark.parametrize(
    "plant", [lambda r: r.set("notify", "x"), lambda r: r.hset("notify", "a", "b"), lambda r: r.zadd("notify", {"a": 1})]
)
def test_a_queue_that_is_no_list_is_moved_away_and_works_again(real_redis, redis_url, plant):
    with sender(redis_url) as (channel, send), taker(redis_url, "ioc", "respond", "notify") as worker:
        plant(real_redis)
        with channel.batch():
            send("ioc", 0)
            for number in range(1, 5):
                send("respond", number)
        worker.drain_until(5)
        deadline = time.monotonic() + 10
        while not real_redis.exists(f"{POISON}:notify") and time.monotonic() < deadline:
            worker.drain(0.05)
        send("notify", 5)
        assert [body["n"] for _, body in worker.drain_until(6, seconds=5)] == list(range(6))
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
        unreadable = {"properties": {"delivery_tag": "x"}, "content-type": "application/json", "content-encoding": "utf-8", "body": "?"}
        real_redis.lpush("ioc", json.dumps(unreadable))
        for number in range(3):
            send("ioc", number)
        assert len(worker.drain_until(3)) == 3


@pytest.mark.parametrize("prefetch", [1, 8])
def test_a_full_queue_starves_no_other_of_the_same_worker(real_redis, redis_url, prefetch):
    with sender(redis_url) as (channel, send), taker(redis_url, "ioc", "notify", prefetch=prefetch, keeps=True) as worker:
        with channel.batch():
            for number in range(100):
                send("ioc", number)
                send("notify", number)
        while len(worker.taken) < 16:
            worker.drain_until(len(worker.taken) + prefetch)
            for tag in list(worker.channel.qos._delivered):
                worker.channel.qos.ack(tag)
        counts = Counter(queue for queue, _ in worker.taken)
        assert min(counts["ioc"], counts["notify"]) >= 6, counts


def send_and_fail(channel, send, depth):
    with ExitStack() as batches:
        for _ in range(depth):
            batches.enter_context(channel.batch())
        send("ioc", 1)
        raise ZeroDivisionError


def test_nothing_of_a_batch_is_sent_after_an_error_and_the_next_is_sent(real_redis, redis_url):
    with sender(redis_url) as (channel, send):
        for depth in (1, 2):
            with pytest.raises(ZeroDivisionError):
                send_and_fail(channel, send, depth)
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


@pytest.fixture
def our_message(real_redis, redis_url):
    CeleryDoorbell(celery_at(redis_url)).ring([Ring(id="acme:ban_hash:1", queue=Doorbells.IOC, label="ban_hash x")])
    return json.loads(real_redis.rpop("ioc"))


def handed_over(redis_url, raw):
    """What a consumer of the queue is given."""
    found = []
    with celery_at(redis_url).connection_for_read() as connection:
        channel = connection.default_channel
        channel.connection._callbacks["ioc"] = found.append
        channel._hand_over("ioc", raw)
    return found


def test_our_own_message_is_handed_over(real_redis, redis_url, our_message):
    assert len(handed_over(redis_url, json.dumps(our_message))) == 1
    assert real_redis.llen(POISON) == 0


def test_a_body_that_cannot_be_decoded_is_set_aside(real_redis, redis_url, our_message):
    our_message["body"] = "not base64 at all"
    assert handed_over(redis_url, json.dumps(our_message)) == []
    assert json.loads(real_redis.lindex(POISON, 0))["queue"] == "ioc"


@pytest.mark.parametrize(
    "odd", [{"task": []}, {"task": ""}, {"id": None}, {"id": {}}, {"eta": "soon"}, {"expires": ""}, {"timelimit": None}, {"retries": "x"}]
)
def test_headers_on_which_a_worker_would_end_are_set_aside(real_redis, redis_url, our_message, odd):
    our_message["headers"] |= odd
    assert handed_over(redis_url, json.dumps(our_message)) == []
    assert real_redis.llen(POISON) == 1
