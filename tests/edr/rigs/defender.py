"""A Defender tenant, whose library holds our scripts."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.defender import Config, Defender
from ar_workers.edr.defender.live import SCRIPTS, Script
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import hash_of

from .base import Rig, fleet

CID = "11111111-1111-4111-8111-111111111111"
WRITES = [
    {"method": "POST", "path": "/api/machines/*"},
    {"method": "POST", "path": "/api/machineactions/*"},
    {"method": "POST", "path": "/api/indicators*"},
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
            read_timeout=0.5,
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
