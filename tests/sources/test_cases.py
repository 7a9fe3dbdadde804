"""Small records of real shapes, each with what is right: read, planned, and done against a pretend world."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from ar_workers.automations.ioc_response import plan
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.builders import a_context, a_policy, an_endpoint
from tests.edr.rigs.cortex_xdr import ALERT as CORTEX_XDR
from tests.edr.rigs.sentinelone import THREAT as SENTINELONE
from tests.fakes import FakeEDR, some_services
from tests.sources.samples import SHA1, changed, said

CASES = Path(__file__).parent / "cases"
DEVICE_PATH = r"\Device\HarddiskVolume3\Users\sam\AppData\Local\Temp\evil1.exe"
#: What stands in the domain's place of each event -> what is banned, or the reason of its skip.
ODD_PARTS = {
    "CASE-RLO": ("delete_file", "not read: path has control, bidi or line-break characters"),
    "CASE-HXXP": ("ban_domain", "evil.example.com"),
    "CASE-IP-AS-DOMAIN": ("ban_domain", "IP address: not supported"),
    "CASE-IP": ("act_on", "IP address: not supported"),
    "CASE-HIVE-COLON": ("delete_registry_key", "not read: key must start with one of HKCC, HKCR, HKCU, HKLM, HKU and name a key below it"),
    "CASE-ZWJ-TITLE": None,
    "CASE-IDNA": ("ban_domain", "xn--fa-hia.example"),
}


def payloads(name):
    with (CASES / name).open("rb") as stream:
        return [record.payload for record in records(stream)]


def planned(event, **policy):
    """What is acted on, with every endpoint of the event in a remediate group."""
    groups = {endpoint.edr: frozenset({"Remediate"}) for endpoint in event.endpoints}
    seen = {each.agent_id: each.model_copy(update={"groups": {"Remediate"}, "os": OS.WINDOWS}) for each in event.endpoints}
    return plan(event, a_context(policy=a_policy(remediate_groups=groups, **policy), endpoints=seen))


def test_a_windows_alert_of_crowdstrike_has_its_process_killed_and_its_file_deleted():
    (payload,) = payloads("crowdstrike_device_path.json")
    event = FORMATS["crowdstrike"](payload, customer="acme")
    found = planned(event)
    assert [(action.verb, action.target.partition("|")[0]) for action in found.actions] == [
        ("ban_hash", f"sha256:{payload['sha256']}"),
        ("delete_file", DEVICE_PATH),
        ("kill_process", "5001"),
    ]
    assert found.skips == ()


def test_a_threat_of_sentinelone_that_knows_a_sha1_and_a_device_path_alone_is_quarantined():
    record = changed(SENTINELONE, (("threatInfo", "sha256"), None), (("threatInfo", "filePath"), DEVICE_PATH))
    event = FORMATS["sentinelone"](record, customer="acme")
    quarantine = next(action for action in planned(event).actions if action.verb == "quarantine_file")
    assert (quarantine.file.path, quarantine.file.sha256, quarantine.file.sha1) == (DEVICE_PATH, None, SHA1)


@pytest.mark.parametrize("vital", [r"\Device\HarddiskVolume3\Windows\System32\lsass.exe", r"\\?\C:\Windows\System32\lsass.exe"])
def test_a_vital_file_is_left_alone_by_whatever_name_the_sensor_gives_it(vital):
    (payload,) = payloads("crowdstrike_device_path.json")
    found = planned(FORMATS["crowdstrike"](payload | {"filepath": vital}, customer="acme"))
    assert [action.verb for action in found.actions] == ["ban_hash"]
    assert {skip.reason for skip in found.skips} == {
        "system or sensor file (\\windows\\system32): never touched by automation",
        "vital process lsass.exe: never killed by automation",
    }


@pytest.mark.parametrize("payload", payloads("events_with_one_odd_part.ndjson"), ids=lambda each: each["id"])
def test_an_event_with_one_odd_part_is_acted_on_and_says_what_became_of_that_part(payload):
    endpoint = an_endpoint()
    services = some_services(edr=FakeEDR({endpoint.agent_id: endpoint}))
    ingest(services.ledger, services.doorbell, [FORMATS["event"](payload, customer="acme")])
    services.doorbell.answer(services)
    verbs = [verb for verb, _ in services.edrs["acme", "crowdstrike"].effects]
    rows = services.ledger.rows("acme", payload["threat"]["id"])
    expected = ODD_PARTS[payload["threat"]["id"]]
    assert {"isolate", "ban_hash"} <= set(verbs)
    others = [(row.verb, row.reason or row.subject) for row in rows if row.kind == "action" and row.verb not in {"isolate", "ban_hash"}]
    assert others == ([expected] if expected else [])
    assert [row.verb for row in rows if row.kind == "delivery" and row.state is State.DONE] == ["slack", "pagerduty"]


def test_joiners_in_a_headline_cost_nothing():
    (payload,) = payloads("redcanary_headline_joiners.json")
    event = FORMATS["redcanary"](payload, customer="acme")
    assert (event.threat.id, [each.edr for each in event.endpoints], event.unread) == ("THREAT-206", [Vendor.CROWDSTRIKE], ())
    assert "\u200c" not in event.threat.title


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://evil.example/x?y", "evil.example"),
        ("hxxps[:]//kim@evil[.]example:8443/x", "evil.example"),
        ("evil{.}fa\xdf[dot]example", "evil.xn--fa-hia.example"),
        ("https://evil.example/" + "x" * 5000, "evil.example"),
    ],
)
@pytest.mark.parametrize("kind", ["domain", "url"])
def test_a_link_is_read_as_its_host(kind, link, host):
    record = payloads("events_with_one_odd_part.ndjson")[0]
    record["iocs"] = [{"indicator": {"type": kind, kind: link}, "confirmed_malicious": True, "safe_to_act": True}]
    event = FORMATS["event"](json.loads(json.dumps(record)), customer=None)
    assert ([ioc.indicator.domain for ioc in event.iocs], event.unread) == ([host], ())


@pytest.mark.parametrize(
    ("at", "read"),
    [
        (1_795_521_600, "2026-11-24T12:00:00Z"),
        (1_795_521_600_123, "2026-11-24T12:00:00.123Z"),
        ("1795521600123", "2026-11-24T12:00:00.123Z"),
        (1_795_521_600_123_456, "2026-11-24T12:00:00.123456Z"),
        (1_795_521_600_123_456_789, "2026-11-24T12:00:00.123456Z"),
        (134_399_952_000_000_000, "2026-11-24T12:00:00Z"),
        (639_311_184_000_000_000, "2026-11-24T12:00:00Z"),
    ],
)
@pytest.mark.parametrize("kind", ["event", "cortex_xdr"])
def test_an_instant_is_told_by_its_size(kind, at, read):
    record = (
        CORTEX_XDR | {"local_insert_ts": at}
        if kind == "cortex_xdr"
        else payloads("events_with_one_odd_part.ndjson")[0] | {"occurred_at": at}
    )
    assert FORMATS[kind](record, customer="acme").occurred_at == datetime.fromisoformat(read)


@pytest.mark.parametrize("at", [0, 5, -1, 10**11, 10**30, "0", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 1.5e300, True])
def test_what_is_no_instant_of_our_time_is_never_one_of_1970(at):
    with pytest.raises(InvalidEvent) as raised:
        FORMATS["event"](payloads("events_with_one_odd_part.ndjson")[0] | {"occurred_at": at}, customer="acme")
    assert raised.value.field == "occurred_at"
    with pytest.raises(InvalidEvent) as raised:
        FORMATS["cortex_xdr"](CORTEX_XDR | {"local_insert_ts": at, "detection_timestamp": None}, customer="acme")
    assert raised.value.field == "local_insert_ts"
    other = FORMATS["cortex_xdr"](CORTEX_XDR | {"local_insert_ts": at}, customer="acme")
    assert (other.occurred_at.year, said(other)) == (2026, said(FORMATS["cortex_xdr"](CORTEX_XDR, customer="acme")))


@pytest.mark.parametrize("start", ["1795521600", 1_795_521_600_000, "2026-11-24T12:00:00Z"])
def test_a_start_of_a_process_is_told_by_its_size(start):
    (payload,) = payloads("crowdstrike_device_path.json")
    event = FORMATS["crowdstrike"](payload | {"process_start_time": start}, customer="acme")
    (process,) = (ioc.indicator for ioc in event.iocs if ioc.indicator.type == "process")
    assert process.started_at.isoformat() == "2026-11-24T12:00:00+00:00"
