"""The doorbell: what goes onto the wire, and what does not."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from ar_workers import bootstrap, tasks
from ar_workers.celery import LOOKS, TASKS, CeleryDoorbell, app, celery_at
from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.domain.backpressure import BACKLOG, ISOLATIONS_AHEAD
from ar_workers.domain.canvas import Queue, Ring
from ar_workers.pipeline.poll import read_feed, whose_turn_it_is
from ar_workers.pipeline.workflow import arrange
from ar_workers.ports import Page
from ar_workers.sources import FORMATS
from tests.clusters import eventually
from tests.fakes import some_services
from tests.pipeline.building import Ticking
from tests.test_transport_workers import a_worker

ROOT = Path(__file__).parents[1]


def a_ring(name, queue, lane=""):
    return Ring(id=f"acme:{name}", queue=queue, label=f"{name} FIN-LT-07 · acme · THREAT-1042", lane=lane)


RINGS = [
    a_ring("isolate:1", Queue.ISOLATION, "crowdstrike/a1"),
    a_ring("kill_process:1", Queue.IOC, "crowdstrike/a1"),
    a_ring("ban_hash:1", Queue.IOC),
    a_ring("slack:1", Queue.NOTIFY),
]


def messages(client, queue):
    return [json.loads(raw) for raw in client.lrange(queue, 0, -1)]


def body_of(message):
    return json.loads(base64.b64decode(message["body"]))


def test_the_canvas_is_a_chain_of_isolation_and_group_beside_the_deliveries(real_redis, redis_url):
    CeleryDoorbell(celery_at(redis_url)).play(arrange(RINGS))
    assert {queue: real_redis.llen(queue) for queue in TASKS} == {"respond": 0, "isolation": 1, "ioc": 0, "notify": 1}
    (message,) = messages(real_redis, "isolation")
    args, kwargs, embed = body_of(message)
    assert (args, kwargs) == (["acme:isolate:1"], {})
    (group,) = embed["chain"]
    assert group["task"] == "celery.group"
    assert sorted(task["args"][0] for task in group["kwargs"]["tasks"]) == ["acme:ban_hash:1", "acme:kill_process:1"]


def test_operators_see_a_human_line_and_messages_carry_an_id(real_redis, redis_url):
    CeleryDoorbell(celery_at(redis_url)).ring(RINGS)
    (message,) = messages(real_redis, "isolation")
    assert message["headers"]["argsrepr"] == "isolate:1 FIN-LT-07 · acme · THREAT-1042"
    assert body_of(message)[:2] == [["acme:isolate:1"], {}]


def test_the_backlog_is_counted_per_queue(real_redis, redis_url):
    doorbell = CeleryDoorbell(celery_at(redis_url))
    doorbell.ring(RINGS)
    assert doorbell.backlog() == {"respond": 0, "isolation": 1, "ioc": 2, "notify": 1}


def test_what_would_make_a_backlog_goes_out_as_few_messages(real_redis, redis_url):
    CeleryDoorbell(celery_at(redis_url)).ring([a_ring(f"ban_hash:{number}", Queue.IOC) for number in range(BACKLOG)])
    assert real_redis.llen("ioc") == 1


def test_isolations_share_a_message_only_behind_many_others_and_the_more_the_more_stand(real_redis, redis_url):
    isolations = [a_ring(f"isolate:{number}", Queue.ISOLATION) for number in range(2 * ISOLATIONS_AHEAD)]
    doorbell = CeleryDoorbell(celery_at(redis_url))
    doorbell.ring(isolations)
    assert real_redis.llen("isolation") == len(isolations)
    doorbell.ring([a_ring(f"isolate:late-{number}", Queue.ISOLATION) for number in range(6)])
    assert [len(body_of(each)[0]) for each in messages(real_redis, "isolation")[:2]] == [3, 3]


def test_what_a_lost_worker_held_goes_to_the_head_of_the_queue(real_redis, redis_url):
    doorbell = CeleryDoorbell(celery_at(redis_url))
    doorbell.ring(
        [a_ring("ban_hash:1", Queue.IOC), a_ring("ban_hash:2", Queue.IOC), replace(a_ring("ban_hash:3", Queue.IOC), is_first=True)]
    )
    assert [body_of(each)[0] for each in reversed(messages(real_redis, "ioc"))] == [[f"acme:ban_hash:{n}"] for n in (3, 1, 2)]


def test_a_broker_that_is_away_costs_no_exception(caplog):
    doorbell = CeleryDoorbell(celery_at(f"redis://127.0.0.1:{free_port()}/0"))
    doorbell.ring(RINGS[:1])
    assert "the sweep will ring" in caplog.text
    assert doorbell.backlog() == {}


def test_the_settings_leave_redelivery_and_pickle_out():
    conf = app.conf
    assert conf.accept_content == ["json"]
    assert conf.task_ignore_result
    assert not conf.task_acks_late
    assert conf.broker_transport_options["ack_emulation"] is False
    assert {queue.name for queue in conf.task_queues} == set(Queue)


def test_what_asks_a_vendor_by_the_clock_shares_no_queue_with_the_sweep():
    queues = {name: entry["options"]["queue"] for name, entry in app.conf.beat_schedule.items()}
    by_the_clock = ["sweep", "remind", "declare-limits", "compact", "mind-holds", "chain", "look-at-ledger", "end-pauses"]
    assert queues.pop("poll") == queues.pop("recheck-unsupported-os") == Queue.POLLING
    assert queues == dict.fromkeys(by_the_clock, Queue.HOUSEKEEPING)


class Feed:
    """A feed that breaks, or has nothing."""

    reader, limits = "event", None

    def __init__(self, name, fault=None):
        self.name, self.fault, self.asked = name, fault, 0

    def page(self, cursor):
        self.asked += 1
        if self.fault:
            raise self.fault
        return Page((), cursor, is_more=False)


def test_each_feed_has_a_task_of_its_own_so_that_one_that_breaks_stops_no_other(monkeypatch):
    feeds = {("acme", "broken"): Feed("broken", RuntimeError("a fault of ours")), ("acme", "good"): Feed("good")}
    monkeypatch.setattr(bootstrap._Process, "services", some_services(feeds=feeds, readers=FORMATS))
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    tasks.poll()
    assert [feed.asked for feed in feeds.values()] == [1, 1]


def test_a_round_of_polling_begins_once_per_interval_however_many_beats_ask():
    services = some_services(feeds={("acme", "good"): Feed("good")}, readers=FORMATS)
    assert list(whose_turn_it_is(services)) == [("acme", "good")]
    assert list(whose_turn_it_is(services)) == []
    services.clock.advance(services.poll_every)
    assert list(whose_turn_it_is(services)) == [("acme", "good")]


class Endless(Feed):
    """Has always one more page."""

    def page(self, cursor):
        return Page((), f"{cursor}.", is_more=True)


def test_a_feed_that_is_slow_is_left_after_an_interval_and_read_on_in_its_next_turn():
    slow = {"feeds": {("acme", "slow"): Endless("slow")}, "monotonic": Ticking(step=20.0)}
    services = some_services(readers=FORMATS, **slow)
    first, second = (read_feed(services, "acme", "slow") for _ in range(2))
    assert (first.pages, first.is_more, second.pages) == (2, True, 2)
    assert services.ledger.cursor("acme", "slow") == "...."


#: What would stop, slow or mislead a worker, or write what is in its memory somewhere, and what one would ask it with.
CHANGES = {
    "add_consumer": {"queue": "isolation"},
    "autoscale": {"max": 0, "min": 0},
    "cancel_consumer": {"queue": "ioc"},
    "disable_events": {},
    "election": {"id": "x", "topic": "x"},
    "hello": {"from_node": "stranger", "revoked": ["x"]},
    "memdump": {},
    "memsample": {},
    "objgraph": {},
    "pool_grow": {"n": 2},
    "pool_restart": {},
    "pool_shrink": {"n": 2},
    "rate_limit": {"task_name": "ar_workers.tasks.act", "rate_limit": "1/h"},
    "revoke": {"task_id": "x"},
    "revoke_by_stamped_headers": {"headers": {"x": ["x"]}, "terminate": True},
    "shutdown": {},
    "terminate": {"signal": "KILL", "task_id": "x"},
    "time_limit": {"task_name": "ar_workers.tasks.act", "hard": 1},
}


def commands():
    """All that Celery registers, also in later versions. `dump_...` are its older names of what looks."""
    from celery.worker.control import Panel

    return {name for name in Panel.data if not name.startswith("dump_")}


def test_every_command_of_celery_either_looks_or_is_tried_below():
    assert commands() == CHANGES.keys() | LOOKS


@pytest.mark.e2e
def test_a_worker_can_be_looked_at_by_remote_and_nothing_else(real_redis, redis_url, tmp_path):
    celery = celery_at(redis_url)
    with a_worker(redis_url, redis_url, tmp_path / "log", queues="ioc") as worker:
        looks = celery.control.inspect(timeout=5, limit=1)
        eventually(looks.ping)  # what is asked while it subscribes is answered by nobody
        (name,) = looks.ping()
        assert looks.stats()[name]["pid"] == worker.pid
        for command, arguments in (CHANGES | {"dump_conf": {}, "dump_tasks": {}}).items():
            answers = celery.control.broadcast(command, arguments=arguments, destination=[name], reply=True, timeout=5, limit=1)
            assert "KeyError" in answers[0][name]["error"]
        assert celery.control.enable_events(reply=True, timeout=5, limit=1)[0][name]["ok"]
        assert [queue["name"] for queue in looks.active_queues()[name]] == ["ioc"]
        assert looks.revoked()[name] == []
        assert worker.poll() is None


#: What a worker is given, by its environment and its addresses.
SECRETS = {
    "AR_SLACK_TOKEN": "xoxb-canary-slack", "AR_PAGERDUTY_ROUTING_KEY": "canary0pagerduty0canary0pagerdut", "AR_SMTP_HOST": "127.0.0.1",
    "AR_SLACK_CHANNEL": "C0123456789", "AR_SMTP_FROM": "tre@ar.example", "AR_SMTP_USER": "us", "AR_SMTP_PASSWORD": "canary-of-the-relay",
    "FLOWER_BASIC_AUTH": "us:canary-of-flower",
}  # fmt: skip
PASSWORD = "canary-of-redis"
#: How a worker is asked for as much as it tells.
ASKED = {
    "conf": ({}, {"with_defaults": True}),
    "query_task": ({"ids": ["x"]},),
    "registered": ({}, {"taskinfoitems": dir(app.Task), "builtins": True}),
}


@contextmanager
def our_worker(ledger, folder, *, broker=""):
    """A worker as operators start it, with those addresses; and its log."""
    told = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AR_HOME": str(folder),
        "AR_REDIS_URL": ledger,
        "AR_BROKER_URL": broker,
        **SECRETS,
    }
    command = [sys.executable, "-m", "celery", "-A", "ar_workers.celery", "worker", "-P", "threads", "-c", "1", "-Q", "ioc", "-l", "DEBUG"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=told, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def told(text):
    return [word for word in (PASSWORD, "canary") if word in text]


@pytest.mark.e2e
def test_no_password_is_in_what_a_worker_answers_or_logs(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", PASSWORD)
        url = server.url.replace("//", f"//:{PASSWORD}@")
        celery = celery_at(url)
        with our_worker(url, tmp_path) as (process, log):
            eventually(lambda: b" ready." in log.read_bytes() or process.poll() is not None)
            looks = celery.control.inspect(timeout=5, limit=1)
            eventually(looks.ping)
            (name,) = looks.ping()
            for command in LOOKS:
                for arguments in ASKED.get(command, ({},)):
                    (answer,) = celery.control.broadcast(command, arguments=arguments, destination=[name], reply=True, timeout=5, limit=1)
                    assert "error" not in (answer[name] or {})
                    assert told(repr(answer)) == []
            assert looks.conf()[name]["broker_url"] == url.replace(PASSWORD, "********")
            server.kill()
            eventually(lambda: b"Cannot connect to" in log.read_bytes())
        text = log.read_text()
        assert ".> transport:" in text
        assert told(text) == []


ELSEWHERE = [
    f"redis://us:{PASSWORD}@127.0.0.1:1/0",
    f"unix://:{PASSWORD}@/nowhere/redis.sock?db=0",
    f"redis+sentinel://us:{PASSWORD}@127.0.0.1:1,127.0.0.1:2/ledger?sentinel_password={PASSWORD}",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_password_is_in_the_settings_that_are_shown_of_any_kind_of_broker(url):
    celery = celery_at(url)
    with celery.connection() as connection:
        shown = [celery.conf.table(with_defaults=True), celery.bugreport(), connection.as_uri(), repr(connection)]
    assert PASSWORD in str(celery.conf.broker_url)
    assert told(str(shown)) == []


@pytest.mark.e2e
@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_password_is_in_what_a_worker_says_of_a_broker_that_is_away(url, redis_url, tmp_path):
    with our_worker(redis_url, tmp_path, broker=url) as (process, log):
        eventually(lambda: b"Cannot connect to" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
    assert told(log.read_text()) == []


def test_what_workers_answer_is_all_that_only_looks():
    from celery.worker.control import Panel

    assert set(Panel.data) >= LOOKS
    assert {name for name in LOOKS if Panel.meta[name].type != "inspect"} == {"enable_events", "heartbeat"}
