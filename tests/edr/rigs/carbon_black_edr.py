"""A Carbon Black EDR server of the customer's own."""

from __future__ import annotations

from contextlib import contextmanager

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.edr.carbon_black_edr import CarbonBlackEDR, Config
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import EVIL
from tests.sources.samples import AT, MD5, SHA256, Sample

from .base import FIRST, NEIGHBOUR, Kit, Rig, fleet, iso

#: One number begins like the other, so that a look-up by a part of it would be seen.
SENSORS = {FIRST: "7", NEIGHBOUR: "70"}
COMMANDS = "/api/v1/cblr/session/*/command"
WRITES = [
    {"method": "PUT", "path": "/api/v1/sensor/*"},
    {"method": "POST", "path": "/api/v1/banning/blacklist"},
    {"method": "DELETE", "path": "/api/v1/banning/blacklist/*"},
    {"method": "POST", "path": COMMANDS, "body_contains": '"name": "kill"'},
    {"method": "POST", "path": COMMANDS, "body_contains": '"name": "delete file"'},
    {"method": "POST", "path": COMMANDS, "body_contains": '"name": "reg delete'},
]


def a_world(os: OS = OS.WINDOWS, *, endpoints=None, banning=("1",), alerts=(), facts=None, **options) -> World:
    """Two groups whose names differ in case only; `banning` names those whose banning is switched on."""
    return World.from_dict(
        {
            "tenants": {
                "acme": {
                    "vendor": "carbon_black_edr",
                    "credentials": [{"client_id": "ar", "client_secret": "canary-secret"}],
                    "groups": [{"id": "1", "name": "Remediate"}, {"id": "2", "name": "remediate"}],
                    "endpoints": endpoints or fleet(os, SENSORS.__getitem__, "1"),
                    "alerts": list(alerts),
                    "facts": {"banning_groups": list(banning), **(facts or {})},
                }
            },
            "strict": True,
            "options": {"carbon_black_edr": options},
        }
    )


ALERT = {
    "unique_id": "1d0e9f1a-0000-4000-8000-000000000001",
    "alert_type": "watchlist.hit.query.process",
    "created_time": AT,
    "status": "Unresolved",
    "alert_severity": 75.5,
    "watchlist_name": "Evil",
    "sensor_id": 7,
    "hostname": "FIN-LT-07",
    "group": "Remediate",
    "os_type": "windows",
    "md5": MD5,
    "sha256": SHA256,
    "process_path": EVIL,
    "process_id": "00000007-0000-1267-01d8-000000000001",
    "ioc_type": "dns",
    "ioc_value": "evil.example",
}


@contextmanager
def carbon_black_edr(os: OS = OS.WINDOWS, *, patience=8.0, **options):
    with Simulation(a_world(os, **options)) as simulation:
        url = simulation.twins["carbon_black_edr"].url
        config = Config(base_url=url, token="canary-secret", read_timeout=1.5, patience=patience)
        yield Rig(
            vendor=Vendor.CARBON_BLACK_EDR,
            adapter=CarbonBlackEDR(config),
            simulation=simulation,
            agent_id=SENSORS.__getitem__,
            writes=WRITES,
            throttle=Fault(action="reply", status=429, body="Too Many Requests"),
            retry_after=None,
            groups=("Remediate", "2", "Remed"),
            nobody="700",
        )


def an_alert(number, came, changed):
    return {"unique_id": f"a-{number}", "created_time": iso(came)}


KIT = Kit(
    rig=carbon_black_edr,
    permissions={"live_response": "Live Response"},
    untestable=frozenset({"Ban hashes", "Isolate sensors"}),
    alert=an_alert,
    samples={
        "carbon_black_edr": Sample(
            kind="carbon_black_edr",
            record=ALERT,
            endpoint=("sensor_id",),
            title=("watchlist_name",),
            sha256=("sha256",),
        ),
    },
)
