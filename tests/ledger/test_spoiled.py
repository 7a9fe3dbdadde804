"""What a stranger writes under one customer's keys is that customer's trouble alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.holds import HoldTerms
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.keys import SEALS

from .building import a_row, an_event, asked, recorded, settle

AGAIN = timedelta(seconds=30)


@pytest.fixture
def ledger(real_redis, redis_url):
    return RedisLedger(connect(redis_url), grace=timedelta(0), least_remaining=timedelta(milliseconds=1), seals=SEALS)


def spoil(client, key):
    client.delete(key)
    client.set(key, "odd")


@pytest.mark.parametrize("key", ["due", "due:first", "row:acme:isolate:1"])
def test_the_sweep_passes_a_customer_over_whose_keys_are_spoiled(ledger, real_redis, key):
    recorded(ledger, a_row())
    recorded(ledger, a_row(customer="globex"), event=an_event(customer="globex"))
    spoil(real_redis, f"ar:{{acme}}:{key}")
    assert [ring.id for ring in ledger.due(10, AGAIN)] == ["globex:isolate:1"]


@pytest.mark.parametrize("key", ["held", "holds", "row:acme:isolate:1"])
def test_the_holds_of_other_customers_end_all_the_same(ledger, real_redis, key):
    for customer in ("acme", "globex"):
        recorded(ledger, a_row(customer=customer), event=an_event(customer=customer))
        asked(ledger, f"{customer}:isolate:1", most=0)
    spoil(real_redis, f"ar:{{acme}}:{key}")
    ledger.mind_holds(dict.fromkeys(("acme", "globex"), HoldTerms(life=timedelta(0), remind_after=AGAIN)), most=10)
    assert ledger.row("globex:isolate:1").state is State.CANCELLED


def test_other_customers_are_compacted_all_the_same(ledger, real_redis):
    recorded(ledger, a_row(customer="globex"), event=an_event(customer="globex"))
    settle(ledger, "globex:isolate:1", State.DONE)
    recorded(ledger, a_row())
    spoil(real_redis, "ar:{acme}:settled")
    assert ledger.compact(datetime.now(UTC) + timedelta(hours=1), 10) == 1


def test_a_row_that_a_stranger_has_deleted_is_not_rung_and_not_looked_at_again(ledger, real_redis):
    recorded(ledger, a_row())
    recorded(ledger, a_row(customer="globex"), event=an_event(customer="globex"))
    real_redis.delete("ar:{acme}:row:acme:isolate:1")
    assert [ring.id for ring in ledger.due(10, AGAIN)] == ["globex:isolate:1"]
    assert ledger.outstanding("acme") == 0
