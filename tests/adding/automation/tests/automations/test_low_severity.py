"""Low severity: told where it is on several endpoints."""

from __future__ import annotations

from ar_workers.automations import plan_for
from ar_workers.domain.threats import Severity
from tests.builders import a_context, a_threat, a_threat_published, an_endpoint


def told(*hostnames):
    event = a_threat_published(threat=a_threat(severity=Severity.LOW), endpoints=tuple(map(an_endpoint, hostnames)))
    return [note.headline for note in plan_for(event, a_context()).notifications]


def test_a_low_threat_on_two_endpoints_is_told():
    assert "Low, on 2 endpoints: THREAT-1042" in told("PC-1", "PC-2")


def test_a_low_threat_on_one_endpoint_is_not():
    assert told("PC-1") == []
