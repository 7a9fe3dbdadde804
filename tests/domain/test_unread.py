"""What cannot be read of an event costs only itself, and says why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.events import MOST_ENDPOINTS, MOST_IOCS, MOST_UNREAD, load_event, parse_event
from ar_workers.domain.indicators import IOC
from ar_workers.domain.text import LONGEST_WHOLE, is_printable
from ar_workers.domain.unread import read_endpoint, read_ioc
from tests.builders import a_threat_published, an_endpoint, an_ioc, sha256
from tests.domain.test_text import ANYTHING

GOOD = an_ioc().model_dump(mode="json")
HASH = {"type": "hash", "sha256": sha256("x")}


def an_event(**changes):
    return a_threat_published(iocs=(an_ioc(),)).model_dump(mode="json") | changes


def with_ioc(entry):
    return parse_event(an_event(iocs=[GOOD, entry]))


@pytest.mark.parametrize(
    ("indicator", "line"),
    [
        ({"type": "file", "path": "C:\\a\\invoice\u202efdp.exe"}, r"file C:\a\invoice fdp.exe: not read: path has control, bidi or line-break characters"),
        ({"type": "domain", "domain": "hxxps://evil[.]1/x"}, "domain hxxps://evil[.]1/x: not read: domain is not a domain name"),
        ({"type": "domain", "domain": "203.0.113.7"}, "domain 203.0.113.7: IP address: not supported"),
        ({"type": "domain", "domain": "203[.]0.113.7"}, "domain 203[.]0.113.7: IP address: not supported"),
        ({"type": "domain", "domain": "*.evil.example"}, "domain *.evil.example: wildcard domain: not supported"),
        ({"type": "url", "url": "hxxp://203[.]0[.]113[.]7:8080/x"}, "url hxxp://203[.]0[.]113[.]7:8080/x: IP address: not supported"),
        ({"type": "domain", "domain": "http://[2001:db8::1]/x"}, "domain http://[2001:db8::1]/x: IP address: not supported"),
        ({"type": "domain", "domain": "203.0.113.0/24"}, "domain 203.0.113.0/24: IP address: not supported"),
        ({"type": "ip", "ip": "203.0.113.7"}, "ip 203.0.113.7: IP address: not supported"),
        ({"type": "mutex", "name": "Global\\x"}, r"mutex Global\x: unsupported: no action exists for an indicator of this type"),
        ({"type": "hash", "sha256": "zz"}, "hash zz: not read: sha256 has not the form of one"),
        ({"type": "process", "pid": -4}, "process -4: not read: pid should be greater than 0"),
        ({"sha256": "zz"}, "indicator zz: not read: indicator has no type"),
        ({**HASH, "b": 1, "a": 1}, f"hash {HASH['sha256']}: not read: a is a field that nobody knows"),
    ],
)  # fmt: skip
def test_an_odd_indicator_costs_only_itself_and_says_why(indicator, line):
    event = with_ioc({"indicator": indicator, "confirmed_malicious": True, "safe_to_act": True})
    assert (len(event.endpoints), event.iocs) == (1, (an_ioc(),))
    assert [each.line for each in event.unread] == [line]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (None, "indicator something of type NoneType: not read: it is not an object"),
        (5, "indicator 5: not read: it is not an object"),
        ([], "indicator something of type list: not read: it is not an object"),
        ({}, "indicator an object without a text: not read: indicator is missing"),
        (HASH, f"hash {HASH['sha256']}: not read: indicator is missing"),
        ({"indicator": HASH, "confirmed_malicious": []}, f"hash {HASH['sha256']}: not read: confirmed_malicious is neither true nor false"),
        ({"indicator": HASH, "safe_to_act": "maybe"}, f"hash {HASH['sha256']}: not read: safe_to_act is neither true nor false"),
        ({"indicator": HASH, "agent_id": "a b"}, f"hash {HASH['sha256']}: not read: agent_id has not the form of one"),
    ],
)
def test_anything_in_place_of_an_ioc_costs_only_itself(entry, line):
    assert [each.line for each in with_ioc(entry).unread] == [line]


def test_the_registry_as_powershell_writes_it_says_what_is_wanted():
    event = with_ioc({"indicator": {"type": "registry", "key": "HKLM:\\Software\\Evil"}})
    assert event.unread[0].reason.startswith("not read: key must start with one of HKCC,")


@pytest.mark.parametrize(
    ("endpoint", "line"),
    [
        ({"edr": "crowdstrike", "agent_id": "a b", "hostname": "H"}, "endpoint H: not read: agent_id has not the form of one"),
        ({"edr": "crowdstrike", "agent_id": ""}, "endpoint crowdstrike: not read: agent_id has not the form of one"),
        ({"edr": "mcafee", "agent_id": "a", "hostname": "a\u202eb"}, "endpoint a b: not read: edr should be "),
        (None, "endpoint something of type NoneType: not read: it is not an object"),
    ],
)
def test_an_odd_endpoint_costs_only_itself(endpoint, line):
    event = parse_event(an_event(endpoints=[endpoint, an_endpoint().model_dump(mode="json")]))
    assert event.endpoints == (an_endpoint(),)
    assert [each.line.startswith(line) for each in event.unread_endpoints] == [True]
    assert parse_event(an_event(endpoints=[endpoint])).endpoints == ()


@pytest.mark.parametrize("value", [5, "all", {}, True])
def test_what_is_no_list_is_one_thing_that_could_not_be_read(value):
    event = parse_event(an_event(iocs=value))
    assert (len(event.endpoints), event.iocs, [each.kind for each in event.unread]) == (1, (), ["indicator"])
    event = parse_event(an_event(endpoints=value))
    assert (event.endpoints, [each.kind for each in event.unread]) == ((), ["endpoint"])


def test_no_list_is_an_empty_one():
    event = parse_event(an_event(iocs=None, endpoints=None))
    assert (event.iocs, event.endpoints, event.unread) == ((), (), ())


def test_nobody_passes_an_indicator_off_as_an_endpoint():
    event = with_ioc({"indicator": {"type": "endpoint", "name": "x"}})
    assert (event.unread_endpoints, [each.kind for each in event.unread_indicators]) == ((), ["indicator"])


def test_the_unread_ones_are_counted_and_what_comes_behind_the_last_is_told():
    event = parse_event(an_event(iocs=[None, GOOD] * MOST_IOCS))
    assert len(event.iocs) + len(event.unread) == MOST_IOCS + 1
    assert event.unread[-1].line == f"indicator {MOST_IOCS} more: not read: one event has at most {MOST_IOCS}"


def test_too_many_endpoints_are_still_a_mistake():
    with pytest.raises(InvalidEvent, match="endpoints"):
        parse_event(an_event(endpoints=[None] * (MOST_ENDPOINTS + 1)))


def test_a_huge_indicator_is_not_copied_into_the_ledger():
    huge = "x" * 2**20
    entries = [
        {"indicator": {"type": huge, "a": huge}},
        {"indicator": {"type": "file", "path": huge}},
        huge,
        {huge: 1},
        {"indicator": {**HASH, huge: huge}},
    ]
    kept = parse_event(an_event(iocs=entries)).model_dump_json()
    assert len(kept) < 3 * LONGEST_WHOLE + 6_000


def test_the_longest_path_of_windows_is_shown_whole_and_a_longer_text_says_that_it_was_cut():
    paths = ["C:\\" + "a" * (32_767 - 3), "C:\\" + "a" * 10**6]
    event = parse_event(an_event(iocs=[{"indicator": {"type": "file", "path": path}} for path in paths]))
    assert event.unread[0].shown == paths[0]
    assert event.unread[1].shown.endswith("a… (cut: it has 1,000,003 characters)")
    assert load_event(event.model_dump_json()) == event


def test_an_event_with_odd_parts_survives_the_ledger_and_is_known_again():
    document = an_event(
        iocs=[GOOD, {"indicator": {"z": "1", "type": "mutex", "a": "2"}}, {"indicator": HASH, "y": 1, "x": 2}], endpoints=[5]
    )
    event = parse_event(document)
    kept = load_event(event.model_dump_json())
    again = parse_event(json.loads(json.dumps(document, sort_keys=True)))
    assert (kept, kept.checksum, again.checksum) == (event, event.checksum, event.checksum)
    assert parse_event(json.loads(event.model_dump_json())) == event
    assert event.checksum != parse_event(an_event(iocs=[GOOD], endpoints=[5])).checksum


def test_an_event_that_can_be_read_is_written_as_version_0_1_0_wrote_it():
    written = json.loads(a_threat_published(iocs=(an_ioc(),)).model_dump_json())
    assert set(written) == {"type", "id", "customer", "occurred_at", "threat", "endpoints", "iocs"}
    assert a_threat_published(iocs=(an_ioc(),)).checksum == "d404c6b4017773c0cc7c25b8d636e5a8"


def test_why_an_event_is_told_only_does_not_make_it_another_one():
    event = a_threat_published()
    first, again = event.to_be_told_only("since noon"), event.to_be_told_only("since one")
    assert (first.id, first.checksum) == (again.id, again.checksum) == ("ev-1-told", first.checksum)
    assert first.checksum != event.model_copy(update={"id": first.id}).checksum
    assert load_event(a_threat_published(id="x" * 128).to_be_told_only("old").model_dump_json()).told_only == "old"


@given(
    entry=ANYTHING
    | st.fixed_dictionaries(
        {
            "indicator": ANYTHING
            | st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["hash", "file", "domain", "registry", "process", "ip"]),
                    "path": ANYTHING,
                    "key": ANYTHING,
                    "domain": ANYTHING,
                    "pid": ANYTHING,
                }
            )
        }
    )
)
def test_whatever_stands_in_place_of_an_ioc_is_read_or_says_why(entry):
    found = read_ioc(entry)
    assert isinstance(found, IOC) or (found.kind and found.shown and found.reason and is_printable(found.line) and len(found.line) < 700)


@settings(max_examples=200)
@given(
    iocs=ANYTHING | st.lists(ANYTHING | st.just(GOOD), max_size=4),
    endpoints=ANYTHING | st.lists(ANYTHING, max_size=3),
    shown=st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "classification", "url", "summary"), ANYTHING)),
    hostname=ANYTHING,
)
def test_no_odd_part_refuses_an_event(iocs, endpoints, shown, hostname):
    good = an_endpoint().model_dump(mode="json") | {"hostname": hostname}
    endpoints = [good, *endpoints] if isinstance(endpoints, list) else endpoints
    threat = {"id": "T-1", "severity": "high", **shown}
    event = parse_event(an_event(iocs=iocs, endpoints=endpoints, threat=threat))
    assert load_event(event.model_dump_json()) == event
    assert isinstance(endpoints, list) == bool(event.endpoints)


def test_more_than_can_be_told_is_told_as_one():
    entry = {"kind": "file", "shown": "x", "reason": "odd"}
    event = parse_event(an_event(unread=[entry] * 5000, endpoints=[None], iocs=[GOOD]))
    assert (len(event.iocs), len(event.unread)) == (1, MOST_UNREAD)
    assert event.unread[-1].shown == f"{5001 - (MOST_UNREAD - 1)} more"
    assert load_event(event.model_dump_json()) == event


@pytest.mark.parametrize(
    ("odd", "os", "groups"),
    [
        ({"os": "Windows "}, "windows", {"Remediate"}),
        ({"os": "templeos"}, "unknown", {"Remediate"}),
        ({"os": ["windows"]}, "unknown", {"Remediate"}),
        ({"groups": [1, None]}, "windows", None),
        ({"groups": "Remediate"}, "windows", None),
        ({"groups": ["Remediate", "\ud800"]}, "windows", None),
        ({"ip": "192.0.2.1"}, "windows", {"Remediate"}),
    ],
)
def test_what_an_endpoint_says_of_itself_oddly_is_asked_of_its_edr(odd, os, groups):
    entry = {"edr": "crowdstrike", "agent_id": "a1", "hostname": "FIN-1", "os": "windows", "groups": ["Remediate"]} | odd
    found = read_endpoint(entry)
    assert (found.agent_id, found.os, found.groups) == ("a1", os, groups)
