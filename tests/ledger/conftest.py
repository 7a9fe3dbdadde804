"""The three ledgers that keep the same promises."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import fakeredis
import pytest

from ar_workers.ledger.memory import MemoryLedger
from ar_workers.ledger.redis import RedisLedger, connect

if TYPE_CHECKING:
    from ar_workers.ports import Ledger

QUICK = {"grace": timedelta(0), "least_remaining": timedelta(milliseconds=1)}


@pytest.fixture(params=["memory", "fakeredis", "redis"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A new, empty ledger without a grace for rings."""
    if request.param == "memory":
        return MemoryLedger(**QUICK)
    if request.param == "fakeredis":
        return RedisLedger(fakeredis.FakeRedis(decode_responses=True), watches_memory=False, **QUICK)
    request.getfixturevalue("real_redis")
    return RedisLedger(connect(request.getfixturevalue("redis_url")), **QUICK)
