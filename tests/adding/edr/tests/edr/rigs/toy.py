"""A toy tenant."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.edr.toy import Config, Toy

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import agent_id
from tests.sources.samples import AT, SHA256, Sample

from .base import Kit, Rig, fleet, iso


@contextmanager
def toy(os: OS = OS.WINDOWS):
    tenant = {
        "vendor": "toy",
        "credentials": [{"client_id": "ar", "client_secret": "canary-secret"}],
        "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
        "endpoints": fleet(os, agent_id, "g1"),
    }
    with Simulation(World.from_dict({"tenants": {"acme": tenant}})) as simulation:
        config = Config(base_url=simulation.twins["toy"].url, token="canary-secret", read_timeout=1.5)
        yield Rig(
            vendor=Vendor.TOY,
            adapter=Toy(config),
            simulation=simulation,
            agent_id=agent_id,
            writes=[{"method": "POST", "path": "/endpoints/*"}],
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body="{}"),
        )


KIT = Kit(
    rig=toy,
    untestable=frozenset({"Isolate endpoints"}),
    alert=lambda number, came, changed: {"id": f"a-{number}", "created": iso(came), "changed": iso(changed)},
    samples={
        "toy": Sample(
            kind="toy",
            record={"id": "a-1", "created": AT, "endpoint": "a" * 32, "name": "FIN-LT-07", "title": "t", "sha256": SHA256},
            endpoint=("endpoint",),
            title=("title",),
            sha256=("sha256",),
        )
    },
)
