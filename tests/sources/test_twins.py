"""There and back: each vendor's twin serves an alert as the vendor's API does, and the reader names the adapter's endpoint."""

from __future__ import annotations

import io
import json

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.builders import EVIL, sha256
from tests.edr.rigs import RIGS, SAMPLES
from tests.edr.rigs.base import FIRST
from tests.sources.samples import changed, said


def crowdstrike(api):
    return {"meta": {}, "errors": None, "resources": api.send("POST", "/alerts/combined/alerts/v1", {"limit": 10}).resources}


def defender(api):
    return {"@odata.context": "x", "value": list(api.pages("/api/alerts", **{"$expand": "evidence"}))}


def sentinelone(api):
    return {"data": api.get("threats").data, "pagination": {"totalItems": 1, "nextCursor": None}}


def star(api):
    return {"data": api.get("cloud-detection/alerts").data, "pagination": {"totalItems": 1, "nextCursor": None}}


def carbon_black_cloud(api):
    times = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
    return api.post("/api/alerts/v7/orgs/{org}/alerts/_search", {"time_range": times}).body


def carbon_black_edr(api):
    return api.get("/api/v2/alert", q="").body


def cortex_v1(api):
    return {"reply": api.read("/public_api/v1/alerts/get_alerts_multi_events", {})}


def cortex_v2(api):
    return {"reply": api.read("/public_api/v2/alerts/get_alerts_multi_events", {})}


ROUTES = [
    ("crowdstrike", crowdstrike),
    ("defender", defender),
    ("sentinelone", sentinelone),
    ("star", star),
    ("carbon_black_cloud", carbon_black_cloud),
    ("carbon_black_edr", carbon_black_edr),
    ("cortex_xdr", cortex_v1),
    ("cortex_xdr", cortex_v2),
]


def published(rig, sample):
    """The sample as an alert on the rig's first endpoint. Two vendors' ids are numbers in an alert, and texts in the adapter."""
    own = rig.agent_id(FIRST)
    is_number = sample.kind in {"carbon_black_cloud", "carbon_black_edr"}
    alerts = rig.simulation.world.tenant(rig.tenant).alerts
    alerts.clear()
    alerts.append(changed(sample.record, (sample.endpoint, int(own) if is_number else own)))


def events(document, kind):
    stream = io.BytesIO(json.dumps(document, indent=1).encode())
    return [FORMATS[kind](record.payload, customer="acme") for record in records(stream)]


@pytest.mark.parametrize(("name", "route"), ROUTES, ids=[route.__name__ for _, route in ROUTES])
def test_what_the_twin_serves_is_read_and_names_the_adapters_endpoint(name, route):
    sample = SAMPLES[name]
    with RIGS[Vendor(sample.kind)]() as rig:
        published(rig, sample)
        (event,) = events(route(rig.adapter._api), sample.kind)
        (endpoint,) = event.endpoints
        seen = rig.adapter.endpoint(endpoint.agent_id)
    straight = FORMATS[sample.kind](sample.record, customer="acme")
    assert said(event) == said(straight)
    assert (endpoint.edr, endpoint.agent_id) == (seen.edr, seen.agent_id)
    assert endpoint.os in {seen.os, OS.UNKNOWN}
    assert endpoint.groups is None


def test_an_order_of_mitigation_changes_no_event():
    """The twin notes its report in the threat, as the vendor does: that is no news for a responder."""
    with RIGS[Vendor.SENTINELONE]() as rig:
        before = events(sentinelone(rig.adapter._api), "sentinelone")
        rig.adapter._api.post("threats/mitigate/quarantine", {"filter": {"ids": [before[0].threat.id.removeprefix("sentinelone-")]}})
        rig.simulation.clock.advance(90)
        after = events(sentinelone(rig.adapter._api), "sentinelone")
    assert [event.id for event in before] == [event.id for event in after]
    assert before[0].iocs[0].indicator.sha256 == sha256(EVIL)
