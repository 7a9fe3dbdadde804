"""From an event to its outcomes, over the memory ledger: what the pipeline promises whatever the EDR does."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.errors import (
    AuthRefused,
    Denied,
    EndpointOffline,
    NotSent,
    OutcomeUnknown,
    Throttled,
    VendorFault,
)
from ar_workers.domain.events import NoteAdded, ThreatClosed, ThreatPublished
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, Process
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.rows import Acceptance
from ar_workers.domain.states import TERMINAL, State
from ar_workers.domain.summaries import Who
from ar_workers.domain.threats import Author, Note, Severity, Threat
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.recheck import recheck_unsupported_os
from ar_workers.pipeline.sweep import sweep
from tests.builders import a_policy
from tests.fakes import FakeChannel, FakeEDR, some_services

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIN = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS, groups={"Remediate"})
THREAT = Threat(id="THREAT-1", severity=Severity.HIGH, classification="Ransomware", url="https://ar.example/t/1")
HASH = IOC(indicator=FileHash(sha256="a" * 64), confirmed_malicious=True, safe_to_act=True)
KILL = IOC(indicator=Process(pid=4711, sha256="b" * 64), confirmed_malicious=True, safe_to_act=True, agent_id="a1")
DOMAIN = IOC(indicator=Domain(domain="evil.example"), confirmed_malicious=True, safe_to_act=True)


def published(**changes):
    wish = {"id": "e1", "customer": "acme", "occurred_at": NOON, "threat": THREAT, "endpoints": (FIN,), "iocs": (HASH, KILL)}
    return ThreatPublished(**(wish | changes))


def an_edr(*endpoints, **more):
    return FakeEDR(endpoints={each.agent_id: each for each in endpoints or (FIN,)}, **more)


def play(services, *events, rounds=40):
    """Ingest, then let workers and sweeps run until nothing is due for an hour of the ledger's time."""
    ingest(services.ledger, services.doorbell, events)
    for _ in range(rounds):
        services.doorbell.answer(services)
        services.clock.advance(timedelta(minutes=6))
        sweep(services)


def states(services, threat="THREAT-1"):
    return {row.id.split(":")[1]: (row.state, row.reason) for row in services.ledger.rows("acme", threat)}


def row(services, verb, threat="THREAT-1"):
    return next(each for each in services.ledger.rows("acme", threat) if each.verb == verb)


def test_a_high_threat_is_contained_acted_on_and_told():
    services = some_services(edr=an_edr())
    play(services, published())
    assert {verb: state for verb, (state, _) in states(services).items()} == {
        "isolate": State.DONE,
        "ban_hash": State.DONE,
        "kill_process": State.DONE,
        "slack": State.DONE,
        "pagerduty": State.DONE,
    }
    assert services.edrs["acme", "crowdstrike"].effects[0] == ("isolate", "FIN-1")


def test_the_score_draws_the_isolation_before_its_iocs_and_beside_the_deliveries():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.answer(services)
    isolate, *beside = services.doorbell.scores[0].steps
    assert isolate.ring.label == "isolate FIN-1 · acme · THREAT-1"
    assert sorted(step.ring.id.split(":")[1] for step in isolate.then) == ["ban_hash", "kill_process"]
    assert [step.ring.id.split(":")[1] for step in beside] == ["slack", "pagerduty"]


def test_a_process_is_ended_before_its_file_is_taken_away():
    file = IOC(indicator=File(path=r"C:\Users\kim\evil.exe"), confirmed_malicious=True, safe_to_act=True, agent_id="a1")
    services = some_services(edr=an_edr())
    play(services, published(iocs=(file, KILL)))
    assert [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects] == ["isolate", "kill_process", "delete_file"]


def test_a_repeated_event_isolates_once():
    services = some_services(edr=an_edr())
    play(services, published())
    play(services, published())
    assert services.edrs["acme", "crowdstrike"].effects.count(("isolate", "FIN-1")) == 1


def test_rings_in_any_number_double_nothing():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.rings.extend(list(services.doorbell.rings) * 5)
    play(services)
    for ring in services.ledger.rows("acme", "THREAT-1"):
        services.doorbell.rings.extend([r for r in services.doorbell.rings if r.id == ring.id] * 3)
    play(services)
    assert sorted(verb for verb, _ in services.edrs["acme", "crowdstrike"].effects) == ["ban_hash", "isolate", "kill_process"]
    assert len(services.channels["tre", "slack"].sent) == 1


def test_what_is_told_says_when_it_happened():
    services = some_services(edr=an_edr())
    event = published()
    play(services, event)
    assert [sent.occurred_at for sent in services.channels["tre", "slack"].sent] == [event.occurred_at]


def test_lost_rings_are_made_up_for_by_the_sweep():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    for _ in range(40):
        services.doorbell.rings.clear()
        services.clock.advance(timedelta(minutes=6))
        sweep(services)
        services.doorbell.answer(services)
    assert {state for state, _ in states(services).values()} == {State.DONE}


def test_what_is_already_so_is_not_asked_for():
    services = some_services(edr=an_edr(looks=deque([Sight.SO])))
    play(services, published(iocs=()))
    assert states(services)["isolate"][0] == State.ALREADY
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_accepted_is_not_done():
    services = some_services(edr=an_edr(takes_effect=False))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.PERFORMED
    play(services)
    final = row(services, "isolate")
    assert final.state == State.FAILED
    assert final.reason.startswith("accepted by the EDR, but not in effect")
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_an_accepted_isolation_that_a_person_released_is_not_repeated():
    edr = an_edr()
    services = some_services(edr=edr)
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    edr.so.clear()
    play(services)
    assert edr.effects == [("isolate", "FIN-1")]


@pytest.mark.parametrize("error", [NotSent("refused"), Throttled("429", retry_after=None), VendorFault("503"), EndpointOffline("away")])
def test_what_may_pass_is_tried_again(error):
    services = some_services(edr=an_edr(answers=deque([error, error])))
    play(services, published(iocs=()))
    final = row(services, "isolate")
    assert final.state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


@pytest.mark.parametrize("error", [Denied("400"), AuthRefused("403")])
def test_what_will_not_pass_fails_at_once(error):
    services = some_services(edr=an_edr(answers=deque([error])))
    play(services, published(iocs=()))
    final = row(services, "isolate")
    assert (final.state, final.reason) == (State.FAILED, f"{type(error).__name__}: {error}")
    assert final.attempts == 0


def test_a_lost_answer_is_settled_by_looking():
    error = OutcomeUnknown("timeout")
    error.after_effect = True
    services = some_services(edr=an_edr(answers=deque([error])))
    play(services, published(iocs=()))
    assert row(services, "isolate").state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_a_lost_answer_without_an_effect_is_asked_again():
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])))
    play(services, published(iocs=()))
    assert row(services, "isolate").state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_an_isolation_in_doubt_that_nobody_looked_at_for_long_waits_for_a_person():
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.UNKNOWN
    services.clock.advance(timedelta(hours=1))
    sweep(services)
    services.doorbell.answer(services)
    held = row(services, "isolate")
    assert (held.state, "released" in held.reason) == (State.HELD, True)
    services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))
    services.doorbell.ring(services.ledger.unsettled("acme", "THREAT-1"))
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.DONE


def test_nothing_is_destroyed_blindly_after_a_lost_answer():
    looks = deque([Sight.SO, Sight.UNKNOWABLE, Sight.UNKNOWABLE])
    services = some_services(edr=an_edr(looks=looks, answers=deque([OutcomeUnknown("timeout")])))
    play(services, published(iocs=(KILL,)))
    assert row(services, "kill_process").reason.startswith("outcome unknown")


def test_what_the_edr_accepted_and_cannot_show_is_never_called_done():
    services = some_services(edr=an_edr(looks=deque([Sight.SO, Sight.NOT_SO, *[Sight.UNKNOWABLE] * 50])))
    play(services, published(iocs=(KILL,)))
    assert row(services, "kill_process").state == State.FAILED
    assert "cannot show the effect" in row(services, "kill_process").reason


def test_a_process_that_is_another_one_now_is_left_alone():
    services = some_services(edr=an_edr(looks=deque([Sight.SO, Sight.MISMATCH])))
    play(services, published(iocs=(KILL,)))
    assert states(services)["kill_process"] == (State.SKIPPED, "seen mismatch")
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_offline_endpoint_keeps_its_intent_until_its_deadline():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")] * 5000)))
    play(services, published(iocs=()), rounds=100)
    assert row(services, "isolate").state == State.PENDING
    services.clock.advance(timedelta(days=7))
    play(services, rounds=5)
    final = row(services, "isolate")
    assert final.state == State.FAILED
    assert final.reason.startswith("deadline passed; last: EndpointOffline")


def test_the_group_is_read_again_before_the_edr_is_asked():
    outside = FIN.model_copy(update={"groups": frozenset({"Default"})})
    services = some_services(edr=an_edr(outside))
    play(services, published(iocs=(HASH,)))
    reason = "no affected endpoint is in a remediate group"
    assert states(services)["isolate"] == (State.SKIPPED, reason)
    assert states(services)["ban_hash"] == (State.SKIPPED, reason)
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_endpoint_outside_is_skipped_by_the_plan():
    services = some_services(edr=an_edr())
    play(services, published(endpoints=(FIN.model_copy(update={"groups": frozenset({"Default"})}),), iocs=()))
    assert row(services, "isolate").reason == "not in a remediate group"


def test_groups_that_the_event_does_not_tell_are_asked_of_the_edr():
    services = some_services(edr=an_edr())
    play(services, published(endpoints=(FIN.model_copy(update={"groups": None, "os": OS.UNKNOWN}),), iocs=()))
    assert row(services, "isolate").state == State.DONE


def test_a_protected_endpoint_is_held_until_a_person_decides():
    policy = some_services().policies["acme"].model_copy(update={"protected_endpoints": frozenset({"fin-1"})})
    services = some_services(edr=an_edr(), policy=policy)
    play(services, published(iocs=()))
    held = row(services, "isolate")
    assert (held.state, held.reason) == (State.HELD, "protected endpoint: a TRE decides")
    services.doorbell.ring([services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))])
    play(services)
    assert row(services, "isolate").state == State.DONE


def test_the_kill_switch_holds_and_resuming_moves_on():
    services = some_services(edr=an_edr())
    services.ledger.pause("acme", "*", "change freeze")
    play(services, published())
    assert {state for verb, (state, _) in states(services).items() if verb in {"isolate", "ban_hash", "kill_process"}} == {State.HELD}
    assert services.edrs["acme", "crowdstrike"].effects == []
    services.doorbell.ring(services.ledger.resume("acme", "*"))
    play(services)
    assert {state for state, _ in states(services).values()} == {State.DONE}


def test_closing_a_threat_calls_off_what_is_queued():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")] * 3)))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    play(services, ThreatClosed(id="c1", customer="acme", occurred_at=NOON, threat=THREAT, reason="remediated"))
    assert states(services)["isolate"] == (State.CANCELLED, "threat closed: remediated")
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_event_of_an_unknown_customer_is_set_aside_where_it_is_seen():
    services = some_services(edr=an_edr())
    play(services, published(customer="globex"))
    timeline = services.ledger.threat("globex", "THREAT-1").timeline
    assert timeline[-1].text.startswith("failed: ARError: customer globex has no configuration")


def test_an_id_with_other_content_is_refused():
    services = some_services(edr=an_edr())
    assert ingest(services.ledger, services.doorbell, [published(), published(iocs=())]) == [Acceptance.NEW, Acceptance.CONFLICT]


def test_a_refused_delivery_is_sent_again_and_never_fails_the_remediation():
    slack = FakeChannel(answers=deque([Result(answer=Answer.RETRY, code="429")] * 3))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()))
    assert states(services)["slack"][0] == State.DONE
    assert len(slack.sent) == 1
    assert states(services)["isolate"][0] == State.DONE


def test_a_delivery_in_doubt_is_not_sent_twice():
    slack = FakeChannel(answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()), rounds=20)
    assert states(services)["slack"] == (State.UNKNOWN, "may have been sent, and the provider cannot tell")
    assert len(slack.sent) == 1


@pytest.mark.parametrize(("shown", "copies"), [(Answer.ACCEPTED, 1), (Answer.RETRY, 2)])
def test_a_delivery_in_doubt_is_settled_by_asking_the_provider(shown, copies):
    slack = FakeChannel(answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]), history=Result(answer=shown))
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()))
    assert states(services)["slack"][0] == State.DONE
    assert len(slack.sent) == copies


def test_a_channel_whose_copies_are_marked_sends_one_more_and_no_third():
    doubts = deque([Result(answer=Answer.UNKNOWN, code="reset")] * 2)
    slack = FakeChannel(marks_copies=True, answers=doubts)
    services = some_services(edr=an_edr(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    play(services, published(iocs=()), rounds=20)
    assert states(services)["slack"][0] == State.UNKNOWN
    assert len(slack.sent) == 2


def test_a_receiver_that_recognises_repetitions_is_told_again():
    pagerduty = FakeChannel(dedupes=True, answers=deque([Result(answer=Answer.UNKNOWN, code="reset")]))
    services = some_services(edr=an_edr(), channels={"slack": FakeChannel(), "pagerduty": pagerduty})
    play(services, published(iocs=()))
    assert states(services)["pagerduty"][0] == State.DONE


def test_a_channel_that_is_not_configured_is_an_outcome():
    services = some_services(edr=an_edr(), channels={"slack": FakeChannel()})
    play(services, published(iocs=()))
    assert states(services)["pagerduty"] == (State.FAILED, "tre has no receiver pagerduty configured")


def test_the_customer_gets_the_summary_of_what_was_done():
    services = some_services(edr=an_edr())
    play(services, published())
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    play(services, NoteAdded(id="n1", customer="acme", occurred_at=NOON, threat=THREAT, note=note))
    (mail,) = services.channels["acme", ""].sent
    assert mail.receiver.address == "soc@acme.example"
    assert ("Completed", "isolate FIN-1 (seen so)") in mail.notification.facts
    isolation = next(each for each in mail.notification.summary.completed.entries if each.verb == "isolate")
    assert (isolation.is_verified, isolation.edr, isolation.reference) == (True, "CrowdStrike", "order-1")
    assert mail.notification.summary.accepted_at <= isolation.settled_at < services.clock.now()


def summary_after(services):
    """What the customer is told if a TRE says now that remediation is complete."""
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    play(services, NoteAdded(id="n1", customer="acme", occurred_at=NOON, threat=THREAT, note=note))
    return services.channels["acme", ""].sent[-1].notification.summary


def test_what_the_pipeline_leaves_says_who_has_the_next_step():
    """The reasons are read by their words: here they come from where they are written."""
    policy = a_policy(summary_emails=("soc@acme.example",), protected_endpoints=frozenset({"FIN-1"}))
    held, paused = some_services(edr=an_edr(), policy=policy), some_services(edr=an_edr())
    paused.ledger.pause("acme", "edr:crowdstrike", "drill")
    offline = some_services(edr=an_edr(looks=deque([EndpointOffline("the sensor is offline")] * 200)))
    refused = some_services(edr=an_edr(answers=deque([AuthRefused("403")])))
    found = []
    for services in (held, paused, offline, refused):
        play(services, published(iocs=()))
        (entry,) = summary_after(services).outstanding.entries
        found.append((entry.outcome, entry.who, entry.todo.split(":")[0]))
    assert found == [
        ("held", Who.CUSTOMER, "you protect this endpoint"),
        ("held", Who.TRE, "approve it or call it off"),
        ("not done yet", Who.CUSTOMER, "connect the endpoint again, or do it there by hand"),
        ("given up", Who.CUSTOMER, "give the TREs access again"),
    ]


def test_an_answer_of_several_lines_costs_no_summary():
    services = some_services(edr=an_edr(answers=deque([Denied("line 1\r\nline 2\x1b[31m")])))
    play(services, published(iocs=()))
    (entry,) = summary_after(services).outstanding.entries
    assert entry.why == "Denied: line 1 line 2 [31m"


LINUX = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a2", hostname="web-1", os=OS.LINUX, groups={"Remediate"})


def test_an_unsupported_endpoint_is_told_of_once_until_it_leaves():
    edr = an_edr(FIN, LINUX)
    services = some_services(edr=edr)
    play(services, published(endpoints=(FIN, LINUX), iocs=()))
    assert len(services.channels["acme", ""].sent) == 1
    assert recheck_unsupported_os(services) == 0
    edr.endpoints["a2"] = LINUX.model_copy(update={"groups": frozenset()})
    services.clock.advance(timedelta(minutes=10))
    assert recheck_unsupported_os(services) == 0
    edr.endpoints["a2"] = LINUX
    services.clock.advance(timedelta(minutes=10))
    assert recheck_unsupported_os(services) == 1
    play(services)
    assert len(services.channels["acme", ""].sent) == 2


def test_a_group_that_cannot_be_read_is_not_an_empty_group():
    edr = an_edr(LINUX)
    services = some_services(edr=edr)
    recheck_unsupported_os(services)
    play(services)

    def unreadable(group):
        raise VendorFault("503")
        yield

    services.clock.advance(timedelta(minutes=10))
    edr.members = unreadable
    recheck_unsupported_os(services)
    assert services.ledger.knows("acme", "unsupported_os/") != set()


def test_linux_is_never_isolated_and_the_tres_are_told():
    services = some_services(edr=an_edr(LINUX))
    play(services, published(endpoints=(LINUX,), iocs=(HASH,)))
    assert row(services, "isolate").reason == "linux is not supported: never isolated by automation"
    assert services.edrs["acme", "crowdstrike"].effects == []
    assert len(services.channels["tre", "slack"].sent) == 1


def test_a_ban_is_not_held_back_by_an_isolation_that_has_to_wait():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")])))
    ingest(services.ledger, services.doorbell, [published(iocs=(HASH, KILL))])
    services.doorbell.answer(services)
    assert row(services, "ban_hash").state == State.DONE
    assert row(services, "kill_process").state == State.WAITING


def test_every_row_of_a_plan_ends_in_one_outcome():
    iocs = (HASH, KILL, DOMAIN, HASH.model_copy(update={"safe_to_act": False}))
    services = some_services(edr=an_edr(FIN, LINUX))
    play(services, published(endpoints=(FIN, LINUX), iocs=iocs))
    rows = services.ledger.rows("acme", "THREAT-1")
    actions = [each for each in rows if each.kind == "action"]
    assert len(actions) == 2 + 4
    assert all(each.state in TERMINAL for each in rows)


def test_a_policy_of_another_customer_is_never_used():
    services = some_services(edr=an_edr())
    services.policies["acme"] = Policy(customer="globex")
    play(services, published(iocs=()))
    assert services.edrs["acme", "crowdstrike"].effects == []
