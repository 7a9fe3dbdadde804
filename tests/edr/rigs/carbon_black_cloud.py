"""An organisation of Carbon Black Cloud."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.carbon_black_cloud import CarbonBlackCloud, Config
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import hash_of

from .base import Rig, fleet

ORG, API_ID, SECRET = "ABCD1234", "THEKEYID", "canary-secret"
_V6 = f"/appservices/v6/orgs/{ORG}"
WRITES = [
    {"method": "POST", "path": f"{_V6}/device_actions"},
    {"method": "POST", "path": f"{_V6}/reputations/overrides"},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": '"kill"'},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": " delete "},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": '"delete file"'},
]


def device_id(name):
    """A number, as the vendor's ids are."""
    return str(1_000_000 + int(hash_of("md5", name)[:6], 16))


@contextmanager
def carbon_black_cloud(os: OS = OS.WINDOWS, *, config=None, **options):
    """The twin answers 200 here: a 204 has no body that could be truncated. Both are tested beside it."""
    world = World.from_dict(
        {
            "tenants": {
                "acme": {
                    "vendor": "carbon_black_cloud",
                    "cid": ORG,
                    "credentials": [{"client_id": API_ID, "client_secret": SECRET}],
                    "groups": [{"id": "g1", "name": "Remediate"}, {"id": "g2", "name": "remediate"}],
                    "endpoints": fleet(os, device_id, "g1"),
                }
            },
            "options": {"carbon_black_cloud": {"polls_until_complete": 0, "session_delay": 0, "accepted": 200, **options}},
        }
    )
    with Simulation(world) as simulation:
        defaults = {
            "base_url": simulation.twins["carbon_black_cloud"].url,
            "org_key": ORG,
            "api_id": API_ID,
            "api_secret_key": SECRET,
            "read_timeout": 0.5,
            "patience": 0.4,
        }
        yield Rig(
            vendor=Vendor.CARBON_BLACK_CLOUD,
            adapter=CarbonBlackCloud(Config(**defaults | (config or {}))),
            simulation=simulation,
            agent_id=device_id,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, headers={"Retry-After": "30"}, body="{}"),
            nobody="999999999",
        )
