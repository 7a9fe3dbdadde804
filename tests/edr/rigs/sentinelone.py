"""A SentinelOne console."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.sentinelone import Config, SentinelOne
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL, hash_of, sha256
from tests.sources.samples import AT, MD5, SHA1, SHA256, TOOL, Sample

from .base import FIRST, NEIGHBOUR, Kit, Rig, evil_on, fleet, iso

API = "/web/api/v2.1"
ACCOUNT, SITE = "9000000000000000001", "9100000000000000001"
REMEDIATE, OTHER = "1000000000000000001", "1000000000000000002"
SCRIPTS = {OS.WINDOWS: "2000000000000000001", OS.MACOS: "2000000000000000002", OS.LINUX: "2000000000000000002"}
WRITES = [
    {"method": "POST", "path": f"{API}/agents/actions/*"},
    {"method": "POST", "path": f"{API}/restrictions"},
    {"method": "POST", "path": f"{API}/threat-intelligence/iocs"},
    {"method": "DELETE", "path": f"{API}/restrictions"},
    {"method": "DELETE", "path": f"{API}/threat-intelligence/iocs"},
    {"method": "POST", "path": f"{API}/threats/mitigate/*"},
    {"method": "POST", "path": f"{API}/remote-scripts/execute"},
]
SHELL = frozenset({"kill_process", "delete_file", "delete_registry_key"})


def agent_id(name):
    return str(10**18 + int(hash_of("md5", name), 16) % 10**18)


def a_threat_of(name, path, number, **info):
    at = f"2026-11-0{number}T00:00:00.000000Z"
    defaults = {
        "threatId": str(number),
        "sha256": sha256(path),
        "sha1": hash_of("sha1", path),
        "filePath": path,
        "createdAt": at,
        "updatedAt": at,
    }
    agent = {"agentId": agent_id(name), "agentComputerName": name, "agentOsType": "windows"}
    return {"id": f"300000000000000000{number}", "threatInfo": defaults | info, "agentRealtimeInfo": agent, "mitigationStatus": []}


THREAT = {
    "id": "4000000000000000001",
    "threatInfo": {
        "threatId": "4000000000000000001",
        "threatName": "evil.exe",
        "classification": "Trojan",
        "confidenceLevel": "malicious",
        "analystVerdict": "undefined",
        "mitigationStatus": "not_mitigated",
        "isFileless": False,
        "isValidCertificate": False,
        "sha1": SHA1,
        "sha256": SHA256,
        "md5": None,
        "filePath": EVIL,
        "createdAt": AT,
        "updatedAt": AT,
        "incidentStatus": "unresolved",
    },
    "agentRealtimeInfo": {"agentId": "1" * 19, "agentComputerName": "FIN-LT-07", "agentOsType": "windows", "groupName": "Remediate"},
    "mitigationStatus": [],
}
STAR = {
    "alertInfo": {
        "alertId": "77",
        "createdAt": AT,
        "updatedAt": AT,
        "eventType": "PROCESSCREATION",
        "analystVerdict": "Undefined",
        "dnsRequest": "evil.example",
        "registryKeyPath": r"MACHINE\SOFTWARE\Evil",
    },
    "ruleInfo": {"severity": "Critical", "treatAsThreat": "Malicious", "name": "Evil rule"},
    "sourceProcessInfo": {"pid": "4711", "filePath": EVIL, "fileHashSha256": SHA256, "fileHashMd5": MD5, "pidStarttime": AT},
    "targetProcessInfo": {"tgtFilePath": TOOL, "tgtFileHashSha256": sha256("tool")},
    "agentRealtimeInfo": {"id": "1" * 19, "name": "FIN-LT-07", "os": "windows"},
}


@contextmanager
def sentinelone(os: OS = OS.WINDOWS, config=None, alerts=None, **options):
    path = evil_on(os)
    threats = [a_threat_of(FIRST, path, 1), a_threat_of(NEIGHBOUR, path, 2)]
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "vendor": "sentinelone",
                    "credentials": [{"client_id": "the-user", "client_secret": "canary-secret"}],
                    "groups": [{"id": REMEDIATE, "name": "Remediate"}, {"id": OTHER, "name": "remediate"}],
                    "endpoints": fleet(os, agent_id, REMEDIATE),
                    "alerts": threats if alerts is None else alerts,
                    "facts": {
                        "scripts": {
                            SCRIPTS[OS.WINDOWS]: {"osTypes": ["windows"]},
                            SCRIPTS[OS.MACOS]: {"osTypes": ["macos", "linux"]},
                        },
                    },
                }
            },
            "strict": True,
            "options": {"sentinelone": options},
        }
    )
    with Simulation(world) as simulation:
        defaults = {"api_token": "canary-secret", "scope": "account", "account_id": ACCOUNT, "scripts": SCRIPTS, "read_timeout": 1.5}
        url = simulation.twins["sentinelone"].url
        yield Rig(
            vendor=Vendor.SENTINELONE,
            adapter=SentinelOne(Config(base_url=url, **(defaults | (config or {})))),
            simulation=simulation,
            agent_id=agent_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body="{}"),
            queued=SHELL,
            blind=SHELL,
            groups=("Remediate", OTHER, "Remed"),
            nobody="1" * 19,
        )


def an_alert(number, came, changed):
    return {
        "id": str(10**18 + number),
        "threatInfo": {"createdAt": iso(came), "updatedAt": iso(changed)},
        "agentRealtimeInfo": {"accountId": ACCOUNT},
    }


KIT = Kit(
    rig=sentinelone,
    permissions={
        "endpoints.view": "Endpoints: view",
        "groups.view": "Groups: view",
        "blocklist.view": "Blocklist: view",
        "threats.view": "Threats: view",
        "intelligence.view": "Threat intelligence: view",
        "scripts.view": "RemoteOps scripts: view",
        "tasks.view": "Tasks: view",
    },
    untestable=frozenset(
        {
            "Blocklist: create",
            "Blocklist: delete",
            "Endpoints: disconnect and connect",
            "RemoteOps scripts: run",
            "Threat intelligence: manage",
            "Threats: mitigate",
        }
    ),
    alert=an_alert,
    samples={
        "sentinelone": Sample(
            kind="sentinelone",
            record=THREAT,
            endpoint=("agentRealtimeInfo", "agentId"),
            title=("threatInfo", "threatName"),
            sha256=("threatInfo", "sha256"),
        ),
        "star": Sample(
            kind="sentinelone",
            record=STAR,
            endpoint=("agentRealtimeInfo", "id"),
            title=("ruleInfo", "name"),
            sha256=("sourceProcessInfo", "fileHashSha256"),
        ),
    },
)
