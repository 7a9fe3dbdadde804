"""The threats of the benchmark: one endpoint to isolate and six indicators, like the tasks that the peers' nine stand for."""

from __future__ import annotations

from datetime import UTC, datetime

from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ThreatPublished
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, Indicator, Process, RegistryKey
from ar_workers.domain.threats import Severity, Threat

GROUP = "Remediate"


def an_event(number: int, customer: str = "acme") -> ThreatPublished:
    agent = f"agent-{number}"
    path = rf"C:\Users\u{number}\evil.exe"
    return _event(
        customer,
        f"{number}",
        agent,
        (
            _ioc(_hash(number, "a")),
            _ioc(_hash(number, "b")),
            _ioc(Domain(domain=f"evil{number}.example")),
            _ioc(Process(pid=4711, image_path=path), agent),
            _ioc(File(path=path), agent),
            _ioc(RegistryKey(key=rf"HKCU\Software\Evil{number}"), agent),
        ),
    )


def a_flood(number: int, hashes: int, customer: str) -> ThreatPublished:
    """One threat with one endpoint and very many hashes to ban."""
    return _event(customer, f"flood-{number}", f"flooded-{number}", tuple(_ioc(_hash(number * hashes + n, "f")) for n in range(hashes)))


def _event(customer: str, name: str, agent: str, iocs: tuple[IOC, ...]) -> ThreatPublished:
    return ThreatPublished(
        id=f"event-{name}",
        customer=customer,
        occurred_at=datetime.now(UTC),
        threat=Threat(id=f"THREAT-{name}", severity=Severity.HIGH, classification="Ransomware", url="https://ar.example/t"),
        endpoints=(Endpoint(edr=Vendor.CROWDSTRIKE, agent_id=agent, hostname=agent, os=OS.WINDOWS, groups=frozenset({GROUP})),),
        iocs=iocs,
    )


def _ioc(indicator: Indicator, agent: str | None = None) -> IOC:
    return IOC(indicator=indicator, confirmed_malicious=True, safe_to_act=True, agent_id=agent)


def _hash(number: int, kind: str) -> FileHash:
    return FileHash(sha256=kind + f"{number:063x}")
