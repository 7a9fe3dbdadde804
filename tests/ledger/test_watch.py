"""The ledger's watch over isolations: who is due to be told of, cheaply; who knows; and which endpoints are off the network."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from ar_workers.domain.canvas import Queue
from ar_workers.domain.claims import Refusal, VisitResult
from ar_workers.domain.events import IsolationOverdue
from ar_workers.domain.new_rows import EventPlan
from ar_workers.domain.states import State
from tests.clocks import ManualClock, a_ledger
from tests.keys import SEALS

from .building import a_delivery, a_row, an_event, begun, claimed, concluded, recorded, settle, wait

SOON = timedelta(milliseconds=20)
LANE = "crowdstrike/a1"


def overdue(ledger, **more):
    recorded(ledger, a_row(watch=SOON, **more))
    wait(ledger, 0.03)


def own_events(ledger):
    rings = ledger.due(100, timedelta(0))
    return [event for event in ledger.events([each.id for each in rings if ":event/." in each.id]) if event]


def test_an_overdue_isolation_comes_in_as_an_event_once(ledger):
    overdue(ledger)
    assert [ledger.remind(10), ledger.remind(10)] == [1, 0]
    (event,) = own_events(ledger)
    assert isinstance(event, IsolationOverdue)
    assert (event.row, event.subject, event.state, event.edr) == ("acme:isolate:1", "FIN-1", State.PENDING, "crowdstrike")
    assert (event.threat_id, event.threat.id) == ("THREAT-1", "THREAT-1")


def test_what_nobody_wants_to_be_told_of_never_comes_in(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", queue=Queue.IOC))
    assert ledger.remind(10) == 0


@pytest.mark.parametrize("state", [State.DONE, State.ALREADY, State.SKIPPED, State.CANCELLED, State.FAILED])
def test_what_is_settled_is_not_watched(ledger, state):
    recorded(ledger, a_row(watch=SOON))
    settle(ledger, "acme:isolate:1", state)
    wait(ledger, 0.03)
    assert ledger.remind(10) == 0


def test_customers_are_looked_through_one_by_one(ledger):
    for customer in ("acme", "globex"):
        recorded(ledger, a_row(customer=customer, watch=SOON), event=an_event(customer=customer))
    wait(ledger, 0.03)
    assert ledger.remind(10) == 2


def test_an_acknowledgement_is_recorded_with_who_when_and_why(ledger):
    overdue(ledger)
    assert ledger.acknowledge("acme:isolate:1", by="kim", reason="in the post") is None
    assert ledger.remind(10) == 0
    kept = ledger.row("acme:isolate:1")
    assert (kept.acknowledged_by, kept.acknowledged_why, kept.state) == ("kim", "in the post", State.PENDING)
    assert kept.acknowledged_at >= kept.created_at
    assert ledger.threat("acme", "THREAT-1").timeline[-1].text == "acknowledged by kim: in the post"


def test_the_same_acknowledgement_again_is_no_other_one(ledger):
    overdue(ledger)
    for _ in range(2):
        assert ledger.acknowledge("acme:isolate:1", by="kim", reason="in the post") is None
    assert [entry.text[:12] for entry in ledger.threat("acme", "THREAT-1").timeline].count("acknowledged") == 1
    assert ledger.acknowledge("acme:isolate:1", by="sam", reason="mine").reason == "is acknowledged already, by kim"


def test_what_is_no_open_isolation_cannot_be_acknowledged(ledger):
    recorded(ledger, a_row(), a_row("release:1", lane="crowdstrike/a2"), a_delivery())
    settle(ledger, "acme:isolate:1")
    said = {name: ledger.acknowledge(f"acme:{name}", by="kim", reason="x") for name in ("isolate:1", "release:1", "slack:1", "isolate:9")}
    assert {name: each.reason.partition(":")[0] for name, each in said.items()} == {
        "isolate:1": "is done",
        "release:1": "is no isolation",
        "slack:1": "is no isolation",
        "isolate:9": "no such row",
    }
    assert all(isinstance(each, Refusal) for each in said.values())


def test_an_acknowledgement_outlives_compaction():
    clock = ManualClock()
    ledger = a_ledger(clock)
    recorded(ledger, a_row(watch=SOON))
    ledger.acknowledge("acme:isolate:1", by="kim", reason="in the post")
    settle(ledger, "acme:isolate:1")
    clock.advance(timedelta(hours=1))
    assert ledger.compact(clock.now(), 10) == 1
    assert ledger.row("acme:isolate:1").acknowledged_by == "kim"


def test_what_is_overdue_is_found_without_looking_at_what_is_not(real_redis, redis_url):
    """An index, not a scan: the script's own time does not follow the number of rows."""
    from ar_workers.ledger.clients import connect
    from ar_workers.ledger.redis import RedisLedger

    ledger = RedisLedger(connect(redis_url), grace=timedelta(0), seals=SEALS)
    overdue(ledger)
    later = int((time.time() + 3600) * 1000)
    pipe = real_redis.pipeline(transaction=False)
    for number in range(100_000):
        pipe.zadd("ar:{acme}:uncontained", {f"acme:isolate:x{number}": later + number})
    pipe.execute()
    before = real_redis.info("commandstats")
    assert ledger.remind(1000) == 1
    after = real_redis.info("commandstats")
    calls = {name: each["calls"] - before.get(name, {"calls": 0})["calls"] for name, each in after.items()}
    assert calls["cmdstat_zrangebyscore"] == 1
    assert sum(calls.values()) < 60


def shown(ledger, verb, number=1, state=State.DONE, threat="THREAT-1", evidence="it says so"):
    name = f"{verb}:{number}"
    recorded(ledger, a_row(name), event=an_event(f"e-{verb}-{number}", threat=threat))
    concluded(ledger, begun(ledger, claimed(ledger, f"acme:{name}")), VisitResult(state=state, evidence=evidence))


def test_an_isolated_endpoint_is_listed_from_its_own_record(ledger):
    shown(ledger, "isolate")
    (found,) = ledger.isolated("acme")
    assert (found.lane, found.hostname, found.threat_id, found.evidence, found.is_ours) == (LANE, "FIN-1", "THREAT-1", "it says so", True)
    assert found.since == found.at
    assert ledger.isolated("globex") == []


def test_another_threat_that_finds_it_isolated_moves_when_it_was_asked_and_not_since_when_it_is():
    clock = ManualClock()
    ledger = a_ledger(clock)
    shown(ledger, "isolate")
    clock.advance(timedelta(hours=2))
    shown(ledger, "isolate", 2, State.ALREADY, "THREAT-2")
    (found,) = ledger.isolated("acme")
    assert (found.threat_id, found.at - found.since) == ("THREAT-1", timedelta(hours=2))


def test_what_was_isolated_before_we_asked_says_so(ledger):
    shown(ledger, "isolate", state=State.ALREADY)
    assert [each.is_ours for each in ledger.isolated("acme")] == [False]


def test_a_release_takes_it_off_the_list_and_a_new_isolation_puts_it_there_again(ledger):
    shown(ledger, "isolate")
    shown(ledger, "release")
    assert ledger.isolated("acme") == []
    shown(ledger, "isolate", 2, threat="THREAT-2")
    assert [each.threat_id for each in ledger.isolated("acme")] == ["THREAT-2"]


def test_compaction_of_its_threat_leaves_the_endpoint_listed():
    clock = ManualClock()
    ledger = a_ledger(clock)
    shown(ledger, "isolate")
    clock.advance(timedelta(days=4))
    assert ledger.compact(clock.now(), 10) == 1
    assert [each.hostname for each in ledger.isolated("acme")] == ["FIN-1"]


def test_what_a_version_without_the_index_recorded_is_listed(real_redis, redis_url):
    from ar_workers.ledger.clients import connect
    from ar_workers.ledger.redis import RedisLedger

    ledger = RedisLedger(connect(redis_url), seals=SEALS)
    for lane, word in (("crowdstrike/old", "isolate"), ("crowdstrike/free", "release")):
        real_redis.hset(f"ar:{{acme}}:endpoint:{lane}", mapping={"shown": word, "shown_at": 1_790_000_000_000})
    found = ledger.isolated("acme")
    assert [(each.lane, each.hostname, each.threat_id) for each in found] == [("crowdstrike/old", "old", "")]


def test_what_a_person_had_looked_at_is_written_down_unless_a_worker_has_seen_more(ledger):
    shown(ledger, "isolate")
    (listed,) = ledger.isolated("acme")
    wait(ledger, 0.002)
    assert ledger.showed("acme", listed, is_isolated=True, evidence="still")
    (again,) = ledger.isolated("acme")
    assert (again.evidence, again.at > listed.at, again.since) == ("still", True, listed.since)
    assert not ledger.showed("acme", listed, is_isolated=False, evidence="stale")
    assert ledger.showed("acme", again, is_isolated=False, evidence="free")
    assert ledger.isolated("acme") == []
    assert ledger.containments("acme", [LANE])[LANE].is_isolated is False


def test_a_wish_that_is_closed_from_the_start_is_not_watched(ledger):
    ledger.accept([an_event()])
    ledger.record([EventPlan(event=an_event(), rows=[a_row(watch=SOON, state=State.SKIPPED)])])
    wait(ledger, 0.03)
    assert ledger.remind(10) == 0
