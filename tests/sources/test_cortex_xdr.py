"""WildFire's verdict, in all shapes of an alert."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources.cortex_xdr import read
from tests.builders import EVIL, sha256
from tests.edr.rigs.cortex_xdr import ALERT as CORTEX_XDR
from tests.sources.samples import EVIL_KEY, SHA256, TOOL, changed, said

EVENT = CORTEX_XDR["events"][0]
V2 = CORTEX_XDR | {"events": None, "agent_os_type": ["Windows", None], **{name: [value, None] for name, value in EVENT.items()}}
PLAIN = CORTEX_XDR | {"events": None, **EVENT}
SHAPES = pytest.mark.parametrize("record", [CORTEX_XDR, V2, PLAIN], ids=["v1", "v2", "plain"])


def event(*changes, record=CORTEX_XDR):
    return read(changed(record, *changes), customer="acme")


TOLD = ["hash", "file", "hash", "file", "process", "registry", "domain"]


@SHAPES
def test_wildfire_condemns_the_file_and_not_who_touched_it(record):
    found = event(record=record)
    assert said(found) == ["hash*", "file*", *TOLD[2:]]
    content, file, tool, _, process, key, domain = (ioc.indicator for ioc in found.iocs)
    assert (content.sha256, file.path, tool.sha256, process.image_path) == (SHA256, EVIL, sha256("tool"), TOOL)
    assert (process.pid, key.key, domain.domain) == (4711, EVIL_KEY.replace("HKEY_CURRENT_USER", "HKCU"), "evil.example")
    assert found.endpoints[0].os is OS.WINDOWS


@SHAPES
def test_the_shapes_say_the_same(record):
    assert event(record=record).id == event().id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "Behavioral Threat"),
        ("name", None),
    ],
)
def test_without_its_verdict_nothing_is_acted_on(name, value):
    assert said(event(((name,), value))) == TOLD


def test_a_process_that_is_the_file_is_condemned_with_it():
    started = {"action_process_os_pid": 7, "action_process_image_path": EVIL, "action_process_image_sha256": SHA256}
    assert said(event((("events",), [started]))) == ["hash*", "file*", "process*"]


def test_of_two_files_neither_is_condemned():
    two = [EVENT, EVENT | {"action_file_sha256": sha256("other"), "action_file_path": TOOL}]
    assert not any(ioc.safe_to_act for ioc in event((("events",), two)).iocs)


def test_lists_of_unequal_length_are_read_by_place():
    record = V2 | {"actor_process_os_pid": [7, 8], "actor_process_image_path": [TOOL], "dns_query_name": []}
    pids = [(ioc.indicator.pid, ioc.indicator.image_path) for ioc in event(record=record).iocs if ioc.indicator.type == "process"]
    assert pids == [(7, TOOL), (8, None)]


@pytest.mark.parametrize(
    ("word", "severity"), [("informational", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("unknown", "unknown")]
)
def test_severities_are_cortexs_words(word, severity):
    assert event((("severity",), word)).threat.severity == severity


@pytest.mark.parametrize(
    ("name", "value"),
    [("alert_id", None), ("events", "none")],
)
def test_a_field_that_cannot_be_read_is_named(name, value):
    with pytest.raises(InvalidEvent) as raised:
        event(((name,), value))
    assert raised.value.field == name


def test_an_alert_is_as_old_as_its_record_and_not_as_what_was_detected():
    assert event((("detection_timestamp",), 0)).occurred_at == event().occurred_at
    assert event((("local_insert_ts",), None)).occurred_at < event().occurred_at


@pytest.mark.parametrize("endpoint_id", [None, "192.0.2.7", "a" * 32])
@pytest.mark.parametrize("system", ["NO_HOST", "no_host", ["NO_HOST", None]])
def test_an_alert_of_a_firewall_has_no_endpoint(endpoint_id, system):
    assert event((("endpoint_id",), endpoint_id), (("agent_os_type",), system)).endpoints == ()


ACTOR = {
    "event_type": "Process Execution",
    "actor_process_os_pid": 7,
    "actor_process_image_path": EVIL,
    "actor_process_image_sha256": SHA256,
}
OF_V2 = CORTEX_XDR | {"events": None, **{name: [value] for name, value in ACTOR.items()}}


@pytest.mark.parametrize(
    "record", [CORTEX_XDR | {"events": [ACTOR]}, OF_V2, CORTEX_XDR | {"events": None, **ACTOR}], ids=["v1", "v2", "plain"]
)
def test_a_process_that_was_executed_is_the_malware_if_nothing_else_is_named(record):
    assert said(event(record=record)) == ["hash*", "file*", "process*"]


@pytest.mark.parametrize(
    "more",
    [
        {"event_type": "File Event"},
        {"event_type": None},
        {"action_process_image_sha256": sha256("other"), "action_process_image_path": TOOL},
        {"action_file_sha256": sha256("other"), "action_file_path": TOOL},
    ],
)
def test_who_acted_on_something_is_not_condemned(more):
    found = event((("events",), [ACTOR | more]))
    assert SHA256 not in {ioc.indicator.sha256 for ioc in found.iocs if ioc.indicator.type == "hash" and ioc.safe_to_act}
    assert "process*" not in said(found)
