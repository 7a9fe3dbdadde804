"""A Defender tenant, whose library holds our scripts."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.defender import Config, Defender
from ar_workers.edr.defender.live import SCRIPTS, Script
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL, hash_of, sha256
from tests.sources.samples import AT, SHA1, SHA256, TOOL, Sample

from .base import Kit, Rig, fleet, iso

CID = "11111111-1111-4111-8111-111111111111"
WRITES = [
    {"method": "POST", "path": "/api/machines/*"},
    {"method": "POST", "path": "/api/machineactions/*"},
    {"method": "POST", "path": "/api/indicators*"},
    {"method": "DELETE", "path": "/api/indicators/*"},
]


def machine_id(name):
    """Machines are named by 40 hex digits."""
    return hash_of("sha1", name)


def library():
    """Our scripts as the library would list them."""
    return {name: {"fileName": name, "sha256": Script.named(name).sha256} for name in SCRIPTS.values()}


def named(endpoints):
    """With names as written: Defender shows them in lower case, and the contract suite tells endpoints by their names."""
    return [{**each, "facts": {"machine": {"computerDnsName": each["hostname"]}}} for each in endpoints]


_PIECE = {"evidenceCreationTime": AT, "detectionStatus": "Prevented", "accountName": None, "ipAddress": None}
ALERT = {
    "id": "da637_1364",
    "incidentId": 7,
    "severity": "High",
    "status": "New",
    "classification": None,
    "category": "Malware",
    "threatName": "Trojan:Win32/Evil",
    "threatFamilyName": "Evil",
    "title": "'Evil' malware was prevented",
    "description": "Malware was prevented.",
    "alertCreationTime": AT,
    "lastUpdateTime": AT,
    "machineId": hash_of("sha1", "FIN-LT-07"),
    "computerDnsName": "fin-lt-07",
    "evidence": [
        {**_PIECE, "entityType": "File", "sha256": SHA256, "sha1": SHA1, "filePath": EVIL.rpartition("\\")[0], "fileName": "evil.exe"},
        {
            **_PIECE,
            "entityType": "Process",
            "sha256": sha256("tool"),
            "filePath": TOOL.rpartition("\\")[0],
            "fileName": "powershell.exe",
            "processId": 4711,
            "processCreationTime": AT,
        },
        {**_PIECE, "entityType": "Url", "url": "https://evil.example:8443/path?token=x"},
        {**_PIECE, "entityType": "RegistryKey", "registryHive": "HKEY_CURRENT_USER", "registryKey": r"Software\Evil"},
        {**_PIECE, "entityType": "User", "accountName": "kim"},
    ],
}


@contextmanager
def defender(os: OS = OS.WINDOWS, *, group_by: str = "tag", facts: dict | None = None, **options):
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "vendor": "defender",
                    "cid": CID,
                    "credentials": [{"client_id": "the-app", "client_secret": "canary-secret"}],
                    "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
                    "endpoints": named(fleet(os, machine_id, "g1")),
                    "facts": {"library": library()} if facts is None else facts,
                }
            },
            "strict": True,
            "options": {"defender": options},
        }
    )
    with Simulation(world) as simulation:
        url = simulation.twins["defender"].url
        config = Config(
            base_url=url,
            login_url=url,
            tenant_id=CID,
            client_id="the-app",
            client_secret="canary-secret",
            group_by=group_by,
            read_timeout=1.5,
        )
        yield Rig(
            vendor=Vendor.DEFENDER,
            adapter=Defender(config),
            simulation=simulation,
            agent_id=machine_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body='{"error":{"code":"TooManyRequests"}}'),
            renews=True,
            queued=frozenset({"kill_process", "delete_file", "delete_registry_key"}),
            blind=frozenset({"kill_process", "delete_file", "delete_registry_key", "quarantine_file"}),
            nobody="0" * 40,
        )


def an_alert(number, came, changed):
    return {
        "id": f"da{number}",
        "alertCreationTime": iso(came),
        "lastUpdateTime": iso(changed).replace("Z", "7Z"),
    }


KIT = Kit(
    rig=defender,
    permissions={
        name: name
        for name in (
            "Machine.Read.All",
            "Machine.Isolate",
            "Machine.StopAndQuarantine",
            "Machine.LiveResponse",
            "Ti.ReadWrite.All",
            "File.Read.All",
            "Library.Manage",
        )
    },
    untestable=frozenset(),
    alert=an_alert,
    samples={
        "defender": Sample(
            kind="defender",
            record=ALERT,
            endpoint=("machineId",),
            title=("title",),
            sha256=("evidence", 0, "sha256"),
        ),
    },
)
