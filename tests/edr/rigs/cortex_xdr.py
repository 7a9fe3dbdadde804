"""A Cortex XDR tenant."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.cortex_xdr import Config, CortexXDR
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL, agent_id, hash_of, sha256
from tests.sources.samples import EVIL_KEY, MD5, SHA256, TOOL, Sample

from .base import Kit, Rig, fleet, ms

V1 = "/public_api/v1"
ACT_UID = hash_of("md5", "ar_workers_act")
RUN = f"{V1}/scripts/run_script"
WRITES = [
    {"method": "POST", "path": f"{V1}/endpoints/isolate"},
    {"method": "POST", "path": f"{V1}/endpoints/unisolate"},
    {"method": "POST", "path": f"{V1}/endpoints/quarantine"},
    {"method": "POST", "path": f"{V1}/hash_exceptions/blocklist"},
    {"method": "POST", "path": f"{V1}/hash_exceptions/blocklist/remove"},
    {"method": "POST", "path": f"{V1}/endpoints/restore"},
    {"method": "POST", "path": RUN, "body_contains": ACT_UID},
]


ALERT = {
    "alert_id": "50820",
    "severity": "critical",
    "name": "WildFire Malware",
    "category": "Malware",
    "description": "Suspicious executable detected",
    "source": "XDR Agent",
    "action": "BLOCKED",
    "detection_timestamp": 1_795_521_600_123,
    "local_insert_ts": 1_795_521_600_500,
    "resolution_status": "STATUS_010_NEW",
    "is_whitelisted": False,
    "endpoint_id": "a" * 32,
    "host_name": "FIN-LT-07",
    "agent_os_type": "Windows",
    "events": [
        {
            "actor_process_os_pid": 4711,
            "actor_process_image_path": TOOL,
            "actor_process_image_sha256": sha256("tool"),
            "action_file_path": EVIL,
            "action_file_sha256": SHA256,
            "action_file_md5": MD5,
            "action_registry_full_key": EVIL_KEY,
            "dns_query_name": "evil.example",
        }
    ],
}


@contextmanager
def cortex_xdr(os: OS = OS.WINDOWS, *, config=None, facts=None, **options):
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "vendor": "cortex_xdr",
                    "credentials": [{"client_id": "7", "client_secret": "canary-secret"}],
                    "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
                    "endpoints": fleet(os, agent_id, "g1"),
                    "facts": facts or {},
                }
            },
            "strict": True,
            "options": {"cortex_xdr": {"order_takes": 0.0, **options}},
        }
    )
    with Simulation(world) as simulation:
        url = simulation.twins["cortex_xdr"].url
        defaults = {"base_url": url, "auth_id": 7, "api_key": "canary-secret", "read_timeout": 1.5, **(config or {})}
        yield Rig(
            vendor=Vendor.CORTEX_XDR,
            adapter=CortexXDR(Config(**defaults)),
            simulation=simulation,
            agent_id=agent_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body="{}"),
            blind=frozenset({"ban_hash", "unban_hash"}),
            ambiguous=frozenset({"ban_hash"}),
        )


def an_alert(number, came, changed):
    return {
        "alert_id": str(number),
        "detection_timestamp": ms(came) - 86_400_000,
        "local_insert_ts": ms(came),
        "last_modified_ts": ms(changed),
        "severity": "high",
        "events": [],
    }


KIT = Kit(
    rig=cortex_xdr,
    permissions={"endpoints": "View endpoints", "scripts": "Scripts: view"},
    untestable=frozenset({"Block list", "Isolate", "Quarantine", "Scripts: run standard and high-risk scripts"}),
    alert=an_alert,
    samples={
        "cortex_xdr": Sample(
            kind="cortex_xdr",
            record=ALERT,
            endpoint=("endpoint_id",),
            title=("name",),
            sha256=("events", 0, "action_file_sha256"),
        ),
    },
)
