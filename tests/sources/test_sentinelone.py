"""What SentinelOne is sure of, in all three shapes of its records."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources.sentinelone import read
from tests.builders import EVIL
from tests.edr.rigs.sentinelone import STAR
from tests.edr.rigs.sentinelone import THREAT as SENTINELONE
from tests.sources.samples import AT, MD5, SHA1, SHA256, changed, said

INFO, AGENT = "threatInfo", "agentRealtimeInfo"
FLAT = {
    "id": "4000000000000000002",
    "agentId": "1" * 19,
    "agentComputerName": "FIN-LT-07",
    "agentOsType": "macos",
    "threatName": "evil.exe",
    "classification": "Malware",
    "cloudVerdict": "black",
    "fileContentHash": SHA1,
    "fileSha256": None,
    "filePath": EVIL,
    "markedAsBenign": False,
    "createdAt": AT,
}


def event(*changes, record=SENTINELONE):
    return read(changed(record, *changes), customer="acme")


def test_a_malicious_threat_condemns_its_file():
    found = event()
    assert said(found) == ["hash*", "file*"]
    content, file = (ioc.indicator for ioc in found.iocs)
    assert (content.sha256, content.sha1, content.md5, file.path) == (SHA256, SHA1, None, EVIL)
    assert found.threat.url == "https://sentinelone.net/incidents/threats/4000000000000000001/overview"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidenceLevel", "suspicious"),
        ("confidenceLevel", "n/a"),
        ("confidenceLevel", None),
        ("isFileless", True),
        ("isValidCertificate", True),
    ],
)
def test_a_threat_that_is_not_surely_of_its_file_is_told_only(name, value):
    assert said(event(((INFO, name), value))) == ["hash", "file"]


def test_the_flat_shape_has_its_own_verdict():
    found = event(record=FLAT)
    assert (said(found), found.threat.severity, found.endpoints[0].os) == (["hash*", "file*"], "high", "macos")
    assert said(event((("cloudVerdict",), None), record=FLAT)) == ["hash", "file"]
    assert said(event((("isCertValid",), True), record=FLAT)) == ["hash", "file"]


def test_a_star_rule_that_is_a_verdict_condemns_the_process_alone():
    found = event(record=STAR)
    assert said(found) == ["hash", "file", "process*", "hash", "file", "domain", "registry"]
    content, _, process, *_, domain, key = (ioc.indicator for ioc in found.iocs)
    assert (content.sha256, content.md5, process.pid, process.image_path, process.sha256) == (SHA256, MD5, 4711, EVIL, SHA256)
    assert (domain.domain, key.key) == ("evil.example", r"HKLM\SOFTWARE\Evil")


@pytest.mark.parametrize(
    "change",
    [
        (("ruleInfo", "treatAsThreat"), "UNDEFINED"),
        (("ruleInfo", "treatAsThreat"), None),
    ],
)
def test_a_star_rule_that_is_none_condemns_nothing(change):
    assert "process" in said(event(change, record=STAR))


@pytest.mark.parametrize(("word", "severity"), [("malicious", "high"), ("suspicious", "medium"), ("n/a", "unknown")])
def test_confidence_is_taken_for_severity(word, severity):
    assert event(((INFO, "confidenceLevel"), word)).threat.severity == severity


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (((INFO,), None), "threatInfo"),
        (((INFO, "createdAt"), "string"), "threatInfo.createdAt"),
        (((AGENT,), "string"), "agentRealtimeInfo"),
        ((("id",), None), "id"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(change, field):
    with pytest.raises(InvalidEvent) as raised:
        event(change)
    assert raised.value.field == field
