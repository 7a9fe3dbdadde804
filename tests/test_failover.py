"""A primary dies: ledger, doorbell and a real worker follow the sentinels to the next one, without a restart."""

from __future__ import annotations

import pytest

from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.domain.claims import Claim
from ar_workers.domain.errors import LedgerUnavailable
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clusters import eventually, replicated, sentinels
from tests.keys import SEALS
from tests.ledger.building import a_row, an_event, recorded
from tests.ledger.building import asked as claim_of
from tests.ledger.conftest import QUICK
from tests.test_transport import ring
from tests.test_transport_workers import a_worker, ran


@pytest.mark.e2e
def test_everything_goes_on_after_the_primary_died(real_redis, redis_url, tmp_path):
    with sentinels(tmp_path) as group, a_worker(group.url, redis_url, tmp_path / "log") as worker:
        ledger, doorbell = RedisLedger(connect(group.url), **QUICK, seals=SEALS), CeleryDoorbell(celery_at(group.url))
        recorded(ledger, a_row())
        doorbell.ring([ring("before")])
        eventually(lambda: ran(real_redis) == ["acme:before"])
        replicated(group.primary.port, replicas=2)
        group.primary.kill()
        eventually(lambda: answer(ledger) == [Acceptance.DUPLICATE])
        assert group.primary_port() != group.primary.port
        assert isinstance(claim_of(ledger), Claim)
        doorbell.ring([ring("after")])
        eventually(lambda: "acme:after" in ran(real_redis))
        assert worker.poll() is None


def answer(ledger):
    try:
        return ledger.accept([an_event()])
    except LedgerUnavailable:
        return None
