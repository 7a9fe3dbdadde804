"""The ledgers that keep the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clocks import ManualClock, a_ledger
from tests.clusters import a_cluster, asked, cluster_url
from tests.keys import SEALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ar_workers.cli.redis_server import RedisServer
    from ar_workers.ports import Ledger

QUICK = {"grace": timedelta(0), "least_remaining": timedelta(milliseconds=1)}
AT_ONCE = {**QUICK, "switch_lives": timedelta(0)}


@pytest.fixture(scope="session")
def cluster_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    """Three primaries for the session."""
    with a_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def cluster(cluster_servers: list[RedisServer]) -> list[RedisServer]:
    """The three primaries, empty when the test begins."""
    for server in cluster_servers:
        asked(server.port, "FLUSHALL")
    return cluster_servers


@pytest.fixture(params=["fakeredis", "redis", "cluster"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A new, empty ledger without a grace for rings; in memory it goes by a clock that `wait` moves."""
    if request.param == "fakeredis":
        clock = ManualClock(datetime.now(UTC))
        ledger = a_ledger(clock, least_remaining=timedelta(milliseconds=1))
        ledger.wait = lambda seconds: clock.advance(timedelta(seconds=seconds))
        return ledger
    if request.param == "cluster":
        return RedisLedger(connect(cluster_url(request.getfixturevalue("cluster"))), **AT_ONCE, seals=SEALS)
    request.getfixturevalue("real_redis")
    return RedisLedger(connect(request.getfixturevalue("redis_url")), **AT_ONCE, seals=SEALS)
