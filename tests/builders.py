"""Valid values to start from; keyword arguments change what a test is about."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from ar_workers.automations.context import Context
from ar_workers.domain.actions import (
    ACTIONS,
    BanDomain,
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    QuarantineFile,
    ReleaseEndpoint,
)
from ar_workers.domain.canvas import Queue
from ar_workers.domain.capabilities import Capabilities
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import ThreatPublished
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.notifications import Audience, Delivery, Kind, Notification, Receiver
from ar_workers.domain.policies import Policy
from ar_workers.domain.rows import Row
from ar_workers.domain.states import State
from ar_workers.domain.summaries import summarise
from ar_workers.domain.threats import Severity, Threat
from ar_workers.edr import ADAPTERS

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVIL = r"C:\Users\kim\AppData\Local\Temp\evil.exe"


def hash_of(kind, text):
    return hashlib.new(kind, text.encode()).hexdigest()


def sha256(text):
    return hash_of("sha256", text)


def agent_id(name):
    return hash_of("md5", name)


def an_endpoint(hostname="FIN-LT-07", **changes):
    defaults = {
        "edr": Vendor.CROWDSTRIKE,
        "agent_id": agent_id(hostname),
        "hostname": hostname,
        "os": OS.WINDOWS,
        "groups": frozenset({"Remediate"}),
    }
    return Endpoint(**(defaults | changes))


def a_threat(**changes):
    defaults = {
        "id": "THREAT-1042",
        "severity": Severity.HIGH,
        "classification": "Malicious Software (Ransomware)",
        "title": "Ransomware",
        "url": "https://acme.ar.example/threats/1042",
    }
    return Threat(**(defaults | changes))


def an_ioc(indicator=None, **changes):
    defaults = {"indicator": indicator or FileHash(sha256=sha256("evil")), "confirmed_malicious": True, "safe_to_act": True}
    return IOC(**(defaults | changes))


def a_threat_published(**changes):
    defaults = {"id": "ev-1", "customer": "acme", "occurred_at": NOON, "threat": a_threat(), "endpoints": (an_endpoint(),)}
    return ThreatPublished(**(defaults | changes))


def a_policy(**changes):
    defaults = {"customer": "acme", "remediate_groups": {Vendor.CROWDSTRIKE: frozenset({"Remediate"})}}
    return Policy(**(defaults | changes))


def capabilities():
    cells = tuple(cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities())
    return Capabilities(cells, {vendor: entry.adapter.hash_types for vendor, entry in ADAPTERS.items()})


def a_context(**changes):
    defaults = {"policy": a_policy(), "capabilities": capabilities(), "now": NOON}
    return Context(**(defaults | changes))


def _on(endpoint, **more):
    endpoint = endpoint or an_endpoint()
    return {"customer": "acme", "edr": endpoint.edr, "endpoint": endpoint, **more}


def an_action(verb, endpoint=None, path=EVIL):
    """One of any verb, with whatever it is done to."""
    kind = ACTIONS[verb]
    given = _on(
        endpoint,
        because=(endpoint or an_endpoint(),),
        process=Process(pid=4711, image_path=path, sha256=sha256(path)),
        file=File(path=path, sha256=sha256(path)),
        registry=RegistryKey(key=r"HKLM\Software\Evil"),
        hash=FileHash(sha256=sha256("evil"), sha1=hash_of("sha1", "evil"), md5=hash_of("md5", "evil")),
        domain=Domain(domain="evil.example"),
    )
    return kind(**{name: value for name, value in given.items() if name in kind.model_fields})


def an_isolate(endpoint=None):
    return IsolateEndpoint(**_on(endpoint))


def a_release(endpoint=None):
    return ReleaseEndpoint(**_on(endpoint))


def a_kill(endpoint=None, **process):
    return KillProcess(**_on(endpoint, process=Process(**({"pid": 4711, "image_path": EVIL, "sha256": sha256(EVIL)} | process))))


def a_delete(endpoint=None, path=EVIL, **file):
    return DeleteFile(**_on(endpoint, file=File(**({"path": path, "sha256": sha256(path)} | file))))


def a_quarantine(endpoint=None, path=EVIL):
    return QuarantineFile(**_on(endpoint, file=File(path=path, sha256=sha256(path))))


def a_key_deletion(endpoint=None, key=r"HKLM\Software\Evil", value=None):
    return DeleteRegistryKey(**_on(endpoint, registry=RegistryKey(key=key, value=value)))


def a_hash_ban(**hashes):
    found = FileHash(**(hashes or {"sha256": sha256("evil")}))
    return BanHash(customer="acme", edr=Vendor.CROWDSTRIKE, hash=found, because=(an_endpoint(),))


def a_domain_ban(domain="evil.example"):
    return BanDomain(customer="acme", edr=Vendor.CROWDSTRIKE, domain=Domain(domain=domain), because=(an_endpoint(),))


def a_notification(**changes):
    defaults = {
        "audience": Audience.TRE,
        "kind": Kind.THREAT_PUBLISHED,
        "customer": "acme",
        "threat": a_threat(),
        "headline": "HIGH threat published: THREAT-1042",
        "facts": (("Endpoints", "FIN-LT-07"),),
    }
    return Notification(**(defaults | changes))


def a_delivery(channel="slack", address="tre", *, fallback=None, digest=None, **changes):
    receiver = Receiver(channel=channel, address=address)
    return Delivery(notification=a_notification(**changes), receiver=receiver, fallback=fallback, digest=digest)


def a_row(state=State.DONE, **changes):
    defaults = {
        "id": "acme:isolate:1",
        "customer": "acme",
        "threat_id": "THREAT-1042",
        "kind": "action",
        "verb": "isolate",
        "edr": Vendor.CROWDSTRIKE,
        "subject": "FIN-LT-07",
        "label": "isolate FIN-LT-07",
        "queue": Queue.ISOLATION,
        "state": state,
        "evidence": "Falcon shows status contained",
        "reference": "order-1",
        "lane": f"crowdstrike/{agent_id('FIN-LT-07')}",
        "created_at": NOON,
        "begun_at": NOON,
        "performed_at": NOON,
        "settled_at": NOON,
    }
    return Row(**(defaults | changes))


def a_summary(*rows):
    return summarise(rows or (a_row(),), a_threat(), NOON)
