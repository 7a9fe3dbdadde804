"""`arctl deliveries`: the log, and a person's word on what is in doubt."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ar_workers.domain.claims import VisitResult
from ar_workers.domain.new_rows import EventPlan, action_row, delivery_row
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.states import State
from tests.builders import a_delivery, a_threat_published, an_isolate
from tests.cli.test_commands import ended, ledger, run

__all__ = ["ledger"]
LIFE = timedelta(hours=1)


@pytest.fixture
def told(ledger):
    """A delivery that is done, one that failed, one in doubt, and an action beside them."""
    event = a_threat_published()
    rows = [delivery_row(a_delivery("sms", f"+493012345{n}"), event.id, event.threat_id, life=LIFE) for n in range(3)]
    ledger.accept([event])
    ledger.record([EventPlan(event=event, rows=[*rows, action_row(an_isolate(), event.threat_id, after=(), life=LIFE)])])
    for row, state in zip(rows, (State.DONE, State.FAILED, State.UNKNOWN), strict=True):
        (claim,) = ledger.claim([row.id], owner=row.id, lease=LIFE, caps={})
        ledger.conclude([(claim, VisitResult(state=state, reason="because", reference="SM123"))])
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ((), [0, 1, 2]),
        (("--state", "failed"), [1]),
        (("--threat", "THREAT-1042"), [0, 1, 2]),
        (("--threat", "THREAT-1042", "--customer", "acme", "--state", "held"), []),
        (("--customer", "acme", "--state", "unknown"), [2]),
        (("--since", "2999-01-01"), []),
        (("--threat", "THREAT-1042", "--since", "2999-01-01"), []),
    ],
)
def test_deliveries_are_listed_without_the_actions(told, words, which):
    assert [row["id"] for row in json.loads(run("deliveries", "--json", *words))] == [told[n] for n in which]


def test_the_log_shows_state_tries_reason_and_the_providers_id(told):
    shown = run("deliveries", "--state", "failed")
    for part in (told[1], "failed", "because", "SM123", "THREAT-1042"):
        assert part in shown


def test_what_was_sent_is_done_and_says_by_whose_word(told, ledger):
    assert f"{told[2]}: done" in run("deliveries", "resolve", told[2], "--sent")
    assert (ledger.row(told[2]).state, ledger.row(told[2]).reason) == (State.DONE, "said to have been sent by kim")


def test_what_was_not_sent_is_sent_again(told, ledger):
    assert "to be sent again" in run("deliveries", "resolve", told[2], "--resend")
    assert ledger.row(told[2]).state is State.PENDING


def test_only_what_is_in_doubt_can_be_resolved(told, ledger, monkeypatch, capsys):
    status, said = ended("deliveries", "resolve", told[0], "--resend", monkeypatch=monkeypatch, capsys=capsys)
    assert (status, said) == (1, f"arctl: {told[0]}: refused: is done: only unknown deliveries can be resolved")
    assert ledger.row(told[0]).state is State.DONE


def test_a_word_must_be_given(told):
    assert "say --sent or --resend" in run("deliveries", "resolve", told[2], status=2)


def test_a_receivers_name_tells_two_deliveries_apart():
    first, second = (a_delivery().model_copy(update={"receiver": Receiver(name=name, channel="webhook", address="x")}) for name in "ab")
    rows = {delivery_row(each, "e1", "T-1", life=LIFE).id for each in (first, second)}
    assert len(rows) == 2
