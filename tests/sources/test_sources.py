"""Files in, events out: every record is an event or a refusal that names its place and field."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.threats import UNREADABLE_URL
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.builders import a_threat_published, sha256


def read(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return [(record.line, record.payload if record.problem is None else str(record.problem)) for record in records(io.BytesIO(raw))]


def test_ndjson_is_read_line_by_line():
    assert read('{"a":1}\n\n{"a":2}\r\n') == [(1, {"a": 1}), (3, {"a": 2})]


def test_a_bad_line_never_stops_the_good_ones():
    found = read('{"a":1}\nnonsense\n{"a":2}\n')
    assert [line for line, _ in found] == [1, 2, 3]
    assert found[1][1].startswith("line: is not JSON")


def test_a_bad_first_line_does_not_either():
    found = read('nonsense {\n{"a":2}\n')
    assert [line for line, _ in found] == [1, 2]
    assert found[1][1] == {"a": 2}


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1},{"a":2}]',
        '[\n {"a":1},\n {"a":2}\n]',
        '{"meta":{},"data":[{"a":1},{"a":2}]}',
        '{\n"resources":[{"a":1},{"a":2}]\n}',
        '{"@odata.context":"x","value":[{"a":1},{"a":2}]}',
        '{"results":[{"a":1},{"a":2}],"num_found":2}',
        '{"reply":{"total_count":2,"alerts":[{"a":1},{"a":2}]}}',
        '{"reply":[{"total_count":null,"alerts":[{"a":1}]},{"alerts":[{"a":2}]}]}',
        '{"reply":{"alerts":[{"a":1}]}}\n{"reply":{"alerts":[{"a":2}]}}',
    ],
)
def test_a_list_and_an_envelope_are_their_records(text):
    assert [payload for _, payload in read(text)] == [{"a": 1}, {"a": 2}]


def test_an_envelope_without_records_has_none_and_an_error_in_it_is_a_record():
    assert read('{"reply":[{"total_count":null,"alerts":[]}]}') == []
    assert read('{"reply":{"err_code":500}}') == [(1, {"err_code": 500})]
    assert read('{"reply":' * 900 + "1" + "}" * 900)


def test_one_object_over_many_lines_is_one_record():
    assert read(json.dumps({"a": 1, "b": {"c": 2}}, indent=2)) == [(1, {"a": 1, "b": {"c": 2}})]


def test_a_broken_document_is_one_refusal_with_its_line():
    (refusal,) = read('{\n  "a": 1,\n  oops\n}\n')
    assert (refusal[0], refusal[1].startswith("line: is not JSON")) == (3, True)


@pytest.mark.parametrize(
    "line",
    [b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff\xfe{}", b"[" * 100_000, b'{"a":"' + b"x" * 2**23 + b'"}'],
    ids=["nan", "twice", "utf8", "deep", "long"],
)
def test_what_two_readers_could_read_differently_is_refused(line):
    found = read(b'{"ok":1}\n' + line + b'\n{"ok":2}\n')
    assert [isinstance(payload, str) for _, payload in found] == [False, True, False]


def test_a_byte_order_mark_is_skipped():
    assert read(b'\xef\xbb\xbf{"a":1}\n') == [(1, {"a": 1})]


def test_an_empty_file_has_no_records():
    assert read("") == read("\n\n") == []


@given(st.binary(max_size=300))
def test_no_bytes_raise(raw):
    list(records(io.BytesIO(raw)))


def test_our_own_format_is_the_events_json():
    event = a_threat_published()
    assert FORMATS["event"](event.model_dump(mode="json"), customer=None) == event
    with pytest.raises(InvalidEvent, match="--customer says globex"):
        FORMATS["event"](event.model_dump(mode="json"), customer="globex")


def a_detection(**changes):
    detection = {
        "type": "Detection",
        "id": 9447,
        "attributes": {
            "headline": "[ACME-447] Malicious Software (Trojan)",
            "confirmed_at": "2026-11-04T01:47:43.956Z",
            "time_of_occurrence": "2017-06-27T17:33:23.131Z",
            "summary": "It ran.",
            "severity": "high",
            "classification": {"superclassification": "Malicious Software", "subclassification": ["Trojan"]},
        },
        "hostname": "victim",
        "links": {"self": {"href": "https://Acme.my.redcanary.co/openapi/v3/detections/9447"}},
    }
    return detection | changes


AN_ENDPOINT = {
    "attributes": {
        "hostname": "victim",
        "platform": "Windows",
        "sensor": {"id": "a" * 32, "product": "crowdstrike", "attributes": {"group": ["Remediate", "A, B"]}},
    }
}


def redcanary(customer=None, **changes):
    return FORMATS["redcanary"](a_detection(**changes), customer=customer)


def test_a_detection_is_a_published_threat():
    event = redcanary()
    assert (event.customer, event.id) == ("acme", "redcanary-9447-20261104014743956")
    assert (event.threat.id, event.threat.title) == ("THREAT-447", "Malicious Software (Trojan)")
    assert event.threat.classification == "Malicious Software (Trojan)"
    assert event.threat.url == "https://acme.my.redcanary.co/detections/9447"
    assert event.occurred_at.year == 2026


def test_without_a_sensor_nothing_is_selected_and_the_event_says_so():
    event = redcanary()
    assert event.endpoints == ()
    assert "nothing can be isolated" in event.threat.summary


def test_a_carried_endpoint_is_used_with_its_groups():
    (endpoint,) = redcanary(endpoints=[AN_ENDPOINT]).endpoints
    assert (endpoint.edr, endpoint.agent_id, endpoint.os) == (Vendor.CROWDSTRIKE, "a" * 32, OS.WINDOWS)
    assert endpoint.groups == {"Remediate", "A, B"}


@pytest.mark.parametrize(
    ("sensor", "field"),
    [
        ({"product": "crowdstrike"}, "endpoints.0.attributes.sensor.id: is missing"),
        ({"product": "crowdstrike", "id": "a b"}, "agent_id has not the form of one"),
        ({"id": "a" * 32, "product": "norton"}, "endpoints.0.attributes.sensor.product: is 'norton'"),
        ("norton", "endpoints.0.attributes.sensor: is not an object"),
    ],
)
def test_a_sensor_that_cannot_be_used_costs_its_endpoint_and_no_other(sensor, field):
    event = redcanary(endpoints=[{"attributes": {"hostname": "laptop", "sensor": sensor}}, AN_ENDPOINT])
    assert [each.hostname for each in event.endpoints] == ["victim"]
    assert [(each.kind, each.shown) for each in event.unread] == [("endpoint", "laptop")]
    assert field in event.unread[0].reason


def test_marked_indicators_are_confirmed_and_safe():
    marked = [
        {"attributes": {"primitives.file": {"attributes": {"sha256": sha256("x"), "md5": "0" * 32, "path": r"C:\x.exe"}}}},
        {"attributes": {"domain": {"name": "evil.example", "name_defanged": "evil[.]example"}}},
        {"attributes": {"registry_key": {"path": r"HKEY_LOCAL_MACHINE\Software\Evil"}}},
        {"attributes": {"ip": {"ip_address": "192.0.2.1", "ip_address_matches_rfc_1918?": False}}},
        {"relationships": {}, "links": {}},
        {"attributes": {"domain": {"name": "not a domain"}}},
        {"attributes": {"email": {"subject": "x"}}},
        "no object",
    ]
    event = redcanary(endpoints=[AN_ENDPOINT], marked_indicators_of_compromise=marked)
    assert [ioc.indicator.type for ioc in event.iocs] == ["hash", "file", "domain", "registry"]
    assert all(ioc.confirmed_malicious and ioc.safe_to_act and ioc.agent_id == "a" * 32 for ioc in event.iocs)
    assert [each.line for each in event.unread] == [
        "ip 192.0.2.1: IP address: not supported",
        "domain not a domain: not read: domain is not a domain name",
        "indicator email: not read: it names nothing that an action is known for",
        "indicator no object: not read: it is not an object",
    ]


def test_an_indicator_is_not_laid_on_one_endpoint_because_the_other_could_not_be_read():
    marked = [{"attributes": {"file": {"path": r"C:\x.exe"}}}]
    for endpoints, agent_id in (([AN_ENDPOINT], "a" * 32), ([AN_ENDPOINT, {"attributes": 5}], None)):
        event = redcanary(endpoints=endpoints, marked_indicators_of_compromise=marked)
        assert [ioc.agent_id for ioc in event.iocs] == [agent_id]


@pytest.mark.parametrize("name", ["endpoints", "marked_indicators_of_compromise"])
def test_what_is_no_list_costs_only_itself(name):
    event = redcanary(**{name: 5})
    assert [each.shown for each in event.unread] == ["5"]


@pytest.mark.parametrize("links", [None, {"self": {"href": "https://example.invalid/openapi/v3/detections/9447"}}])
def test_with_a_customer_named_a_link_that_is_no_portals_costs_only_the_link(links):
    event = redcanary("acme", links=links)
    assert (event.customer, event.threat.url) == ("acme", UNREADABLE_URL)


def test_joiners_in_a_headline_refuse_no_detection():
    headline = "[CASE-206] \u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb"
    event = redcanary(attributes={**a_detection()["attributes"], "headline": headline, "classification": "Trojan"})
    assert (event.threat.id, event.threat.title) == ("THREAT-206", "\u0645\u06cc \u062e \U0001f469 \U0001f4bb")
    assert event.threat.classification == "not classified"


def test_a_detection_is_numbered_by_its_id_where_the_headline_names_none():
    attributes = {**a_detection()["attributes"], "headline": None}
    found = [redcanary(id=number, attributes=attributes) for number in (9447, "9447")]
    assert [each.threat.id for each in found] == ["THREAT-9447"] * 2
    assert {each.threat.title for each in found} == {"Threat"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "Endpoint"}, "type"),
        ({"attributes": None}, "attributes"),
        ({"attributes": {**a_detection()["attributes"], "confirmed_at": None}}, "attributes.confirmed_at"),
        ({"links": None}, "links.self"),
        ({"links": {"self": {"href": "https://evil.example/"}}}, "links.self"),
    ],
)
def test_a_detection_that_is_not_one_names_the_field(changes, field):
    with pytest.raises(InvalidEvent) as raised:
        redcanary(**changes)
    assert raised.value.field == field


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_no_payload_raises_anything_but_a_refusal(payload):
    for reader in FORMATS.values():
        for record in (
            payload,
            a_detection(attributes=payload),
            a_detection(endpoints=[payload], marked_indicators_of_compromise=[payload]),
        ):
            try:
                reader(record, customer="acme")
            except InvalidEvent as refusal:
                assert refusal.field


def test_lines_behind_the_largest_document_are_read_where_the_first_line_is_bad():
    filler = b'"' + b"x" * (2**20 - 10) + b'"\n'
    stream = io.BytesIO(b"bad\n" + b'{"a": 1}\n' + filler * 66 + b'{"last": 1}\n')
    *_, last = records(stream)
    assert (last.line, last.payload, last.problem) == (69, {"last": 1}, None)
