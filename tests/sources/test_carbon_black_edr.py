"""Carbon Black EDR tells, and never condemns."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources.carbon_black_edr import read
from tests.builders import hash_of
from tests.edr.rigs.carbon_black_edr import ALERT as CARBON_BLACK_EDR
from tests.sources.samples import MD5, SHA256, changed, said


def event(*changes):
    return read(changed(CARBON_BLACK_EDR, *changes), customer="acme")


def test_nothing_of_a_hit_is_acted_on():
    found = event((("alert_severity",), 100))
    assert said(found) == ["hash", "file", "domain"]
    assert (found.iocs[0].indicator.sha256, found.iocs[0].indicator.md5) == (SHA256, MD5)
    assert "00000007-0000-1267-01d8-000000000001" in found.threat.summary


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("md5", hash_of("md5", "other"), ["hash", "file", "hash"]),
        ("sha256", SHA256, ["hash", "file"]),
        ("query", "process_name:x", ["hash", "file"]),
        ("ipv4", "192.0.2.1", ["hash", "file"]),
    ],
)
def test_what_was_hit_is_told(kind, value, found):
    assert said(event((("ioc_type",), kind), (("ioc_value",), value))) == found


@pytest.mark.parametrize(
    ("word", "os"), [("windows", OS.WINDOWS), ("osx", OS.MACOS), ("linux", OS.LINUX), ("beos", OS.UNKNOWN), (1, OS.UNKNOWN)]
)
def test_the_os_is_a_word(word, os):
    assert event((("os_type",), word)).endpoints[0].os is os


@pytest.mark.parametrize(("number", "severity"), [(0.0, "low"), (33.9, "low"), (34, "medium"), (67, "high"), (100.0, "high")])
def test_severities_are_thirds(number, severity):
    assert event((("alert_severity",), number)).threat.severity == severity


@pytest.mark.parametrize(("name", "value"), [("created_time", "2026-11-24 12:00:00"), ("unique_id", [])])
def test_a_field_that_cannot_be_read_is_named(name, value):
    with pytest.raises(InvalidEvent) as raised:
        event(((name,), value))
    assert raised.value.field == name


def test_a_number_that_came_as_text_is_the_sensors():
    assert event((("sensor_id",), "7")).endpoints == event().endpoints
