"""Who wants an undo: a person, row by row; and a threat that never was one."""

from __future__ import annotations

import pytest

from ar_workers.automations import plan_for
from ar_workers.domain.events import ThreatClosed, UndoRequested
from ar_workers.domain.states import State
from ar_workers.domain.undo import Made
from tests.builders import NOON, a_context, a_policy, a_row, a_threat, an_action, an_endpoint

UNDOES = {"isolate": "release", "ban_hash": "unban_hash", "ban_domain": "unban_domain", "quarantine_file": "unquarantine_file"}
EDR = "sentinelone"


def made(verb, state=State.DONE, **more):
    order = an_action(verb, an_endpoint(edr=EDR))
    return Made(row=a_row(state, id=f"acme:{verb}:1", verb=verb, subject=order.label, edr=EDR), action=order, **more)


def requested(*rows, **more):
    given = {"id": "u-1", "customer": "acme", "occurred_at": NOON, "threat_ref": "THREAT-1042", "requested_by": "kim", "reason": "mistake"}
    return UndoRequested(**(given | {"rows": rows} | more))


def closed(**more):
    given = {"id": "c-1", "customer": "acme", "occurred_at": NOON, "threat": a_threat(), "reason": "false_positive"}
    return ThreatClosed(**(given | {"is_false_positive": True} | more))


def verbs(plan):
    return [each.verb for each in plan.actions]


@pytest.mark.parametrize(("verb", "undo"), UNDOES.items())
def test_a_person_takes_back_the_row_that_was_named_and_nobody_is_told(verb, undo):
    plan = plan_for(requested(f"acme:{verb}:1"), a_context(made=(made(verb), made("kill_process"))))
    assert (verbs(plan), plan.skips, plan.notifications) == ([undo], (), ())
    assert plan.actions[0].undoes == f"acme:{verb}:1"


def test_what_cannot_be_undone_any_more_when_it_is_planned_is_a_no():
    plan = plan_for(requested("acme:ban_hash:1"), a_context(made=(made("ban_hash", undone="undone by sam", undo_state=State.DONE),)))
    assert (plan.actions, [(each.verb, each.reason) for each in plan.skips]) == ((), [("unban_hash", "is undone already, undone by sam")])


def test_a_row_of_another_threat_is_a_no():
    plan = plan_for(requested("acme:ban_hash:9"), a_context())
    assert [each.reason for each in plan.skips] == ["is no row of THREAT-1042: nothing is undone for it"]


@pytest.mark.parametrize("though_wanted", [True, False])
def test_what_another_threat_wants_is_taken_back_only_if_the_person_has_named_it(though_wanted):
    wanted = made("ban_hash", wanted_by=("THREAT-2",))
    assert bool(verbs(plan_for(requested("acme:ban_hash:1", though_wanted=though_wanted), a_context(made=(wanted,))))) is though_wanted


def facts(plan):
    (note,) = plan.notifications
    return dict(note.facts)


DONE = (made("isolate"), made("ban_hash"), made("kill_process"), made("ban_domain", State.ALREADY, is_ours=False))


def test_of_a_false_positive_it_is_told_what_can_be_undone_and_by_which_command():
    plan = plan_for(closed(), a_context(made=DONE))
    assert (plan.actions, plan.skips) == ((), ())
    told = facts(plan)
    assert told["Can be undone"].startswith("2: release FIN-LT-07; unban hash ")
    assert told["Is not undone"].startswith("2: kill process FIN-LT-07 pid 4711")
    assert "stood before we asked, and stays" in told["Is not undone"]
    assert "`arctl undo --threat THREAT-1042 --customer acme`" in plan.notifications[0].body


def test_by_the_customers_policy_it_is_undone_at_once():
    plan = plan_for(closed(), a_context(made=DONE, policy=a_policy(undo_false_positives=True)))
    assert verbs(plan) == ["release", "unban_hash"]
    assert [each.verb for each in plan.skips] == ["unban_domain"]
    assert "Is undone now" in facts(plan)
    assert {each.requested_by for each in plan.actions} == {"the closing of its threat as a false positive"}


@pytest.mark.parametrize("severity", ["low", "high"])
def test_it_is_undone_whether_somebody_is_told_or_not(severity):
    plan = plan_for(closed(threat=a_threat(severity=severity)), a_context(made=DONE, policy=a_policy(undo_false_positives=True)))
    assert (verbs(plan), len(plan.notifications)) == (["release", "unban_hash"], int(severity == "high"))


def test_what_another_open_threat_wants_stays():
    wanted = made("isolate", wanted_by=("THREAT-2",))
    plan = plan_for(closed(), a_context(made=(wanted,), policy=a_policy(undo_false_positives=True)))
    assert (plan.actions, [each.verb for each in plan.skips]) == ((), ["release"])


def test_a_threat_that_was_remediated_undoes_nothing():
    plan = plan_for(closed(is_false_positive=False), a_context(made=DONE, policy=a_policy(undo_false_positives=True)))
    assert (plan.actions, facts(plan)) == ((), {"Reason": "false_positive"})


def test_where_nothing_was_done_nothing_is_offered():
    never = made("ban_hash", State.SKIPPED)
    plan = plan_for(closed(), a_context(made=(never,), policy=a_policy(undo_false_positives=True)))
    assert (plan.actions, plan.skips, facts(plan)) == ((), (), {"Reason": "false_positive"})


def test_of_a_customer_in_dry_run_the_undo_is_rehearsed():
    plan = plan_for(closed(), a_context(made=DONE, policy=a_policy(undo_false_positives=True, mode="dry_run")))
    assert {each.is_dry for each in plan.actions} == {True}
