"""A SentinelOne console."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.sentinelone import Config, SentinelOne
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import hash_of, sha256

from .base import FIRST, NEIGHBOUR, Rig, evil_on, fleet

API = "/web/api/v2.1"
ACCOUNT, SITE = "9000000000000000001", "9100000000000000001"
REMEDIATE, OTHER = "1000000000000000001", "1000000000000000002"
SCRIPTS = {OS.WINDOWS: "2000000000000000001", OS.MACOS: "2000000000000000002", OS.LINUX: "2000000000000000002"}
WRITES = [
    {"method": "POST", "path": f"{API}/agents/actions/*"},
    {"method": "POST", "path": f"{API}/restrictions"},
    {"method": "POST", "path": f"{API}/threat-intelligence/iocs"},
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
            "options": {"sentinelone": options},
        }
    )
    with Simulation(world) as simulation:
        defaults = {"api_token": "canary-secret", "scope": "account", "account_id": ACCOUNT, "scripts": SCRIPTS, "read_timeout": 0.5}
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
