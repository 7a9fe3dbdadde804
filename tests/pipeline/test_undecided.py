"""What the blast radius holds, from the first page to its end: one matter, told as one, until a person decides or the time is up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from ar_workers.channels import pagerduty
from ar_workers.domain.holds import HoldEnd
from ar_workers.domain.notifications import Kind
from ar_workers.domain.states import State
from ar_workers.pipeline.compaction import compact
from ar_workers.pipeline.holds import mind_holds
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.reminders import remind
from ar_workers.pipeline.sweep import sweep
from tests.builders import a_policy, an_endpoint
from tests.fakes import some_services

from .building import an_edr, published

HOUR = timedelta(hours=1)
PAGES = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))
FLEET = tuple(an_endpoint(f"PC-{n}") for n in range(12))


def after(services, span, *, step=timedelta(minutes=10)):
    """Let the time pass as beat and workers do."""
    end = services.clock.now() + span
    while services.clock.now() < end:
        services.clock.advance(min(step, end - services.clock.now()))
        remind(services)
        mind_holds(services)
        sweep(services)
        services.doorbell.answer(services)


def told(services, channel="slack"):
    sent = services.channels["tre", channel].sent
    return [each.notification for each in sent if each.notification.kind in {Kind.ACTION_NEEDED, Kind.NOT_CONTAINED}]


def pages(services):
    return Counter(PAGES.render(note)["dedup_key"] for note in told(services, "pagerduty"))


def headlines(services):
    return [note.headline for note in told(services)]


@pytest.fixture
def services():
    """Seven of twelve are held by the share of their group, and told of."""
    return beyond(a_policy())


def beyond(policy):
    services = some_services(edr=an_edr(*FLEET), policy=policy)
    ingest(services.ledger, services.doorbell, [published(endpoints=FLEET, iocs=())])
    services.doorbell.answer(services)
    after(services, timedelta(minutes=10), step=timedelta(minutes=5))
    assert len(services.ledger.held("acme")) == 7
    return services


def isolations(services):
    return Counter(row.state for row in services.ledger.rows("acme", "THREAT-1") if row.verb == "isolate")


def test_until_its_end_it_is_one_page_and_at_the_end_it_is_called_off_and_told(services):
    after(services, 80 * HOUR, step=HOUR / 2)
    assert len(pages(services)) == 1
    assert isolations(services) == {State.DONE: 5, State.CANCELLED: 7}
    first, rest, *reminders, last = headlines(services)
    assert first.startswith("Action needed: isolate PC-")
    assert rest.startswith("6 more stopped by one cause")
    assert [line.partition(": ")[2] for line in reminders] == ["7 actions (blast_radius)"] * 5
    assert last == "Called off, because nobody decided within 3 d: 7 actions (blast_radius)"


def test_a_reminder_says_when_it_ends_and_how_all_of_it_is_decided(services):
    after(services, timedelta(minutes=20))
    note = told(services)[-1]
    assert note.headline == "Still held after 20 min: 7 actions (blast_radius)"
    facts = dict(note.facts)
    assert facts["Without a decision"] == "the oldest is called off at 2026-11-27 12:00 UTC"
    assert Counter(facts["Actions"].split(", ")) == Counter(f"isolate {row.subject}" for row in services.ledger.held("acme"))
    commands = [line for line in note.body.splitlines() if line.startswith("arctl ")]
    assert commands == [
        "arctl holds --hold blast_radius --customer acme",
        "arctl approve --hold blast_radius --customer acme --reason WHY",
        "arctl deny --hold blast_radius --customer acme --reason WHY",
    ]


def test_what_is_first_told_says_what_becomes_of_it(services):
    assert told(services)[0].body.endswith("What nobody decides is called off after 3 d.")


def test_what_is_decided_is_not_told_of_again(services):
    for row in services.ledger.held("acme"):
        services.ledger.deny(row.id, by="kim", reason="testing")
    before = len(told(services))
    after(services, 80 * HOUR, step=HOUR)
    assert len(told(services)) == before
    assert isolations(services) == {State.DONE: 5, State.CANCELLED: 7}


def test_a_customer_whose_holds_are_kept_is_reminded_for_ever():
    services = beyond(a_policy(holds_end=HoldEnd.KEEP))
    after(services, timedelta(days=10), step=2 * HOUR)
    assert isolations(services) == {State.DONE: 5, State.HELD: 7}
    assert sum("Still held" in line for line in headlines(services)) >= 10
    assert dict(told(services)[-1].facts)["Without a decision"] == "it stays held"
    assert len(pages(services)) == 1


def test_the_customer_says_how_long():
    services = beyond(a_policy(holds_expire=timedelta(hours=2)))
    after(services, 3 * HOUR)
    assert isolations(services) == {State.DONE: 5, State.CANCELLED: 7}
    assert headlines(services)[-1] == "Called off, because nobody decided within 2 h: 7 actions (blast_radius)"


def test_the_dossier_of_holds_is_packed_and_used_again(services):
    after(services, 80 * HOUR, step=HOUR)
    services.clock.advance(timedelta(days=8))
    assert compact(services) > 0
    assert services.ledger.threat("acme", "holds") is not None
    assert services.ledger.rows("acme", "holds")


def test_two_beats_remind_once(services):
    services.clock.advance(HOUR)
    mind_holds(services)
    mind_holds(services)
    sweep(services)
    services.doorbell.answer(services)
    assert sum("Still held" in line for line in headlines(services)) == 1
