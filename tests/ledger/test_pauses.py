"""What every ledger promises of a pause: who, since when and until when; its end; and what was recorded otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.claims import Refusal
from ar_workers.domain.pauses import Pause
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clocks import ManualClock, a_ledger
from tests.keys import SEALS
from tests.ledger.building import LEASE, a_row, an_event, asked, begun, claimed, recorded, refused, state_of

FAR = datetime(2096, 12, 1, 6, tzinfo=UTC)
WHOSE = pytest.mark.parametrize("whose", ["acme", None])
HOUR = timedelta(hours=1)


def key(whose):
    return "ar:{acme}:paused" if whose else "ar:paused"


def end(ledger, whose, scope="*"):
    """The pause is made again, and this one is over."""
    ledger.pause(whose, scope, "freeze", by="kim", until=ledger.now())


def timeline(ledger, row_id="acme:isolate:1"):
    return [entry.text for entry in ledger.threat("acme", "THREAT-1").timeline if entry.row == row_id]


def some_rows(number):
    return [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}") for n in range(1, number + 1)]


def test_what_is_held_says_by_whom_until_when_and_why(ledger):
    recorded(ledger, a_row())
    ledger.pause("acme", "verb:isolate", "change freeze", by="kim", until=FAR)
    assert refused(ledger) == State.HELD
    assert ledger.row("acme:isolate:1").reason == "paused by kim until 2096-12-01 06:00 UTC (verb:isolate): change freeze"


@WHOSE
def test_it_is_recorded_who_paused_when_why_and_until_when(ledger, whose):
    before = ledger.now()
    assert ledger.pause(whose, "*", "change freeze", by="kim", until=FAR) is None
    pause = ledger.pauses(whose)["*"]
    assert (pause.by, pause.reason, pause.until) == ("kim", "change freeze", FAR)
    assert before <= pause.since <= ledger.now()


@pytest.mark.parametrize(("whose", "scope"), [(None, "*"), ("acme", "edr:crowdstrike"), (None, "verb:isolate")])
def test_a_pause_holds_nothing_from_its_end_on(ledger, whose, scope):
    recorded(ledger, *some_rows(3))
    claim = claimed(ledger)
    ledger.pause(whose, scope, "freeze", until=FAR)
    assert refused(ledger, "acme:isolate:2") == State.HELD
    end(ledger, whose, scope)
    begun(ledger, claim)
    begun(ledger, claimed(ledger, "acme:isolate:3"))


@WHOSE
def test_what_a_pause_held_comes_back_when_it_has_ended(ledger, whose):
    recorded(ledger, *some_rows(2))
    claim = claimed(ledger)
    ledger.pause(whose, "*", "freeze", until=FAR)
    assert ledger.begin(claim, caps={}) == Refusal(reason="held")
    assert refused(ledger, "acme:isolate:2") == State.HELD
    end(ledger, whose)
    words = ledger.row("acme:isolate:2").reason
    ended = ledger.end_pauses()
    assert {ring.id for ring in ended.rings} == {"acme:isolate:1", "acme:isolate:2"}
    assert ended.pauses == [f"acme: {words}" if whose else words]
    assert timeline(ledger)[-1] == "held -> pending: the pause ended"
    assert ledger.pauses(whose) == {}
    begun(ledger, claimed(ledger))


@WHOSE
def test_a_pause_whose_end_has_not_come_is_left_alone(ledger, whose):
    recorded(ledger, a_row())
    ledger.pause(whose, "*", "freeze", until=FAR)
    ledger.pause(whose, "edr:crowdstrike", "freeze")
    assert refused(ledger) == State.HELD
    assert ledger.end_pauses() == ([], [])
    assert set(ledger.pauses(whose)) == {"*", "edr:crowdstrike"}
    assert state_of(ledger) == State.HELD


def test_what_a_guard_or_another_switch_holds_does_not_come_back_with_an_end(ledger):
    recorded(ledger, *some_rows(2), a_row("kill_process:1", lane="crowdstrike/a3"))
    assert asked(ledger, most=0) == Refusal(reason="held")
    ledger.pause("acme", "verb:kill_process", "drill")
    assert refused(ledger, "acme:kill_process:1") == State.HELD
    ledger.pause("acme", "verb:isolate", "freeze")
    assert refused(ledger, "acme:isolate:2") == State.HELD
    end(ledger, "acme", "verb:isolate")
    assert [ring.id for ring in ledger.end_pauses().rings] == ["acme:isolate:2"]


def test_opening_one_switch_brings_back_what_that_one_held_alone(ledger):
    recorded(ledger, a_row(), a_row("kill_process:1", lane="crowdstrike/a2"))
    for verb in ("isolate", "kill_process"):
        ledger.pause("acme", f"verb:{verb}", "drill")
        assert refused(ledger, f"acme:{verb}:1") == State.HELD
    assert [ring.id for ring in ledger.resume("acme", "verb:isolate")] == ["acme:isolate:1"]
    assert state_of(ledger, "acme:kill_process:1") == State.HELD


@WHOSE
def test_what_is_still_held_by_another_switch_is_held_by_that_one_then(ledger, whose):
    recorded(ledger, a_row())
    ledger.pause(whose, "verb:isolate", "drill", by="lee")
    ledger.pause(whose, "*", "freeze")
    assert refused(ledger) == State.HELD
    end(ledger, whose)
    assert [ring.id for ring in ledger.end_pauses().rings] == ["acme:isolate:1"]
    assert refused(ledger) == State.HELD
    assert ledger.row("acme:isolate:1").reason.endswith("by lee (verb:isolate): drill")


def test_what_was_left_behind_when_a_resume_was_broken_off_comes_back_by_itself(ledger):
    recorded(ledger, a_row())
    ledger.pause(None, "*", "stop everything")
    assert refused(ledger) == State.HELD
    ledger._redis.hdel("ar:paused", "*")
    assert [ring.id for ring in ledger.end_pauses().rings] == ["acme:isolate:1"]


@WHOSE
def test_a_pause_that_is_made_again_takes_the_place_of_the_first(ledger, whose):
    recorded(ledger, a_row())
    ledger.pause(whose, "*", "freeze", by="kim")
    assert refused(ledger) == State.HELD
    end(ledger, whose)
    first = ledger.pauses(whose)["*"]
    assert ledger.pause(whose, "*", "incident", by="lee", until=FAR) == first
    assert (ledger.pauses(whose)["*"].by, ledger.pauses(whose)["*"].until) == ("lee", FAR)
    words = ledger.pauses(whose)["*"].words("*", is_everyones=not whose)
    assert ledger.row("acme:isolate:1").reason == words
    assert timeline(ledger)[-1] == f"still held: {words}"
    assert ledger.end_pauses() == ([], [])
    assert state_of(ledger) == State.HELD


def test_a_pause_that_is_made_again_says_nothing_in_what_others_hold(ledger):
    recorded(ledger, *some_rows(2))
    assert asked(ledger, most=0) == Refusal(reason="held")
    why = ledger.row("acme:isolate:1").reason
    for reason in ("freeze", "incident"):
        ledger.pause("acme", "*", reason)
    assert ledger.row("acme:isolate:1").reason == why


@WHOSE
def test_who_resumes_stands_in_the_timeline(ledger, whose):
    recorded(ledger, a_row())
    ledger.pause(whose, "*", "freeze", by="kim")
    assert refused(ledger) == State.HELD
    assert [ring.id for ring in ledger.resume(whose, "*", by="lee")] == ["acme:isolate:1"]
    assert timeline(ledger)[-1] == "held -> pending: resumed by lee"


REASONS = ["maintenance", '"quoted"', "7", "[1]", ""]
WHOLE = {"by": "kim", "reason": "freeze", "words": "paused", "since": 1}
SPOILED = [
    '{"by": "kim", "until": 1',
    "{maintenance}",
    "{}",
    json.dumps({"until": 1}),
    *(json.dumps(WHOLE | {name: value, "until": 1}) for name, value in [("by", 1), ("reason", None), ("words", []), ("since", "1")]),
    *(json.dumps(WHOLE | {"until": until}) for until in ("1", True, [1], {})),
]


@WHOSE
def test_what_a_version_before_or_nobody_can_read_is_closed_says_so_and_can_be_opened(ledger, whose):
    recorded(ledger, a_row())
    known = {text: Pause(reason=text) for text in REASONS} | {text: Pause(reason=f"its record cannot be read: {text}") for text in SPOILED}
    for text, pause in known.items():
        ledger._redis.hset(key(whose), "verb:isolate", text)
        assert ledger.pauses(whose) == {"verb:isolate": pause}
        assert refused(ledger) == State.HELD, text
        assert ledger.row("acme:isolate:1").reason == pause.words("verb:isolate", is_everyones=not whose)
        assert ledger.end_pauses() == ([], []), text
        assert [ring.id for ring in ledger.resume(whose, "verb:isolate", by="kim")] == ["acme:isolate:1"]
        assert ledger.pauses(whose) == {}


def test_a_reason_is_text_whatever_is_in_it(ledger):
    recorded(ledger, a_row())
    for reason in ('","until":1,"x":"', '{"until": 1}', "a\\u0022b", "x -> pending: [y]"):
        ledger.pause("acme", "*", reason, by="kim")
        assert refused(ledger) == State.HELD
        assert ledger.row("acme:isolate:1").reason == f"paused by kim (*): {reason}"
        assert ledger.pauses("acme")["*"].reason == reason
        ledger.resume("acme", "*")


def test_a_row_whose_pause_has_ended_may_be_requeued_before_it_comes_back_by_itself(ledger):
    recorded(ledger, a_row())
    ledger.pause(None, "*", "freeze", until=FAR)
    assert refused(ledger) == State.HELD
    assert isinstance(ledger.requeue("acme:isolate:1", by="kim", life=LEASE), Refusal)
    end(ledger, None)
    assert ledger.requeue("acme:isolate:1", by="kim", life=LEASE).id == "acme:isolate:1"


def test_the_end_needs_no_new_look_at_the_switch_of_all():
    clock = ManualClock()
    ledger = a_ledger(clock, switch_lives=timedelta(days=1))
    recorded(ledger, *some_rows(2))
    ledger.pause(None, "*", "freeze", until=clock.now() + HOUR)
    assert refused(ledger) == State.HELD
    clock.advance(HOUR - timedelta(milliseconds=1))
    assert refused(ledger, "acme:isolate:2") == State.HELD
    ledger.end_pauses()
    clock.advance(timedelta(milliseconds=1))
    assert {ring.id for ring in ledger.end_pauses().rings} == {"acme:isolate:1", "acme:isolate:2"}
    claimed(ledger)


def test_one_whose_keys_are_spoiled_keeps_nobody_elses_pause_from_ending(real_redis, redis_url):
    ledger = RedisLedger(connect(redis_url), grace=timedelta(0), switch_lives=timedelta(0), seals=SEALS)
    for customer in ("acme", "globex"):
        recorded(ledger, a_row(customer=customer), event=an_event(customer=customer))
    ledger.pause(None, "*", "freeze")
    assert refused(ledger, "globex:isolate:1") == State.HELD
    real_redis.set("ar:{acme}:held", "odd")
    end(ledger, None)
    assert [ring.id for ring in ledger.end_pauses().rings] == ["globex:isolate:1"]
    assert ledger.pauses(None) == {}


def test_who_is_paused_again_is_paused_whatever_became_of_ones_keys(real_redis, redis_url):
    ledger = RedisLedger(connect(redis_url), grace=timedelta(0), switch_lives=timedelta(0), seals=SEALS)
    recorded(ledger, a_row())
    ledger.pause("acme", "*", "freeze")
    real_redis.set("ar:{acme}:held", "odd")
    assert ledger.pause("acme", "*", "incident", by="kim").reason == "freeze"
    assert ledger.pauses("acme")["*"].by == "kim"
