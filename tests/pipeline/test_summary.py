"""What the customer is told of an endpoint is what is so of it, whatever threat moved it."""

from __future__ import annotations

from ar_workers.domain.events import NoteAdded, ReleaseRequested
from ar_workers.domain.threats import Author, Note
from tests.builders import NOON
from tests.fakes import some_services

from .building import FIN, THREAT, an_edr, play, published


def release(number=1):
    facts = {"id": f"r{number}", "customer": "acme", "occurred_at": NOON, "endpoint": FIN, "requested_by": "kim", "reason": "all clear"}
    return ReleaseRequested(**facts)


def complete(number=1):
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    return NoteAdded(id=f"n{number}", customer="acme", occurred_at=NOON, threat=THREAT, note=note)


def still_isolated(services):
    return services.channels["acme", ""].sent[-1].notification.summary.isolated


def test_after_a_release_that_belongs_to_no_threat_the_endpoint_is_not_called_isolated():
    services = some_services(edr=an_edr())
    play(services, published(iocs=()))
    play(services, complete(1))
    assert still_isolated(services) == ("FIN-1",)
    play(services, release())
    play(services, complete(2))
    assert still_isolated(services) == ()


def test_an_endpoint_that_another_threat_isolates_again_is_called_isolated():
    services = some_services(edr=an_edr())
    play(services, published(iocs=()))
    play(services, release())
    play(services, published(id="e2", iocs=(), threat=THREAT.model_copy(update={"id": "THREAT-2"})))
    play(services, complete())
    assert still_isolated(services) == ("FIN-1",)
