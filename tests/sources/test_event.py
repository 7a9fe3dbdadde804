"""Our own format: one odd part of an event costs only itself, all the way into the ledger."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.sources.event import read
from tests.builders import a_threat_published, an_endpoint, an_ioc
from tests.fakes import FakeEDR, some_services

ODD_IOCS = [
    ({"type": "file", "path": "C:\\Users\\kim\\invoice\u202efdp.exe"}, "delete_file"),
    ({"type": "domain", "domain": "203.0.113.7"}, "ban_domain"),
    ({"type": "ip", "ip": "203.0.113.7"}, "act_on"),
    ({"type": "registry", "key": "HKLM:\\Software\\Evil"}, "delete_registry_key"),
    ({"type": "domain", "domain": "*.evil.example"}, "ban_domain"),
    ({"type": "domain", "domain": "\u2603.example"}, "ban_domain"),
    (None, "act_on"),
]


def a_record(**changes):
    return json.loads(a_threat_published(iocs=(an_ioc(),)).model_dump_json()) | changes


def worked_off(record):
    services = some_services(edr=FakeEDR({an_endpoint().agent_id: an_endpoint()}))
    ingest(services.ledger, services.doorbell, [read(record, customer="acme")])
    services.doorbell.answer(services)
    return services.edrs["acme", "crowdstrike"].effects, services.ledger.rows("acme", "THREAT-1042")


def told(rows):
    return [row.verb for row in rows if row.kind == "delivery" and row.state is State.DONE]


@pytest.mark.parametrize(("indicator", "verb"), ODD_IOCS)
def test_an_odd_indicator_keeps_nothing_from_being_done_and_is_recorded(indicator, verb):
    odd = {"indicator": indicator, "confirmed_malicious": True, "safe_to_act": True, "agent_id": an_endpoint().agent_id}
    record = a_record()
    effects, rows = worked_off(record | {"iocs": [odd, *record["iocs"]]})
    assert [effect for effect, _ in effects] == ["isolate", "ban_hash"]
    (skipped,) = (row for row in rows if row.state is State.SKIPPED)
    assert skipped.verb == verb
    assert skipped.reason.startswith(("not read: ", "IP address: not supported", "wildcard domain: not supported"))
    assert told(rows) == ["slack", "pagerduty"]


def test_an_event_whose_only_endpoint_is_odd_is_told_and_says_so():
    effects, rows = worked_off(a_record(endpoints=[{"edr": "crowdstrike", "agent_id": "a b", "hostname": "FIN-LT-07"}], iocs=[]))
    assert effects == []
    assert [(row.verb, row.subject, row.state) for row in rows if row.kind == "action"] == [("isolate", "FIN-LT-07", State.SKIPPED)]
    assert told(rows) == ["slack", "pagerduty"]


@pytest.mark.parametrize("odd", ["", None, "x" * 10_000, "\U0001f469\u200d\U0001f4bb", "a\u202eb", 5])
def test_what_is_only_shown_keeps_nothing_from_being_done(odd):
    record = a_record()
    record["threat"] |= {"title": odd, "classification": odd, "url": odd, "summary": odd}
    record["endpoints"][0]["hostname"] = odd
    effects, rows = worked_off(record)
    assert [effect for effect, _ in effects] == ["isolate", "ban_hash"]
    assert told(rows) == ["slack", "pagerduty"]
