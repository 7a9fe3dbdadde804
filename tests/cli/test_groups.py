"""What is given before a subcommand's name holds for the subcommand, or is refused; it is never dropped."""

from __future__ import annotations

import json
from datetime import timedelta

import click
import pytest

from ar_workers.cli import arctl
from ar_workers.cli.groups import Listing
from ar_workers.domain.claims import VisitResult
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.retries import life_of
from ar_workers.domain.states import State
from tests.builders import a_hash_ban, a_threat_published, an_isolate
from tests.cli.test_commands import ledger, run

__all__ = ["ledger"]


@pytest.fixture
def failed(ledger):
    """A failed isolation and a failed ban of each of two customers; their ids."""
    return [name for customer in ("acme", "globex") for name in _failed(ledger, customer)]


def _failed(ledger, customer):
    event = a_threat_published(customer=customer, id=f"ev-{customer}")
    orders = [each.model_copy(update={"customer": customer}) for each in (an_isolate(), a_hash_ban())]
    rows = [action_row(each, event.threat_id, after=(), life=life_of(each.verb)) for each in orders]
    ledger.accept([event])
    ledger.record([EventPlan(event=event, rows=rows)])
    for row in rows:
        (claim,) = ledger.claim([row.id], owner=row.id, lease=timedelta(minutes=1), caps={})
        ledger.conclude([(claim, VisitResult(state=State.FAILED, reason="denied"))])
    return [row.id for row in rows]


def requeued(ledger, failed):
    return [name for name in failed if ledger.row(name).state is State.PENDING]


def test_a_filter_before_requeue_holds_for_it(ledger, failed):
    assert "1 requeued" in run("actions", "--customer", "globex", "--verb", "isolate", "requeue", "--failed")
    assert requeued(ledger, failed) == [failed[2]]


@pytest.mark.parametrize(
    "words",
    [
        ("--customer", "globex", "requeue", "--failed", "--verb", "isolate"),
        ("--customer", "globex", "requeue", "--failed", "--verb", "isolate", "--customer", "globex"),
        ("--since", "2h", "--customer", "globex", "requeue", "--failed", "--since", "2h", "--verb", "isolate"),
    ],
)
def test_filters_before_and_after_are_one(ledger, failed, words):
    run("actions", *words)
    assert requeued(ledger, failed) == [failed[2]]


def test_an_option_with_two_values_is_wrong_usage(ledger, failed):
    said = run("actions", "--customer", "globex", "requeue", "--failed", "--customer", "acme", status=2)
    assert "--customer stands before and after requeue" in said
    assert requeued(ledger, failed) == []


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("actions", "--state", "held", "requeue", "--failed"), "--state"),
        (("threats", "--limit", "5", "show", "THREAT-1042"), "--limit"),
        (("threats", "--since", "2h", "show", "THREAT-1042"), "--since"),
        (("deliveries", "--customer", "globex", "resolve", "acme:sms:1", "--sent"), "--customer"),
        (("deliveries", "--json", "resolve", "acme:sms:1", "--sent"), "--json"),
    ],
)
def test_an_option_that_the_subcommand_has_not_is_wrong_usage(ledger, failed, words, option):
    assert f"{option} stands before" in run(*words, status=2)
    assert requeued(ledger, failed) == []


@pytest.mark.usefixtures("failed")
def test_show_takes_over_whose_threat_it_is_and_how_to_tell():
    found = json.loads(run("threats", "--customer", "globex", "--json", "show", "THREAT-1042"))
    assert found["threat"]["customer"] == "globex"


def test_a_filter_beside_ids_is_wrong_usage(ledger, failed):
    for words in (("requeue", failed[0], "--customer", "globex"), ("--customer", "globex", "requeue", failed[0])):
        assert "--customer: filters go with --failed" in run("actions", *words, status=2)
    assert requeued(ledger, failed) == []


def test_help_is_shown_whatever_stands_before():
    assert "Usage:" in run("actions", "--state", "held", "requeue", "--help")


def groups(command):
    yield command
    for each in command.commands.values():
        if isinstance(each, click.Group):
            yield from groups(each)


def test_no_group_with_options_of_its_own_drops_them():
    dropping = [each.name for each in groups(arctl) if not isinstance(each, Listing) and {one.name for one in each.params} - {"version"}]
    assert dropping == []
