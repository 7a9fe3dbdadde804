"""A Red Canary portal with detections, their marked indicators and endpoints."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ar_workers.simulator import Simulation, World
from tests.builders import agent_id, sha256

KEY = "canary-secret"


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def a_detection(number, *, seconds_ago=300, endpoint=None, **attributes):
    """As the portal shows it; what happened is days older than its confirmation."""
    found = {
        "type": "Detection",
        "id": number,
        "attributes": {
            "headline": f"[ACME-{number}] Malicious Software (Trojan)",
            "summary": "Seen.",
            "severity": "high",
            "confirmed_at": ago(seconds_ago),
            "time_of_occurrence": ago(seconds_ago + 3 * 86_400),
            "last_activity_seen_at": ago(seconds_ago),
            "last_acknowledged_at": ago(1),
            "classification": {"superclassification": "Malicious Software", "subclassification": ["Trojan"]},
            **attributes,
        },
        "hostname": None,
        "links": {"self": {"href": f"https://acme.my.redcanary.co/openapi/v3/detections/{number}"}},
    }
    if endpoint:
        found["relationships"] = {"affected_endpoint": {"data": {"type": "endpoint", "id": endpoint}}}
    return found


def a_file(name):
    """A marked indicator as the portal writes it: keys that end in a question mark, and a padding item beside it."""
    return [
        {"attributes": {"primitives.file": {"attributes": {"sha256": sha256(name), "path": rf"C:\{name}.exe"}}, "signed?": False}},
        {"relationships": {}, "links": {}},
    ]


def an_endpoint_of(name, **sensor):
    attributes = {"version": "7", "group": ["Remediate"]}
    return {
        "type": "Endpoint",
        "attributes": {"hostname": name, "platform": "Windows", "sensor": {"id": agent_id(name), "attributes": attributes, **sensor}},
    }


@contextmanager
def portal(detections=(), *, marked=None, endpoints=None, **options):
    tenant = {
        "vendor": "redcanary",
        "credentials": [{"client_id": "user", "client_secret": KEY}],
        "alerts": list(detections),
        "facts": {"marked": marked or {}, "endpoints": endpoints or {}},
    }
    world = World.from_dict(
        {"tenants": {"acme": tenant}, "strict": True, "options": {"redcanary": {"requests_per_second": 1000, **options}}}
    )
    with Simulation(world) as simulation:
        yield simulation
