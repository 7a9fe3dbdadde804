"""A dry run goes the whole way and stops before the EDR is asked; neither it nor what is in earnest swallows the other."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from datetime import timedelta

from ar_workers.domain.dry_runs import DryRun
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import OutcomeUnknown, Throttled
from ar_workers.domain.events import NoteAdded, ReleaseRequested, ThreatClosed
from ar_workers.domain.facts import Sight
from ar_workers.domain.notifications import Kind
from ar_workers.domain.policies import Mode, Policy
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import State
from ar_workers.domain.threats import Author, Note
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.reminders import remind
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.summary import summary_of
from tests.builders import NOON
from tests.fakes import some_services

from .building import DOMAIN, FIN, HASH, KILL, LINUX, THREAT, an_edr, play, published, row

ACTED = {"isolate", "ban_hash", "kill_process", "ban_domain"}


def a_policy(mode=Mode.DRY_RUN, **more):
    groups = {Vendor.CROWDSTRIKE: frozenset({"Remediate"})}
    return Policy(customer="acme", mode=mode, remediate_groups=groups, summary_emails=("soc@acme.example",), **more)


def dry_services(edr=None, **more):
    return some_services(edr=edr or an_edr(), policy=a_policy(**more))


def in_mode(services, mode, **more):
    """The same services after the customer's file has changed."""
    return replace(services, policies={"acme": a_policy(mode, **more)})


def effects(services):
    return services.edrs["acme", "crowdstrike"].effects


def told(services, channel=("tre", "slack")):
    return [each.notification for each in services.channels[channel].sent]


def a_release(event_id="r1", **more):
    defaults = {"id": event_id, "customer": "acme", "occurred_at": NOON, "endpoint": FIN, "requested_by": "kim", "reason": "false alarm"}
    return ReleaseRequested(**(defaults | more))


def rows(services, verb="isolate", threat="THREAT-1"):
    return [each for each in services.ledger.rows("acme", threat) if each.verb == verb]


def test_everything_goes_the_whole_way_and_stops_before_the_edr_is_asked():
    services = dry_services()
    play(services, published(iocs=(HASH, KILL, DOMAIN)))
    assert effects(services) == []
    found = [each for each in services.ledger.rows("acme", "THREAT-1") if each.kind == "action"]
    assert {each.verb for each in found} == ACTED
    for each in found:
        what = f"{each.verb.replace('_', ' ')} {each.subject}"
        assert (each.state, each.reason, each.would, each.is_dry) == (State.SKIPPED, f"would {what} (dry run)", True, True)
        assert each.evidence == "seen absent"
    assert [note.dry_run for note in told(services)] == [DryRun.YES]
    assert told(services)[0].headline.startswith("DRY RUN: ")


def test_the_timeline_says_at_each_row_that_it_is_a_dry_run():
    services = dry_services()
    play(services, published(iocs=(KILL,)))
    texts = [(entry.row.split(":")[1], entry.text) for entry in services.ledger.threat("acme", "THREAT-1").timeline if ":" in entry.row]
    assert ("isolate", "new -> pending (dry run)") in texts
    assert ("kill_process", "waiting (dry run)") in texts
    assert ("isolate", "pending -> skipped: would isolate FIN-1 (dry run)") in texts


def test_what_is_so_already_is_already_and_what_another_has_ordered_is_not_waited_for():
    services = dry_services(an_edr(looks=deque([Sight.PRESENT])))
    play(services, published(iocs=()))
    assert row(services, "isolate").state is State.ALREADY
    assert [each.is_ours for each in services.ledger.isolated("acme")] == [False]
    services = dry_services(an_edr(looks=deque([Sight.PENDING])))
    play(services, published(iocs=()))
    reason = "would wait for an order that is on its way, and not ask again: isolate FIN-1 (dry run)"
    assert (row(services, "isolate").state, row(services, "isolate").reason) == (State.SKIPPED, reason)


def test_what_a_guard_refuses_is_refused_as_ever():
    services = dry_services(never_touch=frozenset({"a" * 64}))
    play(services, published(iocs=(HASH,)))
    refused = row(services, "ban_hash")
    assert (refused.state, refused.reason, refused.would) == (State.SKIPPED, f"never-touch list: {'a' * 64}", False)


def test_what_a_guard_holds_is_held_and_an_approval_lets_it_go_on_to_would():
    services = dry_services(protected_endpoints=frozenset({"FIN-1"}))
    play(services, published(iocs=()))
    held = row(services, "isolate")
    assert (held.state, held.held_by, held.is_dry) == (State.HELD, "protected", True)
    needed = next(note for note in told(services) if note.kind is Kind.ACTION_NEEDED)
    assert needed.headline == "DRY RUN: Action needed: isolate FIN-1 is held"
    services.doorbell.ring([services.ledger.approve(held.id, by="kim", reason="drill", life=timedelta(days=1))])
    play(services)
    assert row(services, "isolate").would
    assert effects(services) == []


def test_the_kill_switch_holds_a_dry_run_as_ever():
    services = dry_services()
    services.ledger.pause("acme", "*", "change freeze")
    play(services, published(iocs=()))
    assert row(services, "isolate").state is State.HELD
    services.doorbell.ring(services.ledger.resume("acme", "*"))
    play(services)
    assert row(services, "isolate").would


def fleet(number):
    return tuple(FIN.model_copy(update={"agent_id": f"a{n}", "hostname": f"FIN-{n}"}) for n in range(number))


def worked(services, *events):
    """Without the hours that `play` lets go by."""
    answers = ingest(services.ledger, services.doorbell, events)
    services.doorbell.answer(services)
    return answers


def test_the_blast_radius_bites_in_a_dry_run_and_leaves_the_caps_of_what_is_done_alone():
    services = some_services(edr=an_edr(*fleet(6)), policy=a_policy(isolations_per_hour=2))
    worked(services, published(endpoints=fleet(3), iocs=()))
    assert sorted(each.state for each in rows(services)) == [State.HELD, State.SKIPPED, State.SKIPPED]
    live = in_mode(services, Mode.LIVE, isolations_per_hour=2)
    other = THREAT.model_copy(update={"id": "THREAT-2"})
    worked(live, published(id="e2", threat=other, endpoints=fleet(6)[3:], iocs=()))
    assert sorted(each.state for each in rows(live, threat="THREAT-2")) == [State.DONE, State.DONE, State.HELD]


def test_what_was_done_counts_for_what_is_rehearsed():
    services = some_services(edr=an_edr(*fleet(3)), policy=a_policy(Mode.LIVE, isolations_per_hour=2))
    worked(services, published(endpoints=fleet(2), iocs=()))
    worked(services, published(id="e2", endpoints=fleet(3)[2:], iocs=()).to_be_rehearsed())
    assert [each.state for each in rows(services, threat="THREAT-1~dry")] == [State.HELD]


def test_a_dry_event_asks_nothing_of_a_live_customer_and_the_same_event_later_acts():
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE))
    assert worked(services, published().to_be_rehearsed()) == [Acceptance.NEW]
    assert worked(services, published().to_be_rehearsed()) == [Acceptance.DUPLICATE]
    assert effects(services) == []
    assert {each.would for each in services.ledger.rows("acme", "THREAT-1~dry") if each.kind == "action"} == {True}
    assert [note.dry_run for note in told(services)] == [DryRun.YES]
    assert worked(services, published()) == [Acceptance.NEW]
    play(services)
    assert sorted(verb for verb, _ in effects(services)) == ["ban_hash", "isolate", "kill_process"]
    assert [note.dry_run for note in told(services)] == [DryRun.YES, DryRun.NO]


def test_an_open_dry_isolation_swallows_no_order_in_earnest_nor_the_reverse():
    policy = {"protected_endpoints": frozenset({"FIN-1"})}
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE, **policy))
    worked(services, published(iocs=()).to_be_rehearsed())
    worked(services, published(iocs=()))
    worked(services, published(id="e2", iocs=()).to_be_rehearsed())
    (dry,), (live,) = rows(services, threat="THREAT-1~dry"), rows(services)
    assert (dry.state, live.state, dry.is_dry, live.is_dry) == (State.HELD, State.HELD, True, False)
    services.doorbell.ring([services.ledger.approve(live.id, by="kim", reason="so be it", life=timedelta(days=1))])
    services.doorbell.answer(services)
    assert effects(services) == [("isolate", "FIN-1")]
    assert [each.state for each in rows(services, threat="THREAT-1~dry")] == [State.HELD]


def test_what_is_rehearsed_once_more_under_another_id_is_judged_anew():
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE, never_touch=frozenset({"a" * 64})))
    worked(services, published(iocs=(HASH,)).to_be_rehearsed())
    again = in_mode(services, Mode.LIVE)
    worked(again, published(id="e2", iocs=(HASH,)).to_be_rehearsed())
    assert [each.would for each in rows(again, "ban_hash", "THREAT-1~dry")] == [False, True]


def test_once_live_the_same_threat_is_acted_on_when_it_is_published_anew():
    services = dry_services()
    worked(services, published())
    live = in_mode(services, Mode.LIVE)
    assert worked(live, published()) == [Acceptance.DUPLICATE]
    assert effects(live) == []
    worked(live, published(id="e2"))
    play(live)
    assert sorted(verb for verb, _ in effects(live)) == ["ban_hash", "isolate", "kill_process"]
    assert [each.would for each in rows(live)] == [True, False]
    assert summary_of(live.ledger, "acme", THREAT, "THREAT-1").dry_run is DryRun.PARTLY


def test_what_was_planned_as_dry_stays_so_when_the_customer_goes_live_before_it_is_worked_off():
    services = dry_services()
    ingest(services.ledger, services.doorbell, [published()])
    ring = services.doorbell.rings.popleft()
    respond(services, ring.ids)
    live = in_mode(services, Mode.LIVE)
    play(live)
    assert effects(live) == []
    assert row(live, "isolate").would


def test_what_was_planned_live_and_is_open_is_not_asked_for_in_a_dry_run_and_swallows_no_later_order():
    services = some_services(edr=an_edr(answers=deque([Throttled("429", retry_after=None)])), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()))
    assert row(services, "isolate").state is State.PENDING
    dry = in_mode(services, Mode.DRY_RUN)
    play(dry)
    (open_before,) = rows(dry)
    assert (open_before.reason, open_before.is_dry, open_before.would) == ("would isolate FIN-1 (dry run)", True, True)
    assert effects(dry) == []
    live = in_mode(services, Mode.LIVE)
    worked(live, published(id="e2", iocs=()))
    assert effects(live) == [("isolate", "FIN-1")]


def test_compaction_forgets_nothing_of_that():
    services = some_services(edr=an_edr(answers=deque([Throttled("429", retry_after=None)])), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()))
    play(in_mode(services, Mode.DRY_RUN))
    services.clock.advance(timedelta(days=1))
    assert services.ledger.compact(services.clock.now(), 100) == 1
    assert [each.would for each in rows(services)] == [True]
    worked(services, published(id="e2", iocs=()))
    assert effects(services) == [("isolate", "FIN-1")]


def test_what_the_edr_has_accepted_is_watched_to_its_end_in_a_dry_run():
    services = some_services(edr=an_edr(looks=deque([Sight.ABSENT, Sight.PENDING])), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()))
    assert row(services, "isolate").state is State.PERFORMED
    dry = in_mode(services, Mode.DRY_RUN)
    play(dry)
    assert (row(dry, "isolate").state, row(dry, "isolate").is_dry) == (State.DONE, False)


def test_what_may_have_been_asked_for_before_the_dry_run_is_called_neither_would_nor_done():
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()))
    assert row(services, "isolate").state is State.UNKNOWN
    dry = in_mode(services, Mode.DRY_RUN)
    services.clock.advance(timedelta(minutes=1))
    execute(dry, [row(services, "isolate").id])
    final = row(dry, "isolate")
    assert (final.state, final.would) == (State.FAILED, False)
    assert final.reason.startswith("outcome unknown: ")
    assert effects(dry) == []


def test_a_worker_that_was_lost_with_a_dry_row_leaves_nothing_in_doubt():
    services = dry_services(an_edr(looks=deque([Sight.PRESENT])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    respond(services, services.doorbell.rings.popleft().ids)
    lost = rows(services)[0].id
    services.clock.advance(timedelta(minutes=1))
    services.ledger.claim([lost], owner="lost", lease=timedelta(seconds=30), caps={})
    services.clock.advance(timedelta(minutes=2))
    execute(services, [lost])
    assert rows(services)[0].state is State.ALREADY
    assert [each.is_ours for each in services.ledger.isolated("acme")] == [False]


def test_a_dry_isolation_is_never_overdue():
    services = dry_services(protected_endpoints=frozenset({"FIN-1"}))
    worked(services, published(iocs=()))
    assert row(services, "isolate").state is State.HELD
    services.clock.advance(timedelta(days=1))
    assert remind(services) == 0


def isolated_live(edr=None):
    services = some_services(edr=edr or an_edr(), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()))
    assert effects(services) == [("isolate", "FIN-1")]
    return services


def dossier(services, suffix=""):
    return [(each.state, each.would) for each in services.ledger.rows("acme", f"endpoint-crowdstrike-a1{suffix}")]


def test_a_release_is_rehearsed_as_all_else_and_a_person_can_have_it_for_real():
    services = in_mode(isolated_live(), Mode.DRY_RUN)
    worked(services, a_release())
    assert dossier(services) == [(State.SKIPPED, True)]
    assert effects(services) == [("isolate", "FIN-1")]
    assert len(services.ledger.isolated("acme")) == 1
    worked(services, a_release("r2", for_real=True))
    assert dossier(services) == [(State.SKIPPED, True), (State.DONE, False)]
    assert effects(services)[1:] == [("release", "FIN-1")]
    assert services.ledger.isolated("acme") == []


def test_a_release_that_was_asked_for_before_the_dry_run_goes_on():
    services = isolated_live()
    ingest(services.ledger, services.doorbell, [a_release()])
    respond(services, services.doorbell.rings.popleft().ids)
    dry = in_mode(services, Mode.DRY_RUN)
    dry.doorbell.answer(dry)
    assert effects(dry)[1:] == [("release", "FIN-1")]


def test_a_dry_release_calls_off_no_isolation_in_earnest():
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE, protected_endpoints=frozenset({"FIN-1"})))
    worked(services, published(iocs=()))
    worked(services, a_release().to_be_rehearsed())
    assert dossier(services, "~dry") == [(State.SKIPPED, True)]
    (held,) = rows(services)
    assert held.state is State.HELD
    services.doorbell.ring([services.ledger.approve(held.id, by="kim", reason="so be it", life=timedelta(days=1))])
    services.doorbell.answer(services)
    assert effects(services) == [("isolate", "FIN-1")]


def test_a_dry_closing_calls_off_nothing_in_earnest():
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE, protected_endpoints=frozenset({"FIN-1"})))
    worked(services, published(iocs=()))
    closing = ThreatClosed(id="c1", customer="acme", occurred_at=NOON, threat=THREAT, reason="remediated")
    worked(services, closing.to_be_rehearsed())
    assert rows(services)[0].state is State.HELD
    worked(services, closing)
    assert rows(services)[0].state is State.CANCELLED


def test_a_dry_event_does_not_use_up_what_is_told_once():
    policy = a_policy(Mode.LIVE, unsupported_os_emails=("it@acme.example",))
    services = some_services(edr=an_edr(FIN, LINUX), policy=policy)
    worked(services, published(endpoints=(LINUX,), iocs=()).to_be_rehearsed())
    worked(services, published(endpoints=(LINUX,), iocs=()))
    assert [note.dry_run for note in told(services, ("acme", ""))] == [DryRun.YES, DryRun.NO]


def test_the_summary_of_a_dry_event_is_drawn_from_its_own_rows():
    services = some_services(edr=an_edr(), policy=a_policy(Mode.LIVE))
    worked(services, published(iocs=()).to_be_rehearsed())
    note = Note(author=Author.TRE, name="kim", text="drill", remediation_complete=True)
    worked(services, NoteAdded(id="n1", customer="acme", occurred_at=NOON, threat=THREAT, note=note).to_be_rehearsed())
    (summary,) = told(services, ("acme", ""))
    assert summary.headline.startswith("DRY RUN: Remediation complete")
    assert [each.subject for each in summary.summary.would.entries] == ["FIN-1"]


def test_notices_in_earnest_and_dry_ones_are_gathered_into_digests_apart():
    services = some_services(edr=an_edr(*fleet(12)), policy=a_policy(Mode.LIVE, isolations_per_hour=0))
    live, dry = published(endpoints=fleet(6), iocs=()), published(id="e2", endpoints=fleet(12)[6:], iocs=()).to_be_rehearsed()
    worked(services, live, dry)
    play(services)
    needed = [note for note in told(services) if note.kind is Kind.ACTION_NEEDED]
    assert sorted(note.dry_run for note in needed) == [DryRun.NO, DryRun.NO, DryRun.YES, DryRun.YES]
    for note in needed:
        hosts = {int(number) for _, value in note.facts for number in re.findall(r"FIN-(\d+)", value)}
        assert note.headline.startswith("DRY RUN: ") is (note.dry_run is DryRun.YES)
        assert {number >= 6 for number in hosts} == {note.dry_run is DryRun.YES}
