"""What is planned for an event: which actions in which order, and what the customer is told in the summary."""

from __future__ import annotations

from collections import deque

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, EndpointOffline
from ar_workers.domain.events import NoteAdded
from ar_workers.domain.indicators import IOC, File
from ar_workers.domain.policies import Policy
from ar_workers.domain.states import State
from ar_workers.domain.summaries import Who
from ar_workers.domain.threats import Author, Note
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from tests.builders import NOON, a_policy
from tests.fakes import some_services

from .building import FIN, KILL, THREAT, Ticking, an_edr, play, published, row


def test_the_score_draws_the_isolation_before_its_iocs_and_beside_the_deliveries():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.answer(services)
    isolate, *beside = services.doorbell.canvases[0].steps
    assert isolate.ring.label == "isolate FIN-1 · acme · THREAT-1"
    assert sorted(step.ring.id.split(":")[1] for step in isolate.then) == ["ban_hash", "kill_process"]
    assert [step.ring.id.split(":")[1] for step in beside] == ["slack", "pagerduty"]


def test_a_process_is_ended_before_its_file_is_taken_away():
    file = IOC(indicator=File(path=r"C:\Users\kim\evil.exe"), confirmed_malicious=True, safe_to_act=True, agent_id="a1")
    services = some_services(edr=an_edr())
    play(services, published(iocs=(file, KILL)))
    assert [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects] == ["isolate", "kill_process", "delete_file"]


def test_an_endpoint_outside_is_skipped_by_the_plan():
    services = some_services(edr=an_edr())
    play(services, published(endpoints=(FIN.model_copy(update={"groups": frozenset({"Default"})}),), iocs=()))
    assert row(services, "isolate").reason == "not in a remediate group"


def test_groups_that_the_event_does_not_tell_are_asked_of_the_edr():
    services = some_services(edr=an_edr())
    play(services, published(endpoints=(FIN.model_copy(update={"groups": None, "os": OS.UNKNOWN}),), iocs=()))
    assert row(services, "isolate").state == State.DONE


def test_the_customer_gets_the_summary_of_what_was_done():
    services = some_services(edr=an_edr())
    play(services, published())
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    play(services, NoteAdded(id="n1", customer="acme", occurred_at=NOON, threat=THREAT, note=note))
    (mail,) = services.channels["acme", ""].sent
    assert mail.receiver.address == "soc@acme.example"
    assert ("Completed", "isolate FIN-1 (seen present)") in mail.notification.facts
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


def test_a_summary_knows_of_the_threat_that_was_rung_for_by_the_same_message():
    services = some_services(edr=an_edr(), monotonic=Ticking(step=0.0))
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    threat = published()
    summary = NoteAdded(id="n1", customer="acme", occurred_at=threat.occurred_at, threat=threat.threat, note=note)
    ingest(services.ledger, services.doorbell, [threat, summary])
    respond(services, [ring.id for ring in services.doorbell.rings])
    services.doorbell.rings.clear()
    (mail,) = [each.id for each in services.ledger.rows("acme", "THREAT-1") if each.verb == "email"]
    deliver(services, [mail])
    assert "FIN-1" in str(services.channels["acme", ""].sent[0].notification.facts)


def test_a_policy_of_another_customer_is_never_used():
    services = some_services(edr=an_edr())
    services.policies["acme"] = Policy(customer="globex")
    play(services, published(iocs=()))
    assert services.edrs["acme", "crowdstrike"].effects == []
