"""What every reader of a vendor's alerts promises: identity, refusals that name a field, and no other exception."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.automations.ioc_response import plan
from ar_workers.automations.threat_published import plan as isolations
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.events import load_event
from ar_workers.domain.threats import Severity
from ar_workers.sources import FORMATS
from ar_workers.sources.alerts import console
from tests.builders import a_context, a_policy
from tests.edr.rigs import SAMPLES
from tests.sources.samples import changed, said

EVERY = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def read(sample, *changes, customer="acme"):
    return FORMATS[sample.kind](changed(sample.record, *changes), customer=customer)


@EVERY
def test_an_alert_is_a_published_threat_of_its_endpoint(sample):
    event = read(sample)
    (endpoint,) = event.endpoints
    found = sample.record
    for part in sample.endpoint:
        found = found[part]
    assert (event.type, event.customer, event.threat.severity) == ("threat_published", "acme", Severity.HIGH)
    assert (endpoint.edr, endpoint.agent_id, endpoint.hostname.upper()) == (sample.kind, str(found), "FIN-LT-07")
    assert endpoint.os is (OS.UNKNOWN if sample.kind == "defender" else OS.WINDOWS)
    assert event.threat.id.startswith(f"{sample.kind}-")
    assert event.threat.url.startswith("https://")
    assert "token" not in event.threat.url
    assert all(ioc.agent_id == endpoint.agent_id for ioc in event.iocs)


@EVERY
def test_the_customer_must_be_given(sample):
    with pytest.raises(InvalidEvent, match="--customer") as raised:
        read(sample, customer=None)
    assert raised.value.field == "customer"


@EVERY
def test_an_alert_that_grew_is_a_new_event_of_the_same_threat(sample):
    first, grown = read(sample, (sample.sha256, None)), read(sample)
    assert first.threat.id == grown.threat.id
    assert first.id != grown.id
    assert first.iocs != grown.iocs


@EVERY
def test_an_alert_that_says_the_same_again_is_a_duplicate(sample):
    again = FORMATS[sample.kind](sample.record | {"assignedTo": "kim", "status": "in_progress"}, customer="acme")
    assert (again.id, again.checksum) == (read(sample).id, read(sample).checksum)


@EVERY
@pytest.mark.parametrize("nothing", [None, "", 0])
def test_without_the_endpoints_id_the_alert_is_told_and_selects_nothing(sample, nothing):
    changes = [(sample.endpoint, nothing)] + ([(("agent_id",), nothing)] if sample.kind == "crowdstrike" else [])
    event = read(sample, *changes)
    assert event.endpoints == ()
    assert "nothing can be isolated" in event.threat.summary
    assert {ioc.agent_id for ioc in event.iocs} == {None}


@EVERY
@pytest.mark.parametrize("wrong", [True, 1.5, [], {}, "a b", "a/../b"])
def test_an_id_of_an_endpoint_that_is_none_costs_the_endpoint_and_the_alert_is_told(sample, wrong):
    event = read(sample, (sample.endpoint, wrong))
    (unread,) = event.unread
    assert (event.endpoints, unread.kind, unread.reason) == ((), "endpoint", unread.reason)
    assert unread.reason.startswith("not read: agent_id ")
    assert [(skip.verb, skip.reason) for skip in isolations(event, a_context()).skips] == [("isolate", unread.reason)]


@EVERY
@pytest.mark.parametrize("wrong", ["string", "a" * 63, 5, ["a" * 64], {"a": "b"}])
def test_a_hash_that_cannot_be_read_costs_only_itself(sample, wrong):
    event = read(sample, (sample.sha256, wrong))
    assert [(each.kind, each.reason.partition("sha256")[0]) for each in event.unread] == [("hash", "not read: ")]
    assert {each.rstrip("*") for each in said(event)} >= {each.rstrip("*") for each in said(read(sample))} - {"hash"}


@EVERY
def test_a_title_is_one_printable_line(sample):
    hostile = "a\u202eb\nc" + "d" * 600
    event = read(sample, (sample.title, hostile))
    assert event.threat.title.startswith("a b c")
    assert len(event.threat.title) == 500


def places(value, path=()):
    """The path of everything inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


@EVERY
def test_what_is_told_only_becomes_no_action(sample):
    event = read(sample)
    groups = {endpoint.edr: frozenset({"Remediate"}) for endpoint in event.endpoints}
    seen = {endpoint.agent_id: endpoint.model_copy(update={"groups": {"Remediate"}, "os": OS.WINDOWS}) for endpoint in event.endpoints}
    found = plan(event, a_context(policy=a_policy(remediate_groups=groups), endpoints=seen))
    assert len(found.actions) + len(found.skips) == len(event.iocs)
    assert [skip.reason for skip in found.skips].count("not confirmed malicious") == len([word for word in said(event) if "*" not in word])


GONE = "<gone>"
ODD_TEXTS = [
    "string",
    "null",
    "0",
    "-1",
    "4711",
    "1e999",
    "0" * 64,
    "a" * 64,
    "10.0.0.1",
    "http://[",
    "//",
    "\\",
    "\ud800",
    "a\x00b",
    "HKLM\\x",
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(ODD_TEXTS)
ODD = st.just(GONE) | LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=5), LEAVES, max_size=3)
MUTATIONS = st.lists(st.tuples(st.integers(0, 10_000), ODD), min_size=1, max_size=5)


def mutated(record, mutations):
    copy = deepcopy(record)
    for number, value in mutations:
        paths = list(places(copy))
        if not paths:
            break
        *before, last = paths[number % len(paths)]
        holder = copy
        for part in before:
            holder = holder[part]
        if value == GONE:
            del holder[last]
        else:
            holder[last] = value
    return copy


@EVERY
@given(mutations=MUTATIONS)
def test_a_spoiled_alert_ends_as_an_event_or_as_a_refusal_that_names_a_field(sample, mutations):
    try:
        event = FORMATS[sample.kind](mutated(sample.record, mutations), customer="acme")
    except InvalidEvent as refusal:
        assert refusal.field
    else:
        assert load_event(event.model_dump_json()) == event


@EVERY
@given(payload=st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_what_is_no_alert_at_all_is_refused(sample, payload):
    with pytest.raises(InvalidEvent):
        FORMATS[sample.kind](payload, customer="acme")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://falcon.crowdstrike.com/a/b:c?x=1", "https://falcon.crowdstrike.com/a/b:c"),
        ("https://falcon.crowdstrike.com#x", "https://falcon.crowdstrike.com"),
        ("http://falcon.crowdstrike.com/a", "https://default.example/"),
        ("https://crowdstrike.com.evil.example/a", "https://default.example/"),
        ("https://evilcrowdstrike.com/a", "https://default.example/"),
        ("https://kim:pw@falcon.crowdstrike.com/a", "https://default.example/"),
        ("https://falcon.crowdstrike.com/" + "a" * 500, "https://default.example/"),
        ("falcon.crowdstrike.com/a", "https://default.example/"),
        (None, "https://default.example/"),
    ],
)
def test_a_link_is_taken_only_into_the_vendors_own_console(address, shown):
    assert console(address, "crowdstrike.com", default="https://default.example/") == shown
