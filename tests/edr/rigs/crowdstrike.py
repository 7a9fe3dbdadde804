"""A Falcon tenant."""

from __future__ import annotations

import time
from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.crowdstrike import Config, CrowdStrike
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import agent_id

from .base import Rig, fleet

WRITES = [
    {"method": "POST", "path": "/devices/entities/devices-actions/v2"},
    {"method": "POST", "path": "/iocs/entities/indicators/v1"},
    {"method": "PATCH", "path": "/iocs/entities/indicators/v1"},
    {"method": "POST", "path": "/real-time-response/entities/active-responder-command/v1"},
]


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
            "options": {"crowdstrike": {"polls_until_complete": 0, **options}},
        }
    )
    with Simulation(world) as simulation:
        url = simulation.twins["crowdstrike"].url
        config = Config(base_url=url, client_id="the-client", client_secret="canary-secret", read_timeout=0.5)
        yield Rig(
            vendor=Vendor.CROWDSTRIKE,
            adapter=CrowdStrike(config),
            simulation=simulation,
            agent_id=agent_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"X-RateLimit-RetryAfter": str(int(time.time()) + 30)}, body="{}"),
            renews=True,
        )
