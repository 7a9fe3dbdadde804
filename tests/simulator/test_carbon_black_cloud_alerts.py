"""Alerts v7: the hidden window, its pages, and alerts that change or come late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ar_workers.simulator.clock import iso
from tests.simulator.carbon_black import ALERTS, organisation

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "carbon_black_cloud"


@pytest.fixture
def acme():
    with organisation() as caller:
        yield caller


def publish(acme, number, *, ago, **more):
    at = iso(acme.simulation.clock.now() - ago)
    row = {"id": f"a{number}", "backend_timestamp": at, "backend_update_timestamp": at, "type": "CB_ANALYTICS", "severity": 5, **more}
    return acme.simulation.world.tenant("acme").add_alert(row)


def search(acme, **criteria):
    criteria = {"rows": 100, "sort": [{"field": "backend_timestamp", "order": "ASC"}], **criteria}
    return acme.call("POST", f"{ALERTS}/_search", criteria)


def ids(answer):
    return [row["id"] for row in answer.body["results"]]


def test_what_is_older_than_two_weeks_does_not_show_by_itself(acme):
    publish(acme, 1, ago=15 * 86400)
    publish(acme, 2, ago=60)
    assert ids(search(acme)) == ["a2"]
    assert ids(search(acme, time_range={"range": "-3w"})) == ["a1", "a2"]


def test_pages_count_from_one_and_keep_equal_timestamps_in_order(acme):
    for number in range(5):
        publish(acme, number, ago=100).update(backend_timestamp=iso(1_700_000_000))
    window = {"start": iso(1_700_000_000), "end": iso(1_700_000_000)}
    pages = [ids(search(acme, rows=2, start=start, time_range=window)) for start in (1, 3, 5)]
    assert pages == [["a0", "a1"], ["a2", "a3"], ["a4"]]


def test_nothing_is_given_beyond_ten_thousand(acme):
    assert search(acme, rows=100, start=9_902).status == 500
    assert search(acme, rows=100, start=9_901).status == 200


def test_an_alert_that_comes_late_has_an_older_time(acme):
    publish(acme, 1, ago=60)
    cursor = acme.simulation.world.tenant("acme").alerts[0]["backend_timestamp"]
    publish(acme, 2, ago=300)
    after = {"start": cursor, "end": iso(acme.simulation.clock.now())}
    assert ids(search(acme, time_range=after)) == ["a1"]
    assert ids(search(acme)) == ["a2", "a1"]


def test_an_alert_that_changed_is_found_by_its_update(acme):
    publish(acme, 1, ago=600).update(backend_update_timestamp=iso(acme.simulation.clock.now() - 5), severity=9)
    publish(acme, 2, ago=600)
    assert ids(search(acme, criteria={"backend_update_timestamp": {"range": "-1m"}})) == ["a1"]
    assert ids(search(acme, criteria={"minimum_severity": 6})) == ["a1"]


def test_criteria_choose(acme):
    publish(acme, 1, ago=60, device_id=7)
    publish(acme, 2, ago=50, type="WATCHLIST", reason="mimikatz")
    assert ids(search(acme, criteria={"type": ["WATCHLIST"]})) == ["a2"]
    assert ids(search(acme, criteria={"device_id": [7]})) == ["a1"]
    assert ids(search(acme, query="mimikatz")) == ["a2"]
    assert ids(search(acme, sort=[{"field": "severity", "order": "DESC"}])) == ["a1", "a2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"criteria": {"type": ["cb_analytics"]}},
        {"criteria": {"hostname": ["x"]}},
        {"sort": [{"field": "name", "order": "ASC"}]},
        {"sort": [{"field": "severity", "order": "UP"}]},
        {"time_range": {"range": "2w"}},
        {"time_range": {"start": "2024-01-02T00:00:00Z", "end": "2024-01-01T00:00:00Z"}},
        {"time_range": {"start": "2024-01-02T00:00:00Z"}},
        {"start": "1"},
        {"query": "name:"},
    ],
)
def test_a_search_that_cannot_be_read_is_refused(acme, wrong):
    assert search(acme, **wrong).status == 400


def test_one_alert_is_read_by_its_id(acme):
    publish(acme, 1, ago=60)
    assert acme.call("GET", f"{ALERTS}/a1").body["id"] == "a1"
    assert acme.call("GET", f"{ALERTS}/a2").code == "NOT_FOUND"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded data lies beside the project, not in it")
def test_recorded_alerts_are_served_as_they_were(acme):
    recorded = json.loads((RECORDED / "alerts_v7.json").read_text())["results"]
    acme.simulation.world.tenant("acme").alerts.extend(recorded)
    years = {"start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    found = search(acme, time_range=years, criteria={"minimum_severity": 1})
    assert sorted(ids(found)) == sorted(row["id"] for row in recorded)
    assert found.body["results"][0] in recorded
