"""What a reputation says of a file, and what a severity does not."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources.carbon_black_cloud import read
from tests.builders import EVIL, sha256
from tests.edr.rigs.carbon_black_cloud import ALERT as CARBON_BLACK_CLOUD
from tests.sources.samples import MD5, SHA256, changed, said

TOLD = ["hash", "file", "hash", "file", "process", "domain"]


def event(*changes):
    return read(changed(CARBON_BLACK_CLOUD, *changes), customer="acme")


def test_known_malware_is_malicious_and_what_it_started_is_not():
    found = event()
    assert said(found) == ["hash*", "file*", "hash", "file", "process*", "domain"]
    content, _, started, *_ = (ioc.indicator for ioc in found.iocs)
    process = found.iocs[4].indicator
    assert (content.sha256, content.md5, started.sha256) == (SHA256, MD5, sha256("tool"))
    assert (process.pid, process.image_path, process.sha256) == (4711, EVIL, SHA256)
    assert found.endpoints[0].hostname == "FIN-LT-07"
    assert found.threat.url == "https://defense-eu.conferdeploy.net/alerts"


@pytest.mark.parametrize(
    "words",
    [
        ("SUSPECT_MALWARE", "SUSPECT_MALWARE"),
        ("PUP", "NOT_LISTED"),
        (None, None),
        ("KNOWN_MALWARE", "COMPANY_WHITE_LIST"),
    ],
)
def test_any_other_reputation_is_no_verdict_however_severe_the_alert(words):
    reputation, effective = words
    found = event((("severity",), 10), (("process_reputation",), reputation), (("process_effective_reputation",), effective))
    assert said(found) == TOLD


def test_a_customers_ban_is_a_verdict():
    assert said(event((("process_reputation",), None), (("process_effective_reputation",), "COMPANY_BLACK_LIST")))[0] == "hash*"


def test_a_determination_gives_no_verdict():
    unlisted = [(("process_reputation",), None), (("process_effective_reputation",), None)]
    assert said(event((("determination",), {"value": "TRUE_POSITIVE"}), *unlisted)) == TOLD


def test_what_was_kept_from_running_has_a_verdict_of_its_own():
    changes = [
        (("blocked_sha256",), sha256("dropper")),
        (("blocked_effective_reputation",), "KNOWN_MALWARE"),
        (("blocked_name",), "dropper.exe"),
    ]
    assert said(event(*changes)) == ["hash*", "file*", "hash", "file", "hash*", "process*", "domain"]


def test_an_address_without_a_scheme_is_no_console():
    assert event((("alert_url",), "defense.conferdeploy.net/alerts?s=1")).threat.url == "https://defense.conferdeploy.net/alerts"


@pytest.mark.parametrize(("number", "severity"), [(1, "low"), (3, "low"), (4, "medium"), (6, "medium"), (7, "high"), (10, "high")])
def test_severities_are_bands_of_one_to_ten(number, severity):
    assert event((("severity",), number)).threat.severity == severity


@pytest.mark.parametrize(("name", "value"), [("backend_timestamp", "null"), ("id", 1.5), ("determination", "null")])
def test_a_field_that_cannot_be_read_is_named(name, value):
    with pytest.raises(InvalidEvent) as raised:
        event(((name,), value))
    assert raised.value.field == name
