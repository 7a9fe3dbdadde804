"""A Cortex XDR tenant."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.cortex_xdr import Config, CortexXDR
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import agent_id, hash_of

from .base import Rig, fleet

V1 = "/public_api/v1"
ACT_UID = hash_of("md5", "ar_workers_act")
RUN = f"{V1}/scripts/run_script"
WRITES = [
    {"method": "POST", "path": f"{V1}/endpoints/isolate"},
    {"method": "POST", "path": f"{V1}/endpoints/unisolate"},
    {"method": "POST", "path": f"{V1}/endpoints/quarantine"},
    {"method": "POST", "path": f"{V1}/hash_exceptions/blocklist"},
    {"method": "POST", "path": RUN, "body_contains": ACT_UID},
]


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
            "options": {"cortex_xdr": {"order_takes": 0.0, **options}},
        }
    )
    with Simulation(world) as simulation:
        url = simulation.twins["cortex_xdr"].url
        defaults = {"base_url": url, "auth_id": 7, "api_key": "canary-secret", "read_timeout": 0.5, **(config or {})}
        yield Rig(
            vendor=Vendor.CORTEX_XDR,
            adapter=CortexXDR(Config(**defaults)),
            simulation=simulation,
            agent_id=agent_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body="{}"),
            blind=frozenset({"ban_hash"}),
            ambiguous=frozenset({"ban_hash"}),
        )
