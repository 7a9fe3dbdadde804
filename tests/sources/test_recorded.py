"""Recorded answers of the vendors, each with what exactly becomes of it. Skipped where they are not beside this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.sources.samples import said

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded"
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")

BEHAVIOUR = ("cortex_xdr-50023290705", "high", 1, [])
#: File -> for each of its records the threat's id, severity, number of endpoints and indicators; or the field that is refused.
OUTCOMES = {
    "carbon_black_cloud/alerts_v7.json": [
        ("carbon_black_cloud-12ab345cd6-e2d1-4118-8a8d-04f521ae66aa", "high", 1, ["process"]),
        ("carbon_black_cloud-887e6bbc-6224-4f36-ad37-084038b7fcab", "high", 1, ["hash", "file", "process"]),
    ],
    "carbon_black_cloud/device_search.json": ["backend_timestamp"],
    "carbon_black_edr/sensors.json": ["unique_id"],
    "cortex_xdr/alerts.json": [BEHAVIOUR] * 4,
    "cortex_xdr/alerts_faulty_reply.json": [],
    "crowdstrike/rtr_kill_stderr.json": ["composite_id"],
    "defender/alerts.json": [("defender-1234", "low", 1, ["file", "process", "file"])],
    "defender/machine_action.json": ["alertCreationTime"],
    "defender/machines.json": ["alertCreationTime", "alertCreationTime"],
    "redcanary/detection.json": [("THREAT-447", "high", 0, [])],
    "sentinelone/agents_same_name.json": ["threatInfo", "threatInfo"],
    "sentinelone/alert.json": [("sentinelone-valid_alert_id_1", "low", 0, [])],
    "sentinelone/threats.json": [("sentinelone-11111111111111", "high", 1, ["file*"])],
}


def payloads(path):
    with path.open("rb") as stream:
        return [record.payload for record in records(stream)]


def outcome(kind, payload):
    try:
        event = FORMATS[kind](payload, customer="acme")
    except InvalidEvent as refusal:
        return refusal.field
    return event.threat.id, event.threat.severity, len(event.endpoints), said(event)


def test_every_recorded_file_has_its_outcome_written_down():
    assert {str(path.relative_to(RECORDED)) for path in RECORDED.rglob("*.json")} == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_recorded_file_is_read_as_written_down(name):
    kind = name.partition("/")[0]
    assert [outcome(kind, payload) for payload in payloads(RECORDED / name)] == OUTCOMES[name]


def test_any_record_in_any_format_is_an_event_or_a_refusal_that_names_a_field():
    everything = [payload for name in OUTCOMES for payload in payloads(RECORDED / name)]
    assert len(everything) == sum(map(len, OUTCOMES.values()))
    for kind in FORMATS:
        assert all(outcome(kind, payload) for payload in everything)


def test_a_placeholder_says_what_it_could_not_read():
    (placeholder,) = payloads(RECORDED / "sentinelone" / "alert.json")
    unread = FORMATS["sentinelone"](placeholder, customer="acme").unread
    assert [each.kind for each in unread] == ["hash", "hash", "hash", "process", "domain", "registry"]
