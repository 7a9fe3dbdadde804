"""An organisation of Carbon Black Cloud."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.carbon_black_cloud import CarbonBlackCloud, Config
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL, hash_of, sha256
from tests.sources.samples import AT, MD5, SHA256, TOOL, Sample

from .base import Kit, Rig, fleet, iso

ORG, API_ID, SECRET = "ABCD1234", "THEKEYID", "canary-secret"
_V6 = f"/appservices/v6/orgs/{ORG}"
WRITES = [
    {"method": "POST", "path": f"{_V6}/device_actions"},
    {"method": "POST", "path": f"{_V6}/reputations/overrides"},
    {"method": "POST", "path": f"{_V6}/reputations/overrides/_delete"},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": '"kill"'},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": " delete "},
    {"method": "POST", "path": f"{_V6}/liveresponse/sessions/*/commands", "body_contains": '"delete file"'},
]


def device_id(name):
    """A number, as the vendor's ids are."""
    return str(1_000_000 + int(hash_of("md5", name)[:6], 16))


ALERT = {
    "id": "887e6bbc-6224-4f36-ad37-084038b7fcab",
    "type": "CB_ANALYTICS",
    "alert_url": "https://defense-eu.conferdeploy.net/alerts?s=1&orgKey=ABCD1234",
    "backend_timestamp": AT,
    "backend_update_timestamp": AT,
    "severity": 8,
    "reason": "Known malware ran.",
    "determination": {"value": "NONE"},
    "device_id": 101,
    "device_name": "CORP\\FIN-LT-07",
    "device_os": "WINDOWS",
    "process_pid": 4711,
    "process_name": EVIL,
    "process_sha256": SHA256,
    "process_md5": MD5,
    "process_reputation": "KNOWN_MALWARE",
    "process_effective_reputation": "KNOWN_MALWARE",
    "childproc_name": TOOL,
    "childproc_sha256": sha256("tool"),
    "childproc_effective_reputation": "TRUSTED_WHITE_LIST",
    "netconn_remote_domain": "evil.example",
}


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
            "strict": True,
            "options": {"carbon_black_cloud": {"polls_until_complete": 0, "session_delay": 0, "accepted": 200, **options}},
        }
    )
    with Simulation(world) as simulation:
        defaults = {
            "base_url": simulation.twins["carbon_black_cloud"].url,
            "org_key": ORG,
            "api_id": API_ID,
            "api_secret_key": SECRET,
            "read_timeout": 1.5,
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


def an_alert(number, came, changed):
    return {
        "id": f"a{number}",
        "type": "CB_ANALYTICS",
        "severity": 7,
        "backend_timestamp": iso(came),
        "backend_update_timestamp": iso(changed),
    }


KIT = Kit(
    rig=carbon_black_cloud,
    permissions={
        "device:READ": "device: READ",
        "group-management:READ": "group-management: READ",
        "org.reputations:READ": "org.reputations: READ",
        "org.liveresponse.session:READ": "org.liveresponse.session: READ",
        "org.liveresponse.file:READ": "org.liveresponse.file: READ",
    },
    untestable=frozenset(
        {
            "device.quarantine: EXECUTE",
            "org.liveresponse.file: DELETE, .process: READ and EXECUTE, .registry: READ and DELETE",
            "org.liveresponse.session: CREATE",
            "org.reputations: CREATE",
            "org.reputations: DELETE",
        }
    ),
    alert=an_alert,
    samples={
        "carbon_black_cloud": Sample(
            kind="carbon_black_cloud",
            record=ALERT,
            endpoint=("device_id",),
            title=("reason",),
            sha256=("process_sha256",),
        ),
    },
)
