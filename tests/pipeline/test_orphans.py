"""What was accepted for a customer that has no file any more is told to a person once, shown red, and done when the file is back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.actions import identity
from ar_workers.domain.checkups import Light
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.states import State
from ar_workers.pipeline import orphans
from ar_workers.pipeline.checkup import work_of_nobody
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from tests.builders import an_isolate
from tests.fakes import some_services

from .building import FIN, an_edr, published

SAID = "Customer {} is not configured: what was accepted for it is not done"


def without_files(*, edr=None):
    """A service that knows no customer."""
    services = some_services(edr=edr or an_edr())
    known = dict(services.policies)
    services.policies.clear()
    services.edrs.clear()
    return services, known


def work(services, rounds=3, every=timedelta(minutes=5)):
    for _ in range(rounds):
        services.doorbell.answer(services)
        services.clock.advance(every)
        sweep(services)
    services.doorbell.answer(services)


def told(services, receiver="slack"):
    return [each.notification.headline for each in services.channels["tre", receiver].sent]


def red(services, customer="acme"):
    return [(check.light, check.detail) for check in work_of_nobody(services.ledger, customer, "customers/acme.toml")]


def test_the_tres_are_told_once_per_customer_and_not_once_per_event():
    services, _ = without_files()
    events = [published(id=f"e{number}", customer=name) for number in range(5) for name in ("acme", "globex")]
    ingest(services.ledger, services.doorbell, events)
    work(services, rounds=20)
    for receiver in ("slack", "pagerduty"):
        assert sorted(told(services, receiver)) == [SAID.format("acme"), SAID.format("globex")]


def test_it_is_shown_red_while_something_waits():
    services, _ = without_files()
    ingest(services.ledger, services.doorbell, [published()])
    work(services)
    assert red(services) == [(Light.RED, "it has no file, and 1 of its events and actions wait")]
    work(services, rounds=30, every=timedelta(hours=1))
    work(services, rounds=300)
    assert red(services) == [(Light.WARN, "it has no file, and what was accepted for it was given up")]
    assert services.ledger.threat("acme", "THREAT-1").timeline[-1].text.startswith("failed: customer acme has no configuration")


def test_a_day_of_waiting_is_one_line_of_the_timeline():
    services, _ = without_files()
    ingest(services.ledger, services.doorbell, [published()])
    work(services, rounds=100)
    assert len(services.ledger.threat("acme", "THREAT-1").timeline) == 2


def test_what_waited_is_done_when_the_file_is_back():
    edr = an_edr()
    services, known = without_files(edr=edr)
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    work(services)
    services.policies.update(known)
    services.edrs["acme", edr.vendor] = edr
    work(services)
    assert [verb for verb, _ in edr.effects] == ["isolate"]


def test_who_is_taken_away_again_is_told_of_again():
    services, known = without_files()
    ingest(services.ledger, services.doorbell, [published()])
    work(services)
    services.policies.update(known)
    orphans.forget(services)
    services.policies.clear()
    ingest(services.ledger, services.doorbell, [published(id="e2")])
    work(services)
    assert told(services) == [SAID.format("acme")] * 2


@pytest.mark.parametrize("owner", ["acme", "stranger"])
def test_a_row_of_nobody_is_told_of_likewise(owner):
    services, _ = without_files()
    isolation = an_isolate(FIN).model_copy(update={"customer": owner})
    event = published(customer=owner)
    services.ledger.accept([event])
    rings = services.ledger.record([EventPlan(event=event, rows=[action_row(isolation, "THREAT-1", after=(), life=timedelta(hours=1))])])
    services.doorbell.ring(rings[0])
    work(services)
    assert services.ledger.row(identity(isolation)).state is State.FAILED
    assert told(services) == [SAID.format(owner)]


@pytest.mark.parametrize("ref", ["acme:event/e1", "no customer!:event/e1", ":event/e1", "acme"])
def test_a_forged_ring_does_no_harm(ref):
    services, _ = without_files()
    respond(services, [ref])
    work(services)
    assert told(services) == []
