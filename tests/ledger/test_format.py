"""The ledger carries the number of its format, and a version that does not know it touches nothing."""

from __future__ import annotations

import pytest

from ar_workers import tasks
from ar_workers.bootstrap import use
from ar_workers.domain.errors import IncompatibleLedger
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import FORMAT, RedisLedger
from tests.fakes import some_services
from tests.keys import SEALS
from tests.ledger.building import a_row, an_event, asked, recorded


def test_a_new_ledger_is_marked(ledger):
    ledger.check_format()
    ledger.check_format()
    assert ledger._redis.get("ar:format") == FORMAT


def test_a_ledger_of_the_versions_before_is_known_by_having_no_mark(ledger):
    recorded(ledger, a_row())
    ledger._redis.delete("ar:format")
    ledger._is_known = False
    asked(ledger)
    assert ledger._redis.get("ar:format") == FORMAT


def test_a_ledger_of_a_version_to_come_is_left_alone(real_redis, redis_url):
    real_redis.set("ar:format", "99")
    ledger = RedisLedger(connect(redis_url), seals=SEALS)
    for call in (ledger.check_format, lambda: ledger.accept([an_event()]), lambda: asked(ledger), lambda: ledger.resume("acme", "*")):
        with pytest.raises(IncompatibleLedger, match="has format 99, and this version knows 1: run the version that wrote it"):
            call()
    assert [key for key in real_redis.keys() if key != "ar:format"] == []


def test_a_worker_that_does_not_know_the_ledger_does_not_start(real_redis, redis_url):
    real_redis.set("ar:format", "99")
    use(some_services(ledger=RedisLedger(connect(redis_url), seals=SEALS)))
    with pytest.raises(SystemExit, match="has format 99"):
        tasks.refuse_wrong_settings()
    real_redis.delete("ar:format")
    tasks.refuse_wrong_settings()
