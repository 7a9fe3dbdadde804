"""The ledger, the doorbell, the workers' transport and the checkup over a socket with a password."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kombu import Connection

from ar_workers.brokers import broker_at
from ar_workers.celery import CeleryDoorbell, _without_login, celery_at
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.canvas import Queue, Ring
from ar_workers.domain.checkups import Light
from ar_workers.domain.errors import InvalidSettings
from ar_workers.ledger.checkup import checkup
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.transport import POISON, set_aside
from tests.builders import a_threat_published
from tests.keys import SEALS
from tests.test_transport import taker


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("so ck"), private=True) as server:
        yield server


@pytest.fixture
def url(server):
    with connect(server.url) as client:
        client.flushall()
    return server.url


def test_the_ledger_works_over_it(url):
    with connect(url) as client:
        ledger = RedisLedger(client, seals=SEALS)
        event = a_threat_published(id="e1")
        ledger.accept([event])
        assert ledger.events([f"{event.customer}:event/e1"]) == [event]


def test_what_the_doorbell_rings_is_taken_and_what_is_no_message_set_aside(url):
    broker = broker_at(url)["broker_url"]
    with connect(url) as client, taker(broker, "isolation") as worker:
        CeleryDoorbell(celery_at(url)).ring([Ring(id="acme:x/1", queue=Queue.ISOLATION)])
        client.rpush("isolation", "no message")
        assert [queue for queue, _ in worker.drain_until(1)] == ["isolation"]
        worker.drain()
        assert client.llen(POISON) == 1
    assert set_aside(celery_at(url).connection_for_read()).light is Light.WARN


def test_the_checkup_knows_the_server_again(url, server):
    checks = {check.name: check for check in checkup(url)}
    assert {check.light for check in checks.values()} <= {Light.OK, Light.WARN}
    assert str(server.binary.server) in checks["redis"].detail
    assert "not started" not in checks["redis"].detail


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///srv/redis.sock", "redis+socket:///srv/redis.sock?virtual_host=0"),
        ("unix://:p%40ss%2F@/srv/redis.sock?db=3", "redis+socket://:p%40ss%2F@/srv/redis.sock?virtual_host=3"),
        ("unix://ada:pw@/srv/a%20b/redis.sock", "redis+socket://ada:pw@/srv/a%20b/redis.sock?virtual_host=0"),
        ("unix:///srv/redis.sock?db=1&password=pw", "redis+socket://:pw@/srv/redis.sock?virtual_host=1"),
    ],
)
def test_the_socket_is_told_to_kombu_in_its_own_words(url, broker):
    assert broker_at(url)["broker_url"] == broker


def test_a_query_that_is_not_understood_is_a_problem_of_the_settings():
    with pytest.raises(InvalidSettings, match="canary|what follows") as raised:
        broker_at("unix://:canary@/srv/redis.sock?db=many")
    assert "canary" not in str(raised.value.problems)


@pytest.mark.parametrize("url", ["unix://:canary@/srv/redis.sock", "redis+sentinel://:canary@a,b/main?sentinel_password=canary"])
def test_a_workers_statistics_show_no_login_of_the_broker(url):
    settings = broker_at(url)
    connection = Connection(settings["broker_url"], transport_options=settings["broker_transport_options"])
    said = {"pid": 1, "broker": connection.info()}
    assert "canary" in str(said)
    assert _without_login(lambda _state: said, SimpleNamespace()) == {"pid": 1, "broker": {"transport": said["broker"]["transport"]}}
