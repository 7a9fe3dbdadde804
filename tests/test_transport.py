"""What a stranger pushes into a queue is set aside; what we push is handed over."""

from __future__ import annotations

import json
from queue import Empty

import pytest

from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.domain.scores import Queue, Ring
from ar_workers.transport import POISON


@pytest.fixture
def our_message(real_redis, redis_url):
    CeleryDoorbell(celery_at(redis_url)).ring([Ring(id="acme:ban_hash:1", queue=Queue.IOC, label="ban_hash x")])
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


@pytest.mark.parametrize("raw", [b"\xff\x00", b"", b"{", b"null", b"[]", b"{}", b'{"properties": 3}'])
def test_what_is_no_message_is_set_aside(real_redis, redis_url, raw):
    assert handed_over(redis_url, raw) == []
    assert real_redis.llen(POISON) == 1


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


def polled(redis_url):
    """What the worker's blocking pop brings."""
    with celery_at(redis_url).connection_for_read() as connection:
        channel = connection.default_channel
        channel._active_queues = ["ioc"]
        channel._queue_cycle.update(["ioc"])
        channel.client.connection = channel.client.connection_pool.get_connection()
        channel._brpop_start(timeout=1)
        return channel._brpop_read()


def test_what_is_no_list_under_a_queues_name_is_renamed_and_the_queue_works_again(real_redis, redis_url):
    real_redis.set("ioc", "x")
    with pytest.raises(Empty):
        polled(redis_url)
    assert real_redis.get(f"{POISON}:ioc") == "x"
    assert not real_redis.exists("ioc")


def test_poison_that_cannot_be_kept_is_dropped(real_redis, redis_url):
    real_redis.set(POISON, "x")
    assert handed_over(redis_url, b"{") == []
