"""Housekeeping chains what has moved, and tells people of what in Redis does not follow from what was accepted and done."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ar_workers.audit.chain import ChainFolder
from ar_workers.audit.comparing import compared, threat_findings
from ar_workers.audit.door import DoorBook
from ar_workers.audit.verifying import verified
from ar_workers.domain.audit import written_move
from ar_workers.domain.errors import RecordUnusable
from ar_workers.ledger.trail import KEEPS, RedisTrail
from ar_workers.pipeline.auditing import LONGEST, MOST_MOVES, chain, look
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.services import Record
from tests.clocks import ManualClock, a_ledger
from tests.fakes import some_services
from tests.keys import SEALS
from tests.pipeline.building import Ticking, an_edr, play, published

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def services(tmp_path):
    """Whose door and chains are in files."""
    clock = ManualClock()
    door = DoorBook(tmp_path / "door", now=lambda: clock.at.timestamp())  # noqa: PLW0108 - it is moved
    ledger = a_ledger(clock, door=door)
    record = Record(RedisTrail(ledger), ChainFolder(tmp_path / "chains", SEALS), door)
    return some_services(ledger=ledger, clock=clock, record=record, edr=an_edr())


def redis_of(services):
    return services.record.trail._redis


def look_twice(services):
    """As beat does, some minutes later."""
    told = []
    for _ in range(2):
        services.clock.advance(2 * MINUTE)
        look(services)
        told = told_of(services)
    return told


def told_of(services):
    """The kinds of which people are told."""
    names = redis_of(services).keys("ar:{acme}:event:.audit-*")
    return sorted(name.partition(".audit-")[2][:-11] for name in names)


def whole(services, tmp_path):
    return verified(tmp_path / "chains", "acme", seals=SEALS)


def planned(services, **changes):
    """Published and planned; nobody works on it."""
    ingest(services.ledger, services.doorbell, [published(**changes)])
    respond(services, services.doorbell.rings.popleft().ids)
    services.doorbell.rings.clear()
    return {row.verb: row.id for row in services.ledger.rows("acme", "THREAT-1")}


def test_all_that_a_timeline_shows_is_in_the_chain_and_nothing_is_odd(services, tmp_path):
    play(services, published(), rounds=2)
    assert chain(services) > 0
    shown = [(entry.row, entry.text) for entry in services.ledger.threat("acme", "THREAT-1").timeline]
    links = [json.loads(line) for line in services.record.chains.files("acme")[0].read_bytes().splitlines()]
    assert [(each["row"], each["text"]) for each in links if each["threat"] == "THREAT-1"] == shown
    assert look_twice(services) == []
    assert whole(services, tmp_path).findings == []
    assert services.record.trail.with_moves() == []
    found = compared(tmp_path / "chains", "acme", seals=SEALS, trail=services.record.trail)
    assert found.findings == []


def test_two_beats_make_one_visit(services):
    play(services, published(), rounds=2)
    assert chain(services) > 0
    ingest(services.ledger, services.doorbell, [published(id="e2")])
    assert chain(services) == 0


def test_work_that_is_under_way_is_not_odd(services):
    play(services, published(), rounds=1)
    planned(services, id="e2", threat=published().threat.model_copy(update={"id": "THREAT-2"}))
    services.ledger.pause("acme", "*", "stop", by="kim")
    services.ledger.pause("acme", "verb:isolate", "for now", until=services.clock.now() + MINUTE)
    services.ledger.pause(None, "*", "stop", by="kim")
    assert look_twice(services) == []
    services.ledger.end_pauses()
    services.ledger.resume("acme", "*", by="lee")
    services.ledger.resume(None, "*", by="lee")
    assert look_twice(services) == []


def test_a_row_that_was_marked_as_done_is_told(services):
    rows = planned(services)
    redis_of(services).hset(f"ar:{{acme}}:row:{rows['isolate']}", "state", "done")
    redis_of(services).zrem("ar:{acme}:due:first", rows["isolate"])
    assert look_twice(services) == ["row-moved"]


def test_a_row_that_was_deleted_is_told(services):
    rows = planned(services)
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['ban_hash']}")
    assert look_twice(services) == ["row-gone"]


def test_people_are_told_with_what_it_is_and_what_to_do(services):
    rows = planned(services)
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['ban_hash']}")
    look_twice(services)
    services.doorbell.answer(services)
    sent = next(each for each in services.channels["tre", "slack"].sent if "does not follow" in str(each.notification))
    assert rows["ban_hash"] in str(sent.notification)
    assert "arctl audit verify" in str(sent.notification)


def test_what_is_odd_in_one_look_only_is_told_to_nobody(services):
    rows = planned(services)
    key = f"ar:{{acme}}:row:{rows['isolate']}"
    redis_of(services).hset(key, "state", "done")
    services.clock.advance(2 * MINUTE)
    assert look(services) == 0
    redis_of(services).hset(key, "state", "pending")
    services.clock.advance(2 * MINUTE)
    assert look(services) == 0
    assert told_of(services) == []


@pytest.mark.parametrize("how", ["taken off the list", "put off for a month"])
def test_a_row_that_is_held_up_is_told(services, how):
    rows = planned(services)
    if how == "taken off the list":
        redis_of(services).zrem("ar:{acme}:due:first", rows["isolate"])
    else:
        redis_of(services).zadd("ar:{acme}:due:first", {rows["isolate"]: services.record.trail.now() + 30 * 86_400_000})
    assert look_twice(services) == ["row-held-up"]


def test_an_endpoint_that_is_blocked_beyond_any_lease_is_told(services):
    planned(services)
    redis_of(services).hset("ar:{acme}:lane:crowdstrike/a1", mapping={"owner": "x", "held": 1, "until": 2 * 10**12})
    assert look_twice(services) == ["lane-blocked"]


@pytest.mark.parametrize("field", ["blocked_until", "open_until"])
def test_a_remote_that_is_blocked_is_told(services, field):
    planned(services)
    redis_of(services).hset("ar:{acme}:remote:crowdstrike", field, 2 * 10**12)
    assert look_twice(services) == ["remote-blocked"]


def test_a_remote_that_is_busy_for_ever_is_told(services):
    planned(services)
    redis_of(services).zadd("ar:{acme}:remote:crowdstrike:busy:urgent", {"x": 2 * 10**12})
    assert look_twice(services) == ["remote-blocked"]


def test_a_pause_that_nobody_lifted_is_told(services):
    services.ledger.pause("acme", "*", "stop", by="kim")
    assert look_twice(services) == []
    redis_of(services).delete("ar:{acme}:paused")
    assert look_twice(services) == ["switch-opened"]


def test_a_switch_that_nobody_closed_is_told(services):
    play(services, published(), rounds=2)
    redis_of(services).hset("ar:{acme}:paused", "*", "because")
    assert look_twice(services) == ["switch-closed"]


def test_of_everyones_pause_the_tres_are_told_once(services):
    services.ledger.pause(None, "*", "stop", by="kim")
    look_twice(services)
    redis_of(services).delete("ar:paused")
    assert look_twice(services) == ["switch-opened-everyone"]


def test_an_event_that_was_deleted_is_told(services):
    ingest(services.ledger, services.doorbell, [published()])
    redis_of(services).delete("ar:{acme}:event:e1")
    assert look_twice(services) == ["event-gone"]


def test_an_event_that_was_deleted_together_with_its_moves_is_told(services):
    ingest(services.ledger, services.doorbell, [published()])
    redis_of(services).flushall()
    assert look_twice(services) == ["event-gone"]


def test_an_event_whose_content_was_changed_is_told(services):
    ingest(services.ledger, services.doorbell, [published()])
    redis_of(services).hset("ar:{acme}:event:e1", "digest", "0" * 32)
    assert look_twice(services) == ["event-changed"]


def test_an_event_that_nothing_will_plan_is_told(services):
    ingest(services.ledger, services.doorbell, [published()])
    redis_of(services).zrem("ar:{acme}:due:first", "event/e1")
    assert look_twice(services) == ["event-held-up"]


def test_an_event_that_was_marked_as_planned_and_has_no_rows_is_told(services):
    ingest(services.ledger, services.doorbell, [published()])
    redis_of(services).hset("ar:{acme}:event:e1", "state", "planned")
    redis_of(services).zrem("ar:{acme}:due:first", "event/e1")
    assert look_twice(services) == ["event-without-rows"]


def test_an_event_that_waits_for_its_turn_is_not_odd(services):
    ingest(services.ledger, services.doorbell, [published()])
    assert look_twice(services) == []


def test_an_event_that_was_refused_or_said_again_is_not_missed(services):
    play(services, published(), published(), published(iocs=()), rounds=2)
    assert look_twice(services) == []


def test_each_kind_is_told_once_a_day(services):
    rows = planned(services)
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['ban_hash']}")
    look_twice(services)
    look_twice(services)
    assert len(redis_of(services).keys("ar:{acme}:event:.audit-*")) == 1
    services.clock.advance(DAY)
    look_twice(services)
    assert len(redis_of(services).keys("ar:{acme}:event:.audit-*")) == 2


def test_after_a_restart_the_same_is_known(services, tmp_path):
    rows = planned(services)
    chain(services)
    services.record.chains = ChainFolder(tmp_path / "chains", SEALS)
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['isolate']}")
    assert look_twice(services) == ["row-gone"]


def test_a_chain_that_another_folder_has_gone_on_with_accuses_nobody(services, tmp_path):
    rows = planned(services)
    chain(services)
    services.clock.advance(KEEPS)
    other = ChainFolder(tmp_path / "other", SEALS)
    services.record.trail.unchained("acme", 1, other.name())
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['isolate']}")
    assert look_twice(services) == []


def test_what_is_not_all_chained_yet_accuses_nobody(services):
    rows = planned(services)
    redis_of(services).rpush("ar:{acme}:moves", *[written_move(1, "row", "x")] * MOST_MOVES)
    services = replace(services, monotonic=Ticking(LONGEST))
    redis_of(services).delete(f"ar:{{acme}}:row:{rows['isolate']}")
    services.clock.advance(2 * MINUTE)
    assert look(services) == 0
    assert not services.record.odd.get("acme")
    assert look_twice(services) == ["row-gone"]


def test_a_record_that_was_cut_is_told(services):
    play(services, published(), rounds=2)
    chain(services)
    (path,) = services.record.chains.files("acme")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    assert "record-broken" in look_twice(services)


def test_a_record_that_cannot_be_kept_loses_no_move_and_is_told(services, tmp_path):
    play(services, published(), rounds=2)
    (tmp_path / "chains").write_text("in the way")
    assert chain(services) == 0
    assert services.record.trail.with_moves() == ["acme"]
    (tmp_path / "chains").unlink()
    services.clock.advance(MINUTE)
    assert chain(services) > 0


def cut_last(redis, key):
    redis.rpop(key)


def cut_first(redis, key):
    redis.lpop(key)


def changed(redis, key):
    redis.lset(key, 1, redis.lindex(key, 1).replace("pending", "done"))


def put_in(redis, key):
    redis.rpush(key, redis.lindex(key, -1).replace("done", "cancelled"))


def swapped(redis, key):
    one, other = redis.lindex(key, 0), redis.lindex(key, 1)
    redis.lset(key, 0, other)
    redis.lset(key, 1, one)


def taken_away(redis, key):
    redis.delete(key)


@pytest.mark.parametrize("is_chained", [True, False])
@pytest.mark.parametrize("change", [cut_last, cut_first, changed, put_in, swapped, taken_away])
def test_a_timeline_that_was_cut_or_changed_is_shown_as_such(services, tmp_path, change, is_chained):
    play(services, published(), rounds=2)
    chain(services)
    if not is_chained:
        ingest(services.ledger, services.doorbell, [published(id="e2")])
    change(redis_of(services), "ar:{acme}:threat:THREAT-1:timeline")
    services.clock.advance(MINUTE)
    found = compared(tmp_path / "chains", "acme", seals=SEALS, trail=services.record.trail).findings
    assert {place for place, _ in found} == {"threat THREAT-1"}
    assert threat_findings(tmp_path / "chains", "acme", "THREAT-1", services.record.trail) == found


def test_a_threat_that_was_taken_away_is_shown(services, tmp_path):
    play(services, published(), rounds=2)
    chain(services)
    services.clock.advance(MINUTE)
    for key in redis_of(services).keys("ar:{acme}:threat*"):
        redis_of(services).delete(key)
    ((place, what),) = compared(tmp_path / "chains", "acme", seals=SEALS, trail=services.record.trail).findings
    assert (place, "are not in the ledger any more" in what) == ("threat THREAT-1", True)


class Witness:
    """Remembers what it was told; while it is away nothing can be told."""

    def __init__(self):
        self.told, self.is_away = [], False

    def tell(self, ends):
        if self.is_away:
            raise RecordUnusable("it is away")
        self.told.append(dict(ends))


def test_ends_that_have_moved_on_are_told_elsewhere_once(services):
    services.record.witness = witness = Witness()
    services.ledger.pause("acme", "*", "stop", by="kim")
    look_twice(services)
    assert witness.told == [{"acme": services.record.chains.anchor("acme")}]


def test_a_witness_that_is_away_is_told_of_and_hears_it_later(services):
    services.record.witness = witness = Witness()
    witness.is_away = True
    services.ledger.pause("acme", "*", "stop", by="kim")
    assert look_twice(services) == ["witness-away-everyone"]
    witness.is_away = False
    look_twice(services)
    assert {"acme"} == {name for ends in witness.told for name in ends}
