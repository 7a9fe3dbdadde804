"""Dry runs: which plans are, that their orders and events are others than the same in earnest, and that everybody can see it."""

from __future__ import annotations

import pytest

from ar_workers.automations import plan_for
from ar_workers.domain.actions import ACTIONS, identity, load_action
from ar_workers.domain.dry_runs import DryRun
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.events import ActionStopped, NoteAdded, ReleaseRequested, RemediationRequested, ThreatClosed, load_event, parse_event
from ar_workers.domain.notifications import Kind, digest_of, load_delivery, remediation_summary
from ar_workers.domain.policies import Mode
from ar_workers.domain.rehearsals import is_dry, is_rehearsal
from ar_workers.domain.states import State
from ar_workers.domain.summaries import summarise
from ar_workers.domain.text import LONGEST_ID
from ar_workers.domain.threats import Author, Note
from tests.builders import (
    NOON,
    a_context,
    a_delivery,
    a_notification,
    a_policy,
    a_release,
    a_row,
    a_threat,
    a_threat_published,
    an_action,
    an_endpoint,
    an_ioc,
    an_isolate,
)

DRY, LIVE = a_policy(mode=Mode.DRY_RUN), a_policy()
WHOSE = {"customer": "acme", "occurred_at": NOON}


def a_release_requested(**more):
    return ReleaseRequested(**(WHOSE | {"id": "r-1", "endpoint": an_endpoint(), "requested_by": "kim", "reason": "false alarm"} | more))


def a_stop(state="held", verb="isolate"):
    return ActionStopped(
        **WHOSE, id=".stopped-1", threat_ref="THREAT-1042", verb=verb, subject="FIN-LT-07", state=state, reason="protected"
    )


def a_closing():
    return ThreatClosed(**WHOSE, id="c-1", threat=a_threat(), reason="remediated")


def a_call_for_help():
    return RemediationRequested(**WHOSE, id="h-1", threat=a_threat(), requested_by="kim")


@pytest.mark.parametrize(
    ("event", "is_so"),
    [
        (a_threat_published(), True),
        (a_closing(), True),
        (a_release_requested(), True),
        (a_release_requested(for_real=True), False),
        (a_stop(), True),
        (a_stop(verb="release"), False),
        (a_stop(state="failed"), False),
        (a_call_for_help(), False),
    ],
    ids=lambda each: each if isinstance(each, bool) else each.type,
)
def test_the_mode_decides_about_what_leads_to_an_action_and_about_nothing_else(event, is_so):
    assert is_rehearsal(event, DRY) is is_so
    assert is_rehearsal(event, LIVE) is False


@pytest.mark.parametrize("event", [a_threat_published(), a_closing(), a_release_requested(for_real=True), a_call_for_help()])
def test_an_event_that_is_dry_is_so_in_any_mode_and_after_any_way_through_the_ledger(event):
    dry = event.to_be_rehearsed()
    for each in (dry, load_event(dry.model_dump_json()), dry.to_be_rehearsed()):
        assert each == dry
        assert is_rehearsal(each, LIVE)
        assert is_rehearsal(each, DRY)


def test_a_dry_event_is_another_one_with_rows_of_its_own():
    event = a_threat_published()
    dry = event.to_be_rehearsed()
    assert dry.id != event.id
    assert dry.checksum != event.checksum
    assert dry.threat_id == "THREAT-1042~dry"
    assert a_release_requested().to_be_rehearsed().threat_id == f"{a_release_requested().threat_id}~dry"


def test_long_ids_that_differ_at_their_end_alone_stay_different():
    one, other = (a_threat_published(id="e" * (LONGEST_ID - 1) + end).to_be_rehearsed() for end in "ab")
    assert one.id != other.id
    assert len(one.id) <= LONGEST_ID


def test_a_publisher_may_say_that_an_event_is_to_be_rehearsed():
    said = {**a_threat_published().model_dump(mode="json"), "dry_run": True}
    assert parse_event(said) == a_threat_published().to_be_rehearsed()


def test_no_publisher_can_name_a_threat_as_a_dry_one():
    said = a_threat_published().model_dump(mode="json")
    with pytest.raises(InvalidEvent):
        parse_event({**said, "threat": {**said["threat"], "id": "THREAT-1042~dry"}})


def test_what_is_in_earnest_is_written_as_before_there_were_dry_runs():
    written = [a_threat_published().model_dump_json(), a_release_requested().model_dump_json(), a_call_for_help().model_dump_json()]
    written += [an_isolate().written(), a_delivery().written()]
    told = remediation_summary("acme", a_threat(), summarise((a_row(),), a_threat()))
    written.append(a_delivery().model_copy(update={"notification": told}).written())
    assert [each for each in written if "dry" in each or "would" in each or "for_real" in each] == []


@pytest.mark.parametrize("verb", ACTIONS)
def test_a_dry_order_is_another_one_and_stays_so(verb):
    live = an_action(verb)
    dry = live.model_copy(update={"is_dry": True})
    assert identity(dry) != identity(live)
    assert load_action(dry.written()) == dry
    assert load_action(live.written()) == live


def test_a_release_in_earnest_goes_on_in_a_dry_run_and_nothing_else_does():
    assert is_dry(an_isolate(), DRY)
    assert not is_dry(an_isolate(), LIVE)
    assert not is_dry(a_release(), DRY)
    for policy in (DRY, LIVE):
        assert is_dry(a_release().model_copy(update={"is_dry": True}), policy)


def planned(event, policy=DRY):
    return plan_for(event, a_context(policy=policy))


def test_all_of_a_dry_plan_says_so():
    plan = planned(a_threat_published(iocs=(an_ioc(),)))
    assert plan.is_dry
    assert {action.is_dry for action in plan.actions} == {True}
    assert {action.verb for action in plan.actions} == {"isolate", "ban_hash"}
    (told,) = plan.notifications
    assert told.headline == "DRY RUN: HIGH threat published: THREAT-1042"
    assert (told.dry_run, told.facts[0]) == (DryRun.YES, ("Dry run", "no order is given to an EDR"))


def test_a_plan_in_earnest_says_nothing_of_dry_runs():
    plan = planned(a_threat_published(iocs=(an_ioc(),)), LIVE)
    assert not plan.is_dry
    assert {action.is_dry for action in plan.actions} == {False}
    assert plan.notifications[0].dry_run is DryRun.NO


def test_that_an_endpoint_cannot_be_remediated_is_told_in_earnest_unless_the_event_itself_is_dry():
    linux = an_endpoint(os="linux")
    by_mode = planned(a_threat_published(endpoints=(linux,))).notifications
    by_event = planned(a_threat_published(endpoints=(linux,)).to_be_rehearsed(), LIVE).notifications
    (in_earnest,) = (note for note in by_mode if note.kind is Kind.UNSUPPORTED_OS)
    (rehearsed,) = (note for note in by_event if note.kind is Kind.UNSUPPORTED_OS)
    assert in_earnest.dry_run is DryRun.NO
    assert rehearsed.dry_run is DryRun.YES
    assert rehearsed.once not in {None, in_earnest.once}
    assert not rehearsed.once.startswith("unsupported_os/")  # what the re-check forgets


def test_a_mark_is_set_once():
    note = a_notification().marked(DryRun.YES)
    assert note.marked(DryRun.YES) is note
    assert note.headline.count("DRY RUN") == 1


def test_a_digest_of_dry_runs_is_one():
    notes = [a_delivery().model_copy(update={"notification": a_notification().marked(DryRun.YES)})] * 2
    told = digest_of(notes).notification
    assert (told.dry_run, told.headline) == (DryRun.YES, "DRY RUN: 2 more notifications: threat published")
    assert load_delivery(digest_of(notes).written()) == digest_of(notes)


WOULD = {"state": State.SKIPPED, "is_dry": True, "would": True, "reason": "would isolate FIN-LT-07 (dry run)", "evidence": ""}


@pytest.mark.parametrize(
    ("rows", "mark"),
    [([a_row(**WOULD)], "DRY RUN: "), ([a_row(**WOULD), a_row(id="acme:isolate:2")], "PARTLY DRY RUN: "), ([a_row()], ""), ([], "")],
    ids=["all", "some", "none", "nothing"],
)
def test_a_summary_says_in_its_headline_how_much_was_rehearsed(rows, mark):
    told = remediation_summary("acme", a_threat(), summarise(rows, a_threat()), by="kim")
    assert told.headline == f"{mark}Remediation complete: THREAT-1042"


def test_a_summary_tells_what_would_have_been_done_apart_from_what_was_and_was_not():
    skipped = a_row(State.SKIPPED, id="acme:isolate:2", reason="not in a remediate group", is_dry=True)
    found = summarise([a_row(**WOULD), skipped, a_row(State.ALREADY, id="acme:isolate:3", is_dry=True)], a_threat())
    assert [(each.title, each.total) for each in found.sections] == [("Completed", 1), ("Not done", 1), ("Would be done (DRY RUN)", 1)]
    assert found.counts == "1 completed, 1 not done, 0 outstanding; 1 would be done (DRY RUN)"
    assert found.would.entries[0].outcome == "would be done (dry run)"
    assert found.completed.entries[0].outcome == "was already so (dry run)"
    assert found.isolated == ("FIN-LT-07",)  # found isolated, by whomever


def test_a_note_that_remediation_is_complete_goes_by_the_rows_and_not_by_the_mode():
    note = Note(author=Author.TRE, name="kim", text="done by hand", remediation_complete=True)
    event = NoteAdded(**WHOSE, id="n-1", threat=a_threat(), note=note)
    (told,) = plan_for(event, a_context(policy=DRY, summary=summarise([a_row()], a_threat()))).notifications
    assert told.dry_run is DryRun.NO
    (told,) = plan_for(event.to_be_rehearsed(), a_context(policy=LIVE, summary=summarise([a_row()], a_threat()))).notifications
    assert told.headline.startswith("DRY RUN: ")
