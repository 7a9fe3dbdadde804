"""One threat on one endpoint to start from, pipelines that play it, and a clock that runs by being looked at."""

from __future__ import annotations

from datetime import timedelta

from ar_workers.domain.backpressure import SMALL
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ThreatPublished
from ar_workers.domain.indicators import IOC, Domain, FileHash, Process
from ar_workers.domain.threats import Severity, Threat
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import NOON
from tests.fakes import FakeEDR

FIN = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a1", hostname="FIN-1", os=OS.WINDOWS, groups={"Remediate"})
LINUX = Endpoint(edr=Vendor.CROWDSTRIKE, agent_id="a2", hostname="web-1", os=OS.LINUX, groups={"Remediate"})
THREAT = Threat(id="THREAT-1", severity=Severity.HIGH, classification="Ransomware", url="https://ar.example/t/1")
HASH = IOC(indicator=FileHash(sha256="a" * 64), confirmed_malicious=True, safe_to_act=True)
KILL = IOC(indicator=Process(pid=4711, sha256="b" * 64), confirmed_malicious=True, safe_to_act=True, agent_id="a1")
DOMAIN = IOC(indicator=Domain(domain="evil.example"), confirmed_malicious=True, safe_to_act=True)


def published(**changes):
    defaults = {"id": "e1", "customer": "acme", "occurred_at": NOON, "threat": THREAT, "endpoints": (FIN,), "iocs": (HASH, KILL)}
    return ThreatPublished(**(defaults | changes))


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


class Ticking:
    """A monotonic clock that goes on by so much at each look."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def a_flood():
    return [published(id=f"e{n}", threat=published().threat.model_copy(update={"id": f"THREAT-{n}"})) for n in range(SMALL)]
