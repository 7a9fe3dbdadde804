"""The oracle is fed what must make it cry: a run is only as clean as its judge is strict."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.claims import VisitResult
from ar_workers.domain.rows import Row
from ar_workers.domain.states import State
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.respond import respond
from tests.chaos.oracle import Verdict, _settled, _told, judge
from tests.chaos.vendors import early_calls
from tests.chaos.world import Campaign
from tests.clocks import a_ledger
from tests.fakes import some_services


class Run:
    """One threat, as a perfect run leaves it behind."""

    def __init__(self):
        self.campaign = Campaign(5, tenants=["acme"])
        self.event = self.campaign.add(1)[0]
        self.ledger = a_ledger()
        self.ledger.accept([self.event])
        respond(some_services(ledger=self.ledger), [f"acme:event/{self.event.id}"])
        self.journal = [self.effect(*each) for each in self.campaign.expected]

    @staticmethod
    def effect(tenant, verb, agent, target, *, changed=True):
        where = {"target": agent} if verb == "isolate" else {"target": target, "agent_id": agent}
        return {"kind": "effect", "vendor": "crowdstrike", "tenant": tenant, "verb": verb, "changed": changed, **where}

    @property
    def rows(self):
        return self.ledger.rows("acme", self.event.threat_id)

    def settle(self, *, but=(), state=State.DONE):
        for row in sorted(self.rows, key=lambda each: each.state is State.WAITING):
            if row.id not in but:
                self.visit(row, state)

    def forge(self, row_id, text):
        """A line in the timeline that no script wrote."""
        self.ledger._redis.rpush(f"{prefix('acme')}threat:{self.event.threat_id}:timeline", f"1 {row_id} {text}")

    def visit(self, row, state):
        claims = self.ledger.claim([row.id], owner=row.id, lease=timedelta(minutes=1), caps={})
        self.ledger.conclude([(claims[0], VisitResult(state=state, reference=f"ref-{row.id}"))])
        if state is State.DONE:
            self.journal += self.message(row)

    @staticmethod
    def message(row):
        about = {"kind": "message", "vendor": row.verb, "tenant": "", "channel": "C"}
        if row.verb == "slack":
            return [about | {"id": "1", "body": {"metadata": {"event_payload": {"delivery_id": row.id}}}}]
        return [about | {"id": f"ref-{row.id}", "opened": True, "body": {}}] if row.verb == "pagerduty" else []

    def verdict(self):
        return judge(self.ledger, self.journal, [self.event], self.campaign.expected)


@pytest.fixture
def run():
    return Run()


def settled(run):
    run.settle(but=[row.id for row in run.rows if row.state is State.WAITING])
    run.settle(but=[row.id for row in run.rows if row.state in {State.DONE, State.WAITING}])
    run.settle(but=[row.id for row in run.rows if row.state is State.DONE])
    return run


def test_a_perfect_run_is_clean(run):
    verdict = settled(run).verdict()
    assert verdict.is_clean, str(verdict)


def test_an_effect_that_never_happened_is_lost(run):
    settled(run).journal.pop(0)
    assert len(run.verdict().lost) == 1


def test_an_effect_that_was_only_asked_for_is_lost(run):
    settled(run).journal[0]["changed"] = False
    assert len(run.verdict().lost) == 1


def test_an_effect_that_happened_twice_is_doubled(run):
    settled(run).journal.append(dict(run.journal[0]))
    assert len(run.verdict().doubled) == 1


def test_an_effect_that_nobody_asked_for_is_doubled(run):
    settled(run).journal.append(run.effect("acme", "kill_process", "x", "1"))
    assert "nobody asked for" in run.verdict().doubled[0]


@pytest.mark.parametrize("vendor", ["slack", "pagerduty"])
def test_a_message_that_came_twice_is_doubled_and_one_that_never_came_lost(run, vendor):
    settled(run)
    (message,) = [each for each in run.journal if each["vendor"] == vendor]
    run.journal.append(message)
    assert len(run.verdict().doubled) == 1
    run.journal = [each for each in run.journal if each["vendor"] != vendor]
    assert len(run.verdict().lost) == 1


def test_a_mail_that_nobody_recorded_is_lost(run):
    settled(run)
    verdict = judge(run.ledger, run.journal, [run.event], run.campaign.expected, {run.event.threat_id})
    assert verdict.lost == [f"{run.event.threat_id}: no row to email"]


def test_a_mail_that_came_twice_is_a_copy_and_one_that_may_have_come_a_doubt(run):
    row = Row(
        id="acme:email:1", customer="acme", threat_id="T-0", kind="delivery", verb="email", subject="x", label="x", queue="notify",
        state=State.DONE, reference="<1@x>", created_at=run.event.occurred_at,
    )  # fmt: skip
    verdict = Verdict()
    _told(verdict, [row], {"<1@x>/soc@acme.example": 2})
    assert verdict.copies == [row.id]
    assert verdict.is_clean
    _settled(verdict, [row.model_copy(update={"state": State.UNKNOWN, "reason": "may have been sent, and the provider cannot tell"})])
    assert verdict.doubts == [row.id]
    _settled(verdict, [row.model_copy(update={"state": State.UNKNOWN})])
    assert len(verdict.unsettled) == 1


def test_a_row_in_no_terminal_state_is_unsettled(run):
    assert len(run.verdict().unsettled) == len(run.rows)


def test_a_row_that_was_given_up_is_failed(run):
    settled_but_one = run.rows[0]
    run.visit(settled_but_one, State.FAILED)
    assert len(run.verdict().failed) == 1


def test_a_plan_that_was_never_recorded_is_lost(run):
    other = run.campaign.add(1)[0]
    verdict = judge(run.ledger, [], [other], set())
    assert len(verdict.lost) == 9


def test_a_move_that_is_not_in_the_table_is_illegal(run):
    settled(run)
    row = run.rows[0]
    run.forge(row.id, "done -> pending")
    assert len(run.verdict().illegal) == 1


def test_a_move_that_begins_elsewhere_than_the_last_ended_is_illegal(run):
    run.forge(run.rows[0].id, "performed -> done")
    assert len(run.verdict().illegal) == 1


def test_what_one_of_several_fleets_lost_makes_the_whole_unclean(run):
    run.settle()
    whole = run.verdict()
    run.journal.pop(0)
    lossy = run.verdict()
    assert (whole.is_clean, lossy.is_clean) == (True, False)
    whole.add(lossy)
    assert not whole.is_clean
    assert whole.counts() == lossy.counts()


def request(wall, fault=None, tenant="acme"):
    return {"kind": "request", "vendor": "crowdstrike", "tenant": tenant, "wall": wall, "fault": fault, "method": "GET", "path": "/x"}


def test_a_call_before_the_time_that_the_vendor_named_is_early():
    assert len(early_calls([request(10.0, "429/5"), request(12.0)])) == 1
    assert early_calls([request(10.0, "429/5"), request(15.1), request(12.0, tenant="globex")]) == []
