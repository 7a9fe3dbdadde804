"""An alert that is graded in no way that we know, or that has an id of another form: people are told, and nothing is acted on."""

from __future__ import annotations

import pytest

from ar_workers.automations import plan_for
from ar_workers.domain.notifications import Audience
from ar_workers.domain.threats import Severity
from ar_workers.sources import FORMATS
from tests.builders import a_context, a_policy, an_endpoint
from tests.edr.rigs import SAMPLES
from tests.sources.samples import changed
from tests.sources.test_sources import a_detection

#: Where each format has its severity, and where its id.
GRADED = {
    "crowdstrike": ("severity",),
    "defender": ("severity",),
    "sentinelone": ("threatInfo", "confidenceLevel"),
    "star": ("ruleInfo", "severity"),
    "carbon_black_cloud": ("severity",),
    "carbon_black_edr": ("alert_severity",),
    "cortex_xdr": ("severity",),
}
NAMED = {
    "crowdstrike": ("composite_id",),
    "defender": ("id",),
    "sentinelone": ("id",),
    "star": ("alertInfo", "alertId"),
    "carbon_black_cloud": ("id",),
    "carbon_black_edr": ("unique_id",),
    "cortex_xdr": ("alert_id",),
}
LEAD = f"automated-lead:{'a' * 32}:{'c' * 64}"


def read(name, *changes, customer="acme"):
    sample = SAMPLES[name]
    return FORMATS[sample.kind](changed(sample.record, *changes), customer=customer)


def planned(event):
    groups = {endpoint.edr: frozenset({"Remediate"}) for endpoint in event.endpoints}
    seen = {each.agent_id: an_endpoint(edr=each.edr, agent_id=each.agent_id) for each in event.endpoints}
    return plan_for(event, a_context(policy=a_policy(remediate_groups=groups), endpoints=seen))


def is_told_and_not_acted_on(event):
    plan = planned(event)
    (note,) = [each for each in plan.notifications if each.audience is Audience.TRE]
    assert ("Not acted on", event.told_only) in note.facts
    return plan.actions == () and len(plan.skips) == len(event.endpoints) + len(event.iocs)


def test_every_vendors_samples_are_asked():
    assert set(GRADED) == set(NAMED) == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("word", [None, "Catastrophic", "", [], True, {"value": 9}, "\u202eHigh"])
def test_what_nobody_graded_is_told_with_the_reason_and_not_acted_on(name, word):
    event = read(name, (GRADED[name], word))
    assert event.threat.severity is Severity.UNKNOWN
    assert event.told_only.startswith(f"{'.'.join(GRADED[name])}: is ")
    assert event.told_only.endswith(": told, not acted on")
    assert is_told_and_not_acted_on(event)


@pytest.mark.parametrize("word", [None, "critical", 3])
def test_a_detection_is_told_likewise(word):
    detection = a_detection()
    event = FORMATS["redcanary"](changed(detection, (("attributes", "severity"), word)), customer=None)
    assert event.threat.severity is Severity.UNKNOWN
    assert event.told_only.startswith("attributes.severity: is ")
    assert is_told_and_not_acted_on(event)


@pytest.mark.parametrize(
    ("name", "word"),
    [("cortex_xdr", "unknown"), ("defender", "UnSpecified"), ("sentinelone", "n/a"), ("sentinelone", "undefined")],
)
def test_a_vendors_own_word_for_not_graded_isolates_nothing(name, word):
    assert is_told_and_not_acted_on(read(name, (GRADED[name], word)))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("wrong", ["a b", LEAD, "{5c0ffee}", "x" * 4000, "\u202e/../x", "\ud800", "-1"])
def test_an_id_of_another_form_is_told_and_stays_its_own(name, wrong):
    event, again = (read(name, (NAMED[name], wrong)) for _ in range(2))
    assert event == again
    assert event.threat.id not in {read(name).threat.id, read(name, (NAMED[name], wrong + "y")).threat.id}
    assert "is not an id of at most 90" in event.told_only
    assert is_told_and_not_acted_on(event)


def test_an_id_of_another_form_is_shown_whole():
    assert LEAD in read("defender", (("id",), LEAD)).threat.summary


def test_what_people_have_closed_is_closed_whatever_is_doubtful_about_it():
    event = read("defender", (("status",), "Resolved"), (("severity",), None), (("id",), LEAD))
    assert (event.type, event.threat.severity) == ("threat_closed", Severity.UNKNOWN)


def test_an_automated_lead_and_a_signal_without_a_severity_are_told():
    lead = {
        "agent_id": "3" * 32,
        "composite_id": f"{'a' * 32}:automated-lead:{'a' * 32}:{'c' * 64}",
        "created_timestamp": "2026-11-28T21:40:18.773856000Z",
        "device": {"device_id": "3" * 32},
        "display_name": "case-03 at 2026-11-28",
        "score": 21,
        "type": "automated-lead",
        "is_closed": True,
    }
    signal = {**lead, "composite_id": f"{'a' * 32}:ind:{'3' * 32}:1778476399892133183-6002-19793424", "type": "signal", "filename": "ps"}
    found = [FORMATS["crowdstrike"](each, customer="acme") for each in (lead, signal)]
    assert [each.threat.severity for each in found] == [Severity.UNKNOWN] * 2
    assert all(map(is_told_and_not_acted_on, found))
    assert len({each.threat.id for each in found}) == 2
