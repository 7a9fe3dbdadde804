"""Redis is never filled to the brim: new events are refused before, and what was accepted is worked off."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis

from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.errors import LedgerFull
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clusters import eventually
from tests.keys import SEALS
from tests.ledger.building import a_row, an_event, claimed, concluded, recorded


@pytest.fixture
def small(tmp_path):
    with RedisServer(tmp_path, memory="8mb") as server, redis.Redis.from_url(server.url) as client:
        yield server, client


def a_ledger(server):
    return RedisLedger(connect(server.url), grace=timedelta(0), least_remaining=timedelta(milliseconds=1), seals=SEALS)


def test_a_nearly_full_redis_takes_no_new_events_but_ends_what_it_has(small):
    server, client = small
    ledger = a_ledger(server)
    recorded(ledger, a_row())
    while client.info("memory")["used_memory"] < 0.87 * 8 * 2**20:
        client.rpush("ballast", b"x" * 40_000)
    fresh = a_ledger(server)
    with pytest.raises(LedgerFull, match="try again later"):
        fresh.accept([an_event("e2")])
    concluded(fresh, claimed(fresh), VisitResult(state=State.DONE))
    client.delete("ballast")
    eventually(lambda: client.info("memory")["used_memory"] < 0.5 * 8 * 2**20)
    assert fresh.accept([an_event("e2")]) == [Acceptance.NEW]
