"""The ledger over several servers: a cluster, a primary that dies, and what redis-py raises when they are away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.domain.errors import LedgerFull, LedgerUnavailable
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clusters import asked, cluster_url
from tests.keys import SEALS
from tests.ledger.building import LEASE, a_row, an_event, claimed, recorded
from tests.ledger.building import asked as claim_of
from tests.ledger.conftest import QUICK

CUSTOMERS = [f"customer-{number}" for number in range(24)]


@pytest.fixture
def sharded(cluster):
    return RedisLedger(connect(cluster_url(cluster)), **QUICK, seals=SEALS)


def an_event_of_each():
    return [an_event(customer=name) for name in CUSTOMERS]


def test_a_thread_keeps_its_connection_and_gets_another_once_it_is_lost(redis_url):
    client = connect(redis_url)
    first = client.client_id()
    with ThreadPoolExecutor(1) as other:
        assert client.client_id() == first != other.submit(client.client_id).result()
    with connect(redis_url) as admin:
        admin.client_kill_filter(_id=first)
    assert client.client_id() != first


def test_one_call_serves_customers_on_every_server_of_a_cluster(cluster, sharded):
    assert sharded.accept(an_event_of_each()) == [Acceptance.NEW] * len(CUSTOMERS)
    assert sharded.accept(an_event_of_each()) == [Acceptance.DUPLICATE] * len(CUSTOMERS)
    assert all(asked(server.port, "DBSIZE") for server in cluster)
    assert sorted(ring.id for ring in sharded.due(100, LEASE)) == sorted(f"{name}:event/e1" for name in CUSTOMERS)
    assert sharded.customers() == sorted(CUSTOMERS)


def test_a_cluster_that_forgot_the_scripts_is_told_them_again(cluster, sharded):
    sharded.accept(an_event_of_each())
    for server in cluster:
        asked(server.port, "SCRIPT", "FLUSH")
    assert sharded.accept(an_event_of_each()) == [Acceptance.DUPLICATE] * len(CUSTOMERS)


def test_the_fullest_server_of_a_cluster_decides(cluster, sharded):
    for server in cluster:
        asked(server.port, "CONFIG", "SET", "maxmemory", "1gb")
    asked(cluster[2].port, "CONFIG", "SET", "maxmemory", "1mb")
    with pytest.raises(LedgerFull):
        sharded.accept(an_event_of_each())
    asked(cluster[2].port, "CONFIG", "SET", "maxmemory", "1gb")


def test_a_slot_that_moves_to_another_server_is_followed(cluster, sharded):
    slot = asked(cluster[0].port, "CLUSTER", "KEYSLOT", "ar:{acme}:due")
    owner = next(server for server in cluster if owns(server, slot))
    other = next(server for server in cluster if server is not owner)
    sharded.accept([an_event(customer="globex")])
    for server in (other, owner, *cluster):
        asked(server.port, "CLUSTER", "SETSLOT", slot, "NODE", asked(other.port, "CLUSTER", "MYID"))
    recorded(sharded, a_row())
    assert claimed(sharded)
    assert owns(other, slot)


def owns(server, slot):
    nodes = asked(server.port, "CLUSTER", "SLOTS")
    return any(first <= slot <= last and port == server.port for first, last, (_, port, *_), *_ in nodes)


def test_a_cluster_that_is_away_is_a_ledger_that_is_away():
    with pytest.raises(LedgerUnavailable):
        connect(f"redis+cluster://127.0.0.1:{free_port()}", patience=0)


@pytest.mark.parametrize("write", [lambda ledger: ledger.pause("acme", "*", "why not"), claim_of], ids=["command", "script"])
def test_a_replica_that_may_not_write_is_a_ledger_that_is_away(tmp_path, write):
    with RedisServer(tmp_path) as replica:
        ledger = RedisLedger(connect(replica.url, patience=0), **QUICK, seals=SEALS)
        recorded(ledger, a_row())
        asked(replica.port, "REPLICAOF", "127.0.0.1", free_port())
        with pytest.raises(LedgerUnavailable):
            write(ledger)


def test_a_server_without_its_replicas_is_a_ledger_that_is_away(tmp_path):
    with RedisServer(tmp_path) as server:
        ledger = RedisLedger(connect(server.url, patience=0), **QUICK, seals=SEALS)
        recorded(ledger, a_row())
        asked(server.port, "CONFIG", "SET", "min-replicas-to-write", 1)
        with pytest.raises(LedgerUnavailable, match="NOREPLICAS"):
            claim_of(ledger)


def test_a_full_server_is_a_ledger_that_is_away(tmp_path):
    with RedisServer(tmp_path) as server:
        ledger = RedisLedger(connect(server.url, patience=0), watches_memory=False, **QUICK, seals=SEALS)
        recorded(ledger, a_row())
        asked(server.port, "CONFIG", "SET", "maxmemory", "1kb")
        with pytest.raises(LedgerUnavailable):
            claim_of(ledger)
