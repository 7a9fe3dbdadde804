"""One rig per vendor: the adapter at its twin, in a world that holds what the contract suite acts on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.crowdstrike import Config, CrowdStrike
from ar_workers.simulator import Simulation, World
from tests.builders import (
    EVIL,
    a_delete,
    a_domain_ban,
    a_hash_ban,
    a_key_deletion,
    a_kill,
    a_quarantine,
    a_release,
    agent_id,
    an_endpoint,
    an_isolate,
    sha256,
)

if TYPE_CHECKING:
    from ar_workers.edr.base import EDRAdapter

PLATFORMS = {OS.WINDOWS: "Windows", OS.MACOS: "Mac", OS.LINUX: "Linux"}
MAC_EVIL = "/Users/robin/Library/evil"


@dataclass
class Rig:
    """`tenant` is the twin's; `write_paths` are requests that change something."""

    adapter: EDRAdapter
    simulation: Simulation
    tenant: str = "acme"

    def writes(self) -> list[dict]:
        """The requests of the journal that ask for an effect."""
        return [each for each in self.simulation.journal.requests() if (each["method"], each["path"]) in WRITES]

    def effects(self) -> list[tuple[str, str]]:
        """What really changed."""
        return [(each["verb"], each["target"]) for each in self.simulation.journal.effects() if each["changed"]]


WRITES = {
    ("POST", "/devices/entities/devices-actions/v2"),
    ("POST", "/iocs/entities/indicators/v1"),
    ("PATCH", "/iocs/entities/indicators/v1"),
    ("POST", "/real-time-response/entities/active-responder-command/v1"),
}


def fleet(os: OS) -> list[dict]:
    """The endpoint that is acted on, and a neighbour that has the same in it and must stay as it is."""
    path = EVIL if os is OS.WINDOWS else MAC_EVIL
    return [
        {
            "agent_id": agent_id(name),
            "hostname": name,
            "platform": PLATFORMS[os],
            "groups": ["g1"],
            "check_in_delay": 60.0,
            "processes": [{"pid": 4711, "path": path, "sha256": sha256(path)}],
            "files": [{"path": path, "sha256": sha256(path)}],
            "registry": {r"HKCU\Software\Evil": {"a": "1", "b": "2"}},
        }
        for name in ("FIN-LT-07", "NEIGHBOUR")
    ]


@contextmanager
def crowdstrike(os: OS = OS.WINDOWS, **options):
    """A Falcon tenant."""
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "credentials": [{"client_id": "the-client", "client_secret": "canary-secret"}],
                    "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
                    "endpoints": fleet(os),
                }
            },
            "options": {"crowdstrike": {"polls_until_complete": 0, **options}},
        }
    )
    with Simulation(world) as simulation:
        config = Config(base_url=simulation.crowdstrike.url, client_id="the-client", client_secret="canary-secret", read_timeout=0.5)
        yield Rig(CrowdStrike(config), simulation)


RIGS = {Vendor.CROWDSTRIKE: crowdstrike}


def actions_on(os: OS) -> dict[str, object]:
    """One action per verb, on the first endpoint of the fleet."""
    endpoint = an_endpoint(os=os)
    path = EVIL if os is OS.WINDOWS else MAC_EVIL
    return {
        "isolate": an_isolate(endpoint),
        "release": a_release(endpoint),
        "ban_hash": a_hash_ban(),
        "ban_domain": a_domain_ban(),
        "kill_process": a_kill(endpoint, image_path=path, sha256=sha256(path)),
        "delete_file": a_delete(endpoint, path),
        "quarantine_file": a_quarantine(endpoint, path),
        "delete_registry_key": a_key_deletion(endpoint),
    }
