"""What its vendor shows as over is never acted on: it closes its threat, once, and says by whose word."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ar_workers.automations.threat_published import plan as isolations
from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.builders import a_context
from tests.edr.rigs import SAMPLES
from tests.sources.samples import SHA256, changed, said

CASES = Path(__file__).parent / "cases"
INFO, STAR, OTHER = "threatInfo", "alertInfo", {"id": f"{'a' * 32}_{SHA256}"}
GIVEN_BACK = [
    {"action": "quarantine", "status": "success", "lastUpdate": "2026-11-24T12:01:00Z"},
    {"action": "unquarantine", "status": "success", "lastUpdate": "2026-11-24T12:02:00Z"},
]
TAKEN_AGAIN = [*GIVEN_BACK, {"action": "quarantine", "status": "success", "lastUpdate": "2026-11-24T12:03:00Z"}]
#: The sample, where the word stands, and the word.
OVER = [
    ("crowdstrike", ("status",), "closed"),
    ("crowdstrike", ("resolution",), "False_Positive"),
    ("crowdstrike", ("resolution",), "ignored"),
    ("crowdstrike", ("tags",), ["fc/offering/falcon_complete", "false_positive"]),
    ("crowdstrike", ("quarantined_files",), [OTHER | {"state": "released"}]),
    ("crowdstrike", ("quarantined_files",), [OTHER | {"state": "released"}, OTHER | {"state": "release_pending"}]),
    ("defender", ("status",), "Resolved"),
    ("defender", ("classification",), "FalsePositive"),
    ("defender", ("classification",), "InformationalExpectedActivity"),
    ("defender", ("determination",), "SecurityTesting"),
    ("sentinelone", (INFO, "incidentStatus"), "resolved"),
    ("sentinelone", (INFO, "analystVerdict"), "false_positive"),
    ("sentinelone", (INFO, "mitigationStatus"), "marked_as_benign"),
    ("sentinelone", ("mitigationStatus",), GIVEN_BACK),
    ("star", (STAR, "incidentStatus"), "Resolved"),
    ("star", (STAR, "analystVerdict"), "False_Positive"),
    ("carbon_black_cloud", ("workflow",), {"status": "CLOSED", "closure_reason": "NO_REASON"}),
    ("carbon_black_cloud", ("workflow",), {"state": "DISMISSED"}),
    ("carbon_black_cloud", ("determination",), {"value": "FALSE_POSITIVE"}),
    ("carbon_black_edr", ("status",), "Resolved"),
    ("carbon_black_edr", ("status",), "False Positive"),
    ("carbon_black_edr", ("report_ignored",), True),
    ("cortex_xdr", ("resolution_status",), "STATUS_060_RESOLVED_FALSE_POSITIVE"),
    ("cortex_xdr", ("resolution_status",), "STATUS_090_RESOLVED_TRUE_POSITIVE"),
    ("cortex_xdr", ("resolution_status",), "resolved_security_testing"),
    ("cortex_xdr", ("is_whitelisted",), True),
]
OPEN = [
    ("crowdstrike", ("status",), "reopened"),
    ("crowdstrike", ("status",), "in_progress"),
    ("crowdstrike", ("tags",), ["true_positive"]),
    ("crowdstrike", ("quarantined_files",), [OTHER | {"state": "released"}, OTHER | {"state": "quarantined"}]),
    ("crowdstrike", ("quarantined_files",), [OTHER | {"state": "unrelease_pending"}]),
    ("defender", ("status",), "InProgress"),
    ("defender", ("classification",), "TruePositive"),
    ("sentinelone", (INFO, "incidentStatus"), "in_progress"),
    ("sentinelone", (INFO, "mitigationStatus"), "mitigated"),
    ("sentinelone", ("mitigationStatus",), TAKEN_AGAIN),
    ("sentinelone", ("mitigationStatus",), [GIVEN_BACK[1] | {"status": "failed"}]),
    ("star", (STAR, "analystVerdict"), "True_Positive"),
    ("carbon_black_cloud", ("workflow",), {"status": "IN_PROGRESS", "closure_reason": "NO_REASON"}),
    ("carbon_black_cloud", ("workflow",), "null"),
    ("carbon_black_cloud", ("determination",), {"value": "TRUE_POSITIVE"}),
    ("carbon_black_edr", ("status",), "In Progress"),
    ("carbon_black_edr", ("report_ignored",), False),
    ("carbon_black_edr", ("report_ignored",), []),
    ("cortex_xdr", ("resolution_status",), "STATUS_020_UNDER_INVESTIGATION"),
    ("cortex_xdr", ("resolution_status",), "STATUS_230_REOPENED"),
]


def read(name, *changes):
    sample = SAMPLES[name]
    return FORMATS[sample.kind](changed(sample.record, *changes), customer="acme")


def case(name):
    """The events of a recorded shape in `cases`."""
    stream = io.BytesIO((CASES / f"{name}.json").read_bytes())
    kind = {"cortex": "cortex_xdr"}.get(name.partition("_")[0], name.partition("_")[0])
    return [FORMATS[kind](record.payload, customer="acme") for record in records(stream)]


@pytest.mark.parametrize(("name", "path", "value"), OVER)
def test_an_alert_that_is_over_closes_its_threat_and_is_not_acted_on(name, path, value):
    event, before = read(name, (path, value)), read(name)
    assert (event.type, event.threat) == ("threat_closed", before.threat)
    assert " shows it as " in event.reason


@pytest.mark.parametrize(("name", "path", "value"), OPEN)
def test_an_alert_that_is_not_over_is_acted_on(name, path, value):
    event = read(name, (path, value))
    assert (event.type, len(event.endpoints)) == ("threat_published", 1)


@pytest.mark.parametrize(("name", "path", "value"), OVER)
def test_an_alert_that_its_vendor_calls_a_false_positive_never_was_a_threat(name, path, value):
    is_said = "falsepositive" in str(value).replace("_", "").replace(" ", "").casefold()
    assert read(name, (path, value)).is_false_positive is is_said


TIMES = {
    "crowdstrike": ("updated_timestamp",),
    "defender": ("lastUpdateTime",),
    "sentinelone": (INFO, "updatedAt"),
    "star": (STAR, "updatedAt"),
    "carbon_black_cloud": ("user_update_timestamp",),
    "carbon_black_edr": ("_version_",),
    "cortex_xdr": ("last_modified_ts",),
}
LATER = "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(("name", "path", "value"), OVER)
def test_the_same_closed_alert_read_again_is_a_duplicate_however_much_later_it_was_touched(name, path, value):
    later = 1_795_608_000_000 if name == "cortex_xdr" else LATER
    first, again = read(name, (path, value)), read(name, (path, value), (TIMES[name], later))
    assert (first.id, first.checksum) == (again.id, again.checksum)
    assert first.id != read(name).id
    assert name == "carbon_black_edr" or (again.as_of.isoformat(), first.as_of != again.as_of) == ("2026-11-25T12:00:00+00:00", True)


def test_who_closed_an_alert_and_when_is_said_where_the_vendor_tells():
    workflow = {"status": "CLOSED", "changed_by": "kim@acme.example", "change_timestamp": LATER}
    cloud = read("carbon_black_cloud", (("workflow",), workflow))
    assert cloud.reason == "Carbon Black Cloud shows it as CLOSED, by kim@acme.example"
    edr = read("carbon_black_edr", (("status",), "Resolved"), (("assigned_to",), "kim"), (("resolved_time",), LATER))
    assert edr.reason == "Carbon Black EDR shows it as Resolved, by kim"
    defender = read("defender", (("status",), "Resolved"), (("classification",), "FalsePositive"), (("resolvedTime",), LATER))
    assert defender.reason == "Microsoft Defender shows it as Resolved, FalsePositive"
    assert {each.occurred_at.isoformat() for each in (cloud, edr, defender)} == {"2026-11-25T12:00:00+00:00"}


def test_the_report_of_v2_0_tells_that_a_file_was_given_back():
    flat = {"id": "4", "threatName": "x", "createdAt": LATER, "agentId": "1", "mitigationStatus": "mitigated"}
    both = {"quarantine": {"status": "success"}, "unquarantine": {"status": "success"}}
    types = [
        FORMATS["sentinelone"](flat | each, customer="acme").type
        for each in (
            {},
            {"mitigationReport": both | {"unquarantine": {"status": None}}},
            {"mitigationReport": both},
            {"resolved": True},
            {"markedAsBenign": True},
            {"mitigationReport": "no object"},
        )
    ]
    assert types == ["threat_published", "threat_published", "threat_closed", "threat_closed", "threat_closed", "threat_published"]


def test_an_old_alert_that_somebody_closed_later_isolates_nothing():
    (event,) = case("crowdstrike_old_alert_closed_later")
    assert (event.type, event.reason) == ("threat_closed", "CrowdStrike shows it as closed")
    assert event.as_of.year == 2026


def test_a_detection_that_somebody_marked_is_over_and_one_that_nobody_marked_is_not():
    found = {event.threat.id.removeprefix("THREAT-"): event for event in case("redcanary_marks")}
    reasons = {
        number: event.reason.removeprefix("Red Canary shows it as ") for number, event in found.items() if event.type == "threat_closed"
    }
    assert reasons == {
        "301": "not remediated: authorized testing, by Kim",
        "302": "not remediated: false positive, by Kim",
        "303": "not remediated: sanctioned activity, by Kim",
        "304": "remediated: removed, by Kim",
        "305": "remediated, by Kim",
        "306": "not remediated unwarranted, by Kim",
    }
    assert [len(found[number].endpoints) for number in ("307", "308")] == [1, 1]
    assert {event.occurred_at.isoformat(timespec="minutes") for event in found.values() if event.type == "threat_closed"} == {
        "2026-11-24T10:30+00:00"
    }


def test_ids_of_a_detection_may_be_text():
    (event,) = case("redcanary_ids_are_text")
    assert (event.threat.id, event.id) == ("THREAT-309", "redcanary-309-20261124100000264-20261124095800000")
    assert [each.agent_id for each in event.endpoints] == ["3" * 32]


def a_detection(own_id):
    return {"type": "Detection", "id": own_id, "attributes": {"headline": "[DEMO-1] x", "confirmed_at": LATER, "severity": "high"}}


@pytest.mark.parametrize("wrong", [None, "", True, 1.5, []])
def test_a_detection_without_an_id_is_refused(wrong):
    with pytest.raises(InvalidEvent) as raised:
        FORMATS["redcanary"](a_detection(wrong), customer="acme")
    assert raised.value.field == "id"


def test_a_detection_with_an_id_of_another_form_is_told_only():
    event = FORMATS["redcanary"](a_detection("a b"), customer="acme")
    assert event.told_only.startswith("id: is not an id ")


def test_in_the_execution_of_a_process_the_malware_is_the_actor():
    (event,) = case("cortex_the_actor_is_malware")
    assert said(event) == ["hash*", "file*", "process*"]
    assert [ioc.indicator.pid for ioc in event.iocs if ioc.indicator.type == "process"] == [4242]


def test_an_alert_of_a_firewall_has_no_endpoint_whatever_stands_as_its_id():
    (event,) = case("cortex_firewall_without_host")
    assert event.endpoints == ()
    assert "nothing can be isolated" in event.threat.summary
    assert isolations(event, a_context()).actions == ()
