"""A Falcon tenant."""

from __future__ import annotations

import time
from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.crowdstrike import Config, CrowdStrike
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL, agent_id
from tests.sources.samples import AT, MD5, SHA256, Sample

from .base import Kit, Rig, fleet, iso

WRITES = [
    {"method": "POST", "path": "/devices/entities/devices-actions/v2"},
    {"method": "POST", "path": "/iocs/entities/indicators/v1"},
    {"method": "PATCH", "path": "/iocs/entities/indicators/v1"},
    {"method": "DELETE", "path": "/iocs/entities/indicators/v1"},
    {"method": "POST", "path": "/real-time-response/entities/active-responder-command/v1"},
]


ALERT = {
    "composite_id": f"{'c' * 32}:ind:{'a' * 32}:123-4-5",
    "agent_id": "a" * 32,
    "device": {"device_id": "a" * 32, "hostname": "FIN-LT-07", "platform_name": "Windows", "groups": ["g1"], "status": "normal"},
    "severity": 70,
    "severity_name": "High",
    "status": "new",
    "tactic": "Malware",
    "technique": "Malicious File",
    "display_name": "Known malware",
    "description": "A file is known malware.",
    "created_timestamp": AT,
    "updated_timestamp": AT,
    "falcon_host_link": f"https://falcon.us-2.crowdstrike.com/activity-v2/detections/{'c' * 32}:ind:1?_cid=token",
    "sha256": SHA256,
    "sha1": "0" * 40,
    "md5": MD5,
    "filename": "evil.exe",
    "filepath": EVIL,
    "local_process_id": "4711",
    "process_id": "289741187433",
    "process_start_time": "1795521600",
    "ioc_type": "domain",
    "ioc_value": "evil.example",
    "ioc_context": [{"ioc_type": "registry_key", "ioc_value": r"\REGISTRY\USER\S-1-5-21-1\Software\Evil"}],
    "quarantined_files": [{"id": f"{'a' * 32}_{SHA256}", "state": "quarantined"}],
    "pattern_disposition_details": {"quarantine_file": True, "kill_process": True, "detect": False},
}


@contextmanager
def crowdstrike(os: OS = OS.WINDOWS, **options):
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "credentials": [{"client_id": "the-client", "client_secret": "canary-secret"}],
                    "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
                    "endpoints": fleet(os, agent_id, "g1"),
                }
            },
            "strict": True,
            "options": {"crowdstrike": {"polls_until_complete": 0, **options}},
        }
    )
    with Simulation(world) as simulation:
        url = simulation.twins["crowdstrike"].url
        config = Config(base_url=url, client_id="the-client", client_secret="canary-secret", read_timeout=1.5)
        yield Rig(
            vendor=Vendor.CROWDSTRIKE,
            adapter=CrowdStrike(config),
            simulation=simulation,
            agent_id=agent_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"X-RateLimit-RetryAfter": str(int(time.time()) + 30)}, body="{}"),
            renews=True,
        )


def an_alert(number, came, changed):
    return {
        "composite_id": f"cid:ind:{number}",
        "created_timestamp": iso(came),
        "updated_timestamp": iso(changed),
    }


KIT = Kit(
    rig=crowdstrike,
    permissions={
        "hosts:read": "Hosts: read",
        "host-group:read": "Host groups: read",
        "ioc:read": "IOC Management: read",
        "real-time-response:read": "Real time response: read",
        "real-time-response:write": "Real time response: write",
    },
    untestable=frozenset({"Hosts: write", "IOC Management: write"}),
    alert=an_alert,
    samples={
        "crowdstrike": Sample(
            kind="crowdstrike",
            record=ALERT,
            endpoint=("device", "device_id"),
            title=("display_name",),
            sha256=("sha256",),
        ),
    },
)
