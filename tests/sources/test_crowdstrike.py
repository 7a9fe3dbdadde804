"""What Falcon says of a file, and what it does not."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.indicators import Process
from ar_workers.domain.threats import Severity
from ar_workers.sources.crowdstrike import read
from tests.builders import EVIL, sha256
from tests.edr.rigs.crowdstrike import ALERT as CROWDSTRIKE
from tests.sources.samples import MD5, SHA256, changed, said


def event(*changes):
    return read(changed(CROWDSTRIKE, *changes), customer="acme")


TOLD = ["hash", "file", "process", "domain", "registry"]
QUARANTINED = ["hash*", "file*", "process*", "domain", "registry"]


def test_a_quarantined_file_is_malicious_and_its_process_with_it():
    found = event()
    assert said(found) == QUARANTINED
    content, file, process, domain, key = (ioc.indicator for ioc in found.iocs)
    assert (content.sha256, content.sha1, content.md5) == (SHA256, None, MD5)
    assert (file.path, file.sha256) == (EVIL, SHA256)
    assert process == Process(pid=4711, image_path=EVIL, sha256=SHA256, started_at="2026-11-24T12:00:00Z")
    assert (domain.domain, key.key) == ("evil.example", r"HKU\S-1-5-21-1\Software\Evil")


def test_a_process_that_was_killed_has_no_malicious_image():
    found = event((("quarantined_files",), None), (("pattern_disposition_details",), {"kill_process": True, "quarantine_file": True}))
    assert said(found) == TOLD
    assert found.threat.severity is Severity.HIGH


@pytest.mark.parametrize("state", ["released", "release_pending"])
def test_a_file_that_is_released_is_not_acted_on_though_another_keeps_the_alert_open(state):
    other = {"id": f"{'a' * 32}_{sha256('other')}", "state": "quarantined"}
    found = event((("quarantined_files",), [CROWDSTRIKE["quarantined_files"][0] | {"state": state}, other]))
    assert said(found) == [*TOLD[:3], "hash*", *TOLD[3:]]


def verdicts(*changes):
    return {ioc.indicator.target: ioc.safe_to_act for ioc in event(*changes).iocs}


def test_another_quarantined_file_has_a_verdict_of_its_own():
    own, other = f"sha256:{SHA256}", f"sha256:{sha256('other')}"
    file = {"id": f"{'a' * 32}_{sha256('other')}", "state": "quarantined"}
    found = verdicts((("quarantined_files",), [file]))
    assert (found[own], found[other]) == (False, True)
    assert not any(verdicts((("quarantined_files",), [file | {"state": "unrelease_pending"}])).values())


@pytest.mark.parametrize(("number", "severity"), [(0, "low"), (39, "low"), (40, "medium"), (60, "high"), (100, "high"), ("70", "high")])
def test_severities_are_those_of_falcons_bands(number, severity):
    assert event((("severity",), number)).threat.severity == severity


@pytest.mark.parametrize("number", [None, -1, "High", True, [], -1.5])
def test_a_severity_that_is_none_is_unknown(number):
    found = event((("severity",), number))
    assert (found.threat.severity, found.told_only.partition(":")[0]) == (Severity.UNKNOWN, "severity")


def test_the_threat_is_named_by_the_alert_without_the_tenant():
    found = event()
    assert found.threat.id == f"crowdstrike-ind.{'a' * 32}.123-4-5"
    assert found.threat.url == f"https://falcon.us-2.crowdstrike.com/activity-v2/detections/{'c' * 32}:ind:1"
    assert found.threat.classification == "Malware (Malicious File)"


@pytest.mark.parametrize("wrong", [None, "", 7])
def test_an_alert_without_an_id_is_refused(wrong):
    with pytest.raises(InvalidEvent) as raised:
        event((("composite_id",), wrong))
    assert raised.value.field == "composite_id"


def test_an_identity_alert_has_no_device():
    found = event((("device",), None), (("agent_id",), None))
    assert found.endpoints == ()
    assert event((("device",), None)).endpoints[0].agent_id == "a" * 32


@pytest.mark.parametrize(
    ("kind", "value", "target"),
    [
        ("hash_sha256", sha256("other"), f"sha256:{sha256('other')}"),
        ("hash_md5", MD5[::-1], f"md5:{MD5[::-1]}"),
        ("domain", "hxxps://evil[.]example/x", "evil.example"),
        ("domain", "https://other.example:8443/x?y", "other.example"),
        ("domain", "https://good.example@other.example/", "other.example"),
        ("domain", "https://other.example\\@good.example/", "other.example"),
    ],
)
def test_what_triggered_the_alert_is_told_without_a_verdict(kind, value, target):
    assert verdicts((("ioc_type",), kind), (("ioc_value",), value), (("ioc_context",), None))[target] is False


@pytest.mark.parametrize("value", ["https://[", "https://192.0.2.1/x", "string", 7])
def test_a_domain_that_is_none_is_noted(value):
    found = event((("ioc_value",), value))
    assert [each.kind for each in found.unread] == ["domain"]
    assert "domain" not in said(found)
