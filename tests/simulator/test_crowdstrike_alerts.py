"""Alerts and quarantined files, read with the vendor's own client as well."""

from __future__ import annotations

import pytest
from falconpy import Alerts, OAuth2, Quarantine, RealTimeResponse

from tests.simulator.worlds import AID, a_tenant, an_alert, falcon

T1, T2, T3 = (f"2026-01-0{day}T00:00:00.000000Z" for day in (1, 2, 3))
FILE = f"{AID}_{'c' * 64}"


@pytest.fixture
def acme():
    alerts = [an_alert(1, T1, device={"device_id": AID}), *(an_alert(number, T2) for number in (2, 3, 4)), an_alert(5, T3, product="idp")]
    quarantined = [{"id": FILE, "aid": AID, "sha256": "c" * 64, "state": "quarantined"}]
    with falcon(a_tenant(alerts=alerts, quarantined=quarantined)) as caller:
        yield caller


@pytest.fixture
def auth(acme):
    found = OAuth2(client_id="id", client_secret="hush", base_url=acme.simulation.twins["crowdstrike"].url)
    assert found.login()["status_code"] == 201
    return found


def pages(acme, since=T1, limit=2):
    query = {"filter": f"created_timestamp:>='{since}'", "sort": "created_timestamp|asc", "limit": limit}
    while True:
        answer = acme.call("POST", "/alerts/combined/alerts/v1", query)
        yield [one["composite_id"][-1] for one in answer.resources]
        query["after"] = answer.body["meta"]["pagination"].get("after")
        if not query["after"]:
            return


def test_equal_timestamps_fall_on_both_sides_of_a_page(acme):
    assert list(pages(acme)) == [["1", "2"], ["3", "4"], ["5"]]


def test_a_cursor_of_the_last_timestamp_sees_its_equals_again(acme):
    assert list(pages(acme, since=T2, limit=9)) == [["2", "3", "4", "5"]]


def test_a_late_alert_between_two_pages_shifts_nothing(acme):
    reading = pages(acme)
    assert next(reading) == ["1", "2"]
    acme.simulation.world.tenant("acme").add_alert(an_alert(9, T1))
    assert next(reading) == ["3", "4"]


def test_a_late_alert_is_older_than_the_cursor(acme):
    acme.simulation.world.tenant("acme").add_alert(an_alert(9, T1))
    assert ["9"] not in list(pages(acme, since=T3))
    assert "9" in [one for page in pages(acme) for one in page]


def test_an_unknown_page_is_refused(acme):
    assert acme.call("POST", "/alerts/combined/alerts/v1", {"after": "bm9wZQ=="}).status == 400


def test_the_vendors_client_reads_and_closes_alerts(acme, auth):
    alerts = Alerts(auth_object=auth)
    ids = alerts.query_alerts_v2(filter="status:'new'", sort="created_timestamp|asc")["body"]["resources"]
    rows = alerts.get_alerts_v2(composite_ids=ids)["body"]["resources"]
    assert ("device" in rows[0], "device" in rows[-1]) == (True, False)
    closed = alerts.update_alerts_v3(composite_ids=ids[:1], action_parameters=[{"name": "update_status", "value": "closed"}])
    assert closed["status_code"] == 200
    assert acme.effects() == [("update_alert", ids[0], True)]


def test_the_vendors_client_reads_alerts_page_by_page(auth):
    alerts = Alerts(auth_object=auth)
    first = alerts.get_alerts_combined(filter=f"created_timestamp:>='{T1}'", limit=3)["body"]
    rest = alerts.get_alerts_combined(filter=f"created_timestamp:>='{T1}'", limit=3, after=first["meta"]["pagination"]["after"])
    assert (len(first["resources"]), len(rest["body"]["resources"])) == (3, 2)


def test_the_vendors_client_releases_a_quarantined_file(acme, auth):
    quarantine = Quarantine(auth_object=auth)
    assert quarantine.query_quarantine_files(filter="state:'quarantined'")["body"]["resources"] == [FILE]
    assert quarantine.get_quarantine_files(ids=FILE)["body"]["resources"][0]["aid"] == AID
    assert quarantine.update_quarantined_detects_by_id(ids=FILE, action="release", comment="x")["status_code"] == 200
    assert quarantine.get_quarantine_files(ids=FILE)["body"]["resources"][0]["state"] == "release_pending"
    assert quarantine.update_quarantined_detects_by_id(ids=FILE, action="release", comment="x")["status_code"] == 200
    assert acme.effects() == [("release_file", "c" * 64, True), ("release_file", "c" * 64, False)]


def test_the_vendors_client_runs_a_batch(acme, auth):
    rtr = RealTimeResponse(auth_object=auth)
    batch = rtr.batch_init_sessions(host_ids=[AID])["body"]["batch_id"]
    done = rtr.batch_active_responder_command(batch_id=batch, base_command="kill", command_string="kill 7")
    assert done["body"]["combined"]["resources"][AID]["complete"] is True
    assert acme.effects() == [("kill_process", "7", True)]
