"""The share of a remediate group: counted with the customer's cap in one step, whoever asks and however many at once."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ar_workers.domain.blast_radius import Share
from ar_workers.domain.claims import Claim, Refusal, VisitResult
from ar_workers.domain.guards import Guard
from ar_workers.domain.states import State
from ar_workers.domain.verbs import Cap
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.clocks import ManualClock, a_ledger
from tests.keys import SEALS
from tests.ledger.building import LEASE, a_row, an_event, concluded, recorded

HOUR = timedelta(hours=1)
_owners = itertools.count()


def in_groups(number, *groups, first=0, **more):
    """Isolations of endpoints that were in these groups when they were planned."""
    order = json.dumps({"endpoint": {"edr": "crowdstrike", "groups": list(groups)}})
    return [a_row(f"isolate:{n}", lane=f"crowdstrike/a{n}", order=order, **more) for n in range(first, first + number)]


def shares(**most):
    return {f"crowdstrike/{group}": Share(number, "20 % of some") for group, number in most.items()}


def asked(ledger, row_ids, *, most=25, **groups):
    """What becomes of each, claimed together."""
    more = {"caps": {Cap.ISOLATIONS: most}, "shares": shares(**groups)}
    return ledger.claim(row_ids, owner=f"worker-{next(_owners)}", lease=LEASE, **more)


def passed(answers):
    return sum(isinstance(each, Claim) for each in answers)


def test_what_is_beyond_the_share_of_a_group_is_held_with_the_reason(ledger):
    rows = in_groups(7, "A")
    recorded(ledger, *rows)
    answers = asked(ledger, [row.id for row in rows], A=5)
    assert [isinstance(each, Claim) for each in answers] == [True] * 5 + [False] * 2
    held = ledger.row(rows[-1].id)
    assert (held.state, held.held_by) == (State.HELD, "blast_radius")
    assert held.reason == "blast radius: 5 isolations of group crowdstrike/A in the last 1 h (20 % of some); a TRE decides"


def test_each_group_has_a_share_of_its_own_and_the_customers_cap_is_over_all(ledger):
    rows = [*in_groups(4, "A"), *in_groups(4, "B", first=4), *in_groups(4, "C", first=8)]
    recorded(ledger, *rows)
    answers = asked(ledger, [row.id for row in rows], most=7, A=3, B=3)
    assert [isinstance(each, Claim) for each in answers] == [*[True] * 3, False, *[True] * 3, False, True, *[False] * 3]
    reasons = Counter(row.reason.partition(";")[0] for row in ledger.held("acme"))
    assert reasons["blast radius: 7 isolations in the last 1 h"] == 3


def test_what_is_in_two_groups_takes_a_part_of_both(ledger):
    rows = [*in_groups(2, "A", "B"), *in_groups(1, "A", first=2), *in_groups(1, "B", first=3)]
    recorded(ledger, *rows)
    answers = asked(ledger, [row.id for row in rows], A=2, B=3)
    assert [isinstance(each, Claim) for each in answers] == [True, True, False, True]


def test_what_one_share_holds_takes_nothing_of_the_cap_or_of_another_share(ledger):
    rows = [*in_groups(1, "A"), *in_groups(3, "A", "B", first=1), *in_groups(2, "B", first=4)]
    recorded(ledger, *rows)
    answers = asked(ledger, [row.id for row in rows], most=3, A=1, B=2)
    assert [isinstance(each, Claim) for each in answers] == [True, False, False, False, True, True]


def test_an_hour_later_the_share_is_free_again():
    clock = ManualClock()
    ledger = a_ledger(clock)
    rows = in_groups(3, "A")
    recorded(ledger, *rows)
    assert passed(asked(ledger, [rows[0].id], A=1)) == 1
    clock.advance(HOUR - timedelta(seconds=1))
    assert passed(asked(ledger, [rows[1].id], A=1)) == 0
    clock.advance(timedelta(seconds=1))
    assert passed(asked(ledger, [rows[2].id], A=1)) == 1


def test_an_approval_opens_the_share_with_the_cap_and_what_it_lets_pass_is_counted(ledger):
    rows = in_groups(3, "A")
    recorded(ledger, *rows)
    assert passed(asked(ledger, [rows[0].id], most=0, A=0)) == 0
    ledger.approve(rows[0].id, by="kim", reason="outbreak", life=LEASE)
    assert passed(asked(ledger, [rows[0].id], most=0, A=0)) == 1
    assert [passed(asked(ledger, [row.id], A=2)) for row in rows[1:]] == [1, 0]


@pytest.mark.parametrize(
    ("found", "is_free"),
    [
        (VisitResult(state=State.ALREADY), True),
        (VisitResult(state=State.SKIPPED, reason="not in a remediate group"), True),
        (VisitResult(state=State.HELD, reason="protected", guard=Guard.PROTECTED), True),
        (VisitResult(state=State.DONE), False),
        (VisitResult(state=State.PERFORMED), False),
        (VisitResult(state=State.PENDING, counts=True), False),
        (VisitResult(state=State.FAILED, reason="no"), False),
    ],
    ids=lambda value: value.state if isinstance(value, VisitResult) else "",
)
def test_what_was_never_asked_of_the_edr_uses_up_nothing(ledger, found, is_free):
    first, second = in_groups(2, "A")
    recorded(ledger, first, second)
    (claim,) = asked(ledger, [first.id], most=1, A=1)
    concluded(ledger, claim, found)
    assert passed(asked(ledger, [second.id], most=1, A=1)) == is_free


def test_a_rehearsal_comes_on_top_and_uses_up_nothing(ledger):
    real, dry = in_groups(2, "A"), in_groups(2, "A", first=2, is_dry=True)
    recorded(ledger, *real, *dry)
    assert passed(asked(ledger, [real[0].id], A=2)) == 1
    assert [passed(asked(ledger, [row.id], A=2)) for row in dry] == [1, 0]
    assert passed(asked(ledger, [real[1].id], A=2)) == 1


@pytest.mark.parametrize("order", ["", "{}", "no JSON", "[]", '{"endpoint": 7}', '{"endpoint": {"edr": "crowdstrike", "groups": null}}'])
def test_an_order_that_tells_no_group_counts_for_the_cap_alone(ledger, order):
    row = a_row(order=order)
    recorded(ledger, row)
    assert passed(asked(ledger, [row.id], A=0)) == 1


def test_the_last_question_counts_by_the_groups_that_the_edr_shows_now(ledger):
    rows = in_groups(2)
    recorded(ledger, *rows)
    claims = asked(ledger, [row.id for row in rows], A=1)
    assert passed(claims) == 2
    caps = {Cap.ISOLATIONS: 25}
    assert ledger.begin(claims[0], caps=caps, shares=shares(A=1)) is None
    assert ledger.begin(claims[1], caps=caps, shares=shares(A=1)) == Refusal(reason="held")
    assert ledger.row(rows[1].id).held_by == "blast_radius"


def test_what_the_last_question_holds_has_used_up_nothing_of_the_cap(ledger):
    rows = in_groups(3)
    recorded(ledger, *rows)
    (claim,) = asked(ledger, [rows[0].id], most=1)
    assert ledger.begin(claim, caps={Cap.ISOLATIONS: 1}, shares=shares(A=0)) == Refusal(reason="held")
    assert [passed(asked(ledger, [row.id], most=1)) for row in rows[1:]] == [1, 0]


def test_however_many_ask_at_once_exactly_the_share_and_the_cap_pass(redis_url):
    """Ten threads, each with rows of its own and with those of its neighbour."""
    workers = 10
    ledgers = [RedisLedger(connect(redis_url), seals=SEALS, grace=timedelta(0), watches_memory=False) for _ in range(workers)]
    first, second = in_groups(100, "A"), in_groups(100, "B", first=100)
    rows = [row for pair in zip(first, second, strict=True) for row in pair]
    recorded(ledgers[0], *rows, event=an_event())

    def work(number):
        mine = [row.id for row in (*rows[number::workers], *rows[(number + 1) % workers :: workers])]
        return [each for n in range(0, len(mine), 3) for each in asked(ledgers[number], mine[n : n + 3], most=25, A=7)]

    with ThreadPoolExecutor(workers) as pool:
        claims = [each for answers in pool.map(work, range(workers)) for each in answers if isinstance(each, Claim)]
    mine = Counter("A" if int(each.row_id.rpartition(":")[2]) < len(first) else "B" for each in claims)
    assert mine == {"A": 7, "B": 18}
    assert len(ledgers[0].held("acme")) == 175


def test_the_size_of_a_group_is_remembered_and_what_is_none_is_not_believed(ledger):
    assert ledger.group_sizes("acme", ["crowdstrike/A"]) == {}
    assert ledger.group_sizes("acme", []) == {}
    ledger.keep_group_size("acme", "crowdstrike/A", 40)
    ledger.keep_group_size("acme", "crowdstrike/B", 0)
    assert ledger.group_sizes("acme", ["crowdstrike/A", "crowdstrike/B", "crowdstrike/C"]) == {"crowdstrike/A": 40, "crowdstrike/B": 0}
    assert ledger.group_sizes("globex", ["crowdstrike/A"]) == {}


def test_the_size_of_a_group_is_forgotten_after_a_day_and_a_spoiled_one_is_not_known(real_redis):
    ledger = RedisLedger(real_redis, seals=SEALS)
    ledger.keep_group_size("acme", "crowdstrike/A", 40)
    (key,) = real_redis.keys("*group*")
    assert timedelta(hours=23) < timedelta(seconds=real_redis.ttl(key)) <= timedelta(days=1)
    real_redis.set(key, "many")
    assert ledger.group_sizes("acme", ["crowdstrike/A"]) == {}
