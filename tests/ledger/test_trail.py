"""What the ledger tells of every move, so that it can be chained outside Redis."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.audit import EVERYONE
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.states import State
from ar_workers.ledger.scripting import source
from ar_workers.ledger.trail import KEEPS, RedisTrail
from tests.clocks import ManualClock, a_ledger
from tests.ledger.building import a_row, an_event, begun, claimed, concluded, recorded


@pytest.fixture
def trail(ledger):
    return RedisTrail(ledger)


def told(trail, customer="acme"):
    return [(move.row, move.text) for move in trail.waiting(customer).moves]


def test_every_line_of_a_timeline_is_a_move_that_is_to_be_chained(ledger, trail):
    recorded(ledger, a_row(), a_row("ban_hash:1", lane=None))
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.DONE, evidence="contained"))
    shown = ledger.threat("acme", "THREAT-1").timeline
    assert told(trail) == [(entry.row, entry.text) for entry in shown]
    assert [move.at for move in trail.waiting("acme").moves] == [round(entry.at.timestamp() * 1000) for entry in shown]
    assert {move.threat for move in trail.waiting("acme").moves} == {"THREAT-1"}


def test_a_move_says_who_made_it_and_what_the_edr_showed(ledger, trail):
    recorded(ledger, a_row())
    claim = claimed(ledger)
    concluded(ledger, begun(ledger, claim), VisitResult(state=State.DONE, evidence="contained"))
    by = {move.text: (move.by, move.evidence) for move in trail.waiting("acme").moves}
    assert by["new -> pending"] == ("event e1", "")
    who, evidence = by["pending -> done"]
    assert who.startswith("worker worker-")
    assert evidence == "contained"


def test_what_a_person_decided_stands_there_with_name_and_reason(ledger, trail):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.HELD, guard="blast_radius", reason="too many"))
    ledger.approve("acme:isolate:1", by="kim", reason="outbreak", life=timedelta(days=1))
    assert ("acme:isolate:1", "held -> pending: approved by kim: outbreak") in told(trail)


@pytest.mark.parametrize("customer", ["acme", None])
def test_who_closes_and_opens_a_kill_switch_is_recorded(ledger, trail, customer):
    ledger.pause(customer, "verb:isolate", "change freeze", by="kim")
    ledger.resume(customer, "verb:isolate", by="lee")
    closed, opened = told(trail, customer or EVERYONE)
    whom = "" if customer else " for everyone"
    assert closed == ("switch/verb:isolate", f"closed: paused{whom} by kim (verb:isolate): change freeze")
    assert opened == ("switch/verb:isolate", "resumed by lee")


def test_opening_what_was_not_closed_is_no_move(ledger, trail):
    ledger.resume("acme", "*", by="lee")
    ledger.resume(None, "*", by="lee")
    assert told(trail) + told(trail, EVERYONE) == []


def test_what_is_chained_is_kept_no_longer_and_the_numbers_go_on(ledger, trail):
    recorded(ledger, a_row())
    taken = trail.unchained("acme", 2, "here")
    assert (taken.first, len(taken.moves)) == (0, 2)
    assert trail.with_moves() == ["acme"]
    assert trail.chained("acme", 0, 2)
    rest = trail.unchained("acme", 100, "here")
    assert [move.number for move in rest.moves] == list(range(2, 2 + len(rest.moves))) != []
    assert trail.chained("acme", 2, len(rest.moves))
    assert trail.with_moves() == []


def test_what_others_have_taken_already_is_not_taken_again(ledger, trail):
    recorded(ledger, a_row())
    assert trail.chained("acme", 0, 2)
    assert not trail.chained("acme", 0, 2)
    assert trail.waiting("acme").first == 2


def test_another_folder_goes_on_only_after_a_while(tmp_path):
    clock = ManualClock()
    ledger = a_ledger(clock)
    trail = RedisTrail(ledger)
    recorded(ledger, a_row())
    assert trail.unchained("acme", 10, "here")
    assert trail.unchained("acme", 10, "there") is None
    clock.advance(KEEPS)
    assert trail.unchained("acme", 10, "there")
    assert trail.unchained("acme", 10, "here") is None


def test_a_look_takes_the_chain_from_nobody(ledger, trail):
    recorded(ledger, a_row())
    assert trail.unchained("acme", 10, "here")
    assert trail.waiting("acme").moves
    assert trail.unchained("acme", 10, "here")


def test_of_moves_that_nobody_chains_the_oldest_go_and_their_numbers_tell_of_it():
    def with_little_room(name):
        return source(name).replace("MOST_MOVES = 200000", "MOST_MOVES = 4")

    ledger = a_ledger(read_script=with_little_room)
    trail = RedisTrail(ledger)
    recorded(ledger, a_row(), a_row("ban_hash:1", lane=None))
    before = len(ledger.threat("acme", "THREAT-1").timeline)
    recorded(ledger, a_row("ban_hash:2", lane=None), event=an_event("e2", "THREAT-2"))
    every = before + len(ledger.threat("acme", "THREAT-2").timeline)
    waiting = trail.waiting("acme")
    assert (waiting.first, len(waiting.moves)) == (every - 4, 4)


def test_what_somebody_pushed_there_is_chained_as_unreadable(ledger, trail):
    trail._redis.rpush("ar:{acme}:moves", "hello", '{"a": 1}', '["x", 1, 2, 3, 4, 5]', '["1", "T", "row", "text", "by", "seen", "more"]')
    assert [move.text.partition(":")[0] for move in trail.waiting("acme").moves] == ["unreadable"] * 4


def test_rows_events_and_what_blocks_them_are_seen_as_they_stand(ledger, trail):
    recorded(ledger, a_row(remote="crowdstrike"), a_row("ban_hash:1", lane=None))
    claimed(ledger)
    isolation, ban, none = trail.rows("acme", ["acme:isolate:1", "acme:ban_hash:1", "acme:isolate:none"])
    assert (isolation.state, isolation.was, isolation.lane, isolation.remote) == ("leased", "pending", "crowdstrike/a1", "crowdstrike")
    assert (ban.state, ban.due is not None, none.state, none.due) == ("pending", True, "", None)
    assert isolation.due is not None
    assert list(trail.lanes("acme", ["crowdstrike/a1", "crowdstrike/a2"])) == ["crowdstrike/a1"]
    (remote,) = trail.remotes("acme", ["crowdstrike"])
    assert (remote.blocked, remote.open, remote.busy > 0) == (0, 0, True)
    event, none = trail.events("acme", ["e1", "e2"])
    assert (event.state, event.has_rows, event.due, none.state) == ("planned", True, None, "")


def test_a_timeline_is_seen_as_it_is_shown_packed_or_not(ledger, trail):
    recorded(ledger, a_row())
    concluded(ledger, begun(ledger, claimed(ledger)), VisitResult(state=State.DONE))
    (before,) = trail.timelines("acme")
    ledger.compact(ledger.now() + timedelta(minutes=1), 10)
    (after,) = trail.timelines_of("acme", ["THREAT-1"])
    assert (before.moves, before.is_short, after.moves, after.is_short) == (after.moves, False, before.moves, True)
    assert [text for _, _, text in before.moves][-1] == "pending -> done"
