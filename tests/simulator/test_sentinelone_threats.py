"""Threats and STAR alerts page by page, mitigation that is reported later, and scripts that take their time."""

from __future__ import annotations

import base64
import json

import pytest

from tests.simulator.sentinelone import AGENT, SCRIPT, a_threat, console

T1, T2, T3 = (f"2026-01-0{day}T00:00:00.000000Z" for day in (1, 2, 3))
EVIL = r"C:\evil.exe"
FIRST = str(4 * 10**18 + 1)


@pytest.fixture
def acme():
    alerts = [a_threat(1, T1), *(a_threat(number, T2) for number in (2, 3, 4)), a_threat(5, T3)]
    star = {
        "alertInfo": {"alertId": "7", "createdAt": T1, "updatedAt": T1},
        "sourceProcessInfo": {"pid": "4711"},
        "ruleInfo": {"severity": "High"},
    }
    with console(alerts=[*alerts, star]) as caller:
        yield caller


def pages(acme, since=T1, limit=2):
    query = {"createdAt__gte": since, "sortBy": "createdAt", "sortOrder": "asc", "limit": limit}
    while True:
        answer = acme.call("GET", "threats", **query)
        yield [one[-1] for one in answer.ids]
        cursor = answer.body["pagination"]["nextCursor"]
        if not cursor:
            return
        query["cursor"] = cursor


def test_equal_times_fall_on_both_sides_of_a_page(acme):
    assert list(pages(acme)) == [["1", "2"], ["3", "4"], ["5"]]


def test_a_late_threat_between_two_pages_shifts_nothing(acme):
    reading = pages(acme)
    assert next(reading) == ["1", "2"]
    acme.simulation.world.tenant("acme").add_alert(a_threat(9, T1))
    assert next(reading) == ["3", "4"]


def test_a_late_threat_is_older_than_the_time_of_the_last(acme):
    acme.simulation.world.tenant("acme").add_alert(a_threat(9, T1))
    assert "9" not in [one for page in pages(acme, since=T3) for one in page]
    assert "9" in [one for page in pages(acme) for one in page]


def test_a_mitigated_threat_is_updated(acme):
    assert acme.call("GET", "threats", updatedAt__gt=T3).data == []
    acme.call("POST", "threats/mitigate/quarantine", {"filter": {"ids": [FIRST]}})
    assert acme.call("GET", "threats", updatedAt__gt=T3).ids == [FIRST]


def test_star_alerts_are_a_list_of_their_own(acme):
    (row,) = acme.call("GET", "cloud-detection/alerts").data
    assert (row["alertInfo"]["alertId"], row["sourceProcessInfo"]["pid"]) == ("7", "4711")


@pytest.mark.parametrize(("style", "first"), [("at_once", ["pending"]), ("late", [])])
def test_a_quarantine_is_reported_when_it_has_ended(style, first):
    with console(alerts=[a_threat(1, T1)], mitigation_report=style) as acme:
        assert acme.call("POST", "threats/mitigate/quarantine", {"filter": {"ids": [FIRST]}}).data == {"affected": 1}
        assert [one["status"] for one in acme.call("GET", "threats").data[0]["mitigationStatus"]] == first
        acme.simulation.clock.advance(31)
        (report,) = acme.call("GET", "threats").data[0]["mitigationStatus"]
        assert (report["status"], report["actionsCounters"]["success"]) == ("success", 1)
        assert acme.effects() == [("quarantine_file", EVIL, True)]


def test_an_empty_filter_mitigates_every_threat(acme):
    assert acme.call("POST", "threats/mitigate/quarantine", {"filter": {}}).data == {"affected": 5}


def test_an_unknown_mitigation_is_refused(acme):
    assert acme.call("POST", "threats/mitigate/isolate", {"filter": {"ids": [FIRST]}}).codes == [4000010]


def an_order(verb="delete_file", **more):
    return (
        base64.urlsafe_b64encode(json.dumps({"order": "o", "verb": verb, "path": EVIL, "sha256": "", **more}).encode()).decode().rstrip("=")
    )


def test_a_task_goes_through_its_states_and_acts_once(acme):
    parent = acme.execute(an_order()).data["parentTaskId"]
    seen = [acme.task(parent)["status"]]
    for _ in range(3):
        acme.simulation.clock.advance(40)
        seen.append(acme.task(parent)["status"])
    assert seen == ["pending", "in_progress", "in_progress", "completed"]
    assert acme.effects() == [("delete_file", EVIL, True)]


def test_results_are_there_only_for_a_completed_task(acme):
    parent = acme.execute(an_order()).data["parentTaskId"]
    body = {"data": {"taskIds": [acme.task(parent)["id"]]}}
    assert acme.call("POST", "remote-scripts/fetch-files", body).data["download_links"] == []
    acme.simulation.clock.advance(90)
    assert len(acme.call("POST", "remote-scripts/fetch-files", body).data["download_links"]) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"scriptId": "1"}, 4040010), ({"outputDestination": "cloud"}, 4000010), ({"inputParams": ""}, 4000010)],
)
def test_an_execution_that_is_not_valid_is_refused(acme, changes, code):
    assert acme.execute(**changes).codes == [code]


def test_a_script_of_another_system_reaches_nobody(acme):
    acme.simulation.world.tenant("acme").facts["scripts"][SCRIPT]["osTypes"] = ["linux"]
    assert acme.execute().data["affected"] == 0


def test_a_guardrail_answers_without_a_task_until_somebody_decides():
    with console(guardrail=True) as acme:
        answer = acme.execute(an_order()).data
        assert (answer["parentTaskId"], answer["pending"]) == (None, True)
        path = f"remote-scripts/pending-executions/{answer['pendingExecutionId']}"
        assert acme.call("PUT", path, {"data": {"action": "maybe"}}).codes == [4000010]
        assert acme.call("PUT", path, {"data": {"action": "decline"}}).data == {"success": True}
        assert acme.call("PUT", path, {"data": {"action": "approve"}}).codes == [4040010]
        acme.simulation.clock.advance(200)
        assert acme.call("GET", "remote-scripts/pending-executions").data[0]["state"] == "declined"
        assert acme.effects() == []


def test_a_task_waits_for_its_agent_and_runs_when_it_is_back(acme):
    acme.simulation.world.change("acme", AGENT, online=False)
    parent = acme.execute(an_order()).data["parentTaskId"]
    acme.simulation.clock.advance(3600)
    assert acme.task(parent)["status"] == "pending"
    acme.simulation.world.change("acme", AGENT, online=True)
    acme.simulation.clock.advance(90)
    assert acme.task(parent)["status"] == "completed"
