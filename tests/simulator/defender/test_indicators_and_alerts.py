"""What a tenant keeps: indicators that must be well formed, and alerts that come late and in pages."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.simulator.defender.building import tenant

INDICATOR = {"indicatorValue": "evil.example", "indicatorType": "DomainName", "action": "Block", "title": "t", "description": "d"}


def an_alert(number, at, **more):
    return {"id": f"da{number}", "lastUpdateTime": at, "alertCreationTime": at, "status": "New", "evidence": [{"sha1": None}], **more}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": ""}, "MissingRequiredParameter"),
        ({"indicatorValue": "not a domain"}, "InvalidDomainName"),
        ({"indicatorType": "FileSha256"}, "InvalidHashValue"),
        ({"indicatorType": "Domain"}, "InvalidInput"),
        ({"action": "block"}, "InvalidInput"),
        ({"action": "Audit"}, "InvalidInput"),
    ],
)
def test_an_indicator_must_be_well_formed(acme, changes, code):
    answer = acme.call("POST", "/api/indicators", {**INDICATOR, **changes})
    assert (answer.status, answer.code) == (400, code)
    assert acme.simulation.world.tenant("acme").iocs == {}


def test_an_indicator_is_stored_changed_and_deleted(acme):
    first = acme.call("POST", "/api/indicators", INDICATOR)
    again = acme.call("POST", "/api/indicators", {**INDICATOR, "action": "Warn"})
    scoped = acme.call("POST", "/api/indicators", {**INDICATOR, "rbacGroupNames": ["Servers"]})
    assert (first.status, first.body["id"], again.body["id"], scoped.body["id"]) == (200, "1", "1", "2")
    assert acme.call("DELETE", "/api/indicators/1").status == 204
    assert acme.call("DELETE", "/api/indicators/1").status == 404


def test_an_import_hides_its_failures_in_a_success(acme):
    answer = acme.call("POST", "/api/indicators/import", {"Indicators": [INDICATOR, {**INDICATOR, "title": ""}]})
    assert (answer.status, [row["isFailed"] for row in answer.body["value"]]) == (200, [False, True])


def test_a_tenant_has_so_many_indicators_and_no_more():
    with tenant(most_indicators=1) as acme:
        assert acme.call("POST", "/api/indicators", INDICATOR).status == 200
        assert acme.call("POST", "/api/indicators", {**INDICATOR, "indicatorValue": "other.example"}).status == 400
        assert acme.call("POST", "/api/indicators", {**INDICATOR, "action": "Warn"}).status == 200


def alerts_since(acme, at, **query):
    return acme.call("GET", "/api/alerts", **{"$filter": f"lastUpdateTime ge {at}", **query})


def test_alerts_of_the_same_instant_stand_on_two_pages():
    with tenant(page_size=2) as acme:
        for number in range(3):
            acme.simulation.world.tenant("acme").add_alert(an_alert(number, "2026-11-24T10:00:00.1234567Z"))
        first = alerts_since(acme, "2026-11-24T10:00:00.1234567Z")
        link = urlsplit(first.body["@odata.nextLink"])
        assert first.ids + acme.call("GET", f"{link.path}?{link.query}").ids == ["da0", "da1", "da2"]


def test_an_alert_may_arrive_late_and_may_be_updated(acme):
    home = acme.simulation.world.tenant("acme")
    home.add_alert(an_alert(1, "2026-11-24T10:00:00.5Z"))
    home.add_alert(an_alert(2, "2026-11-24T09:00:00.0000000Z"))
    assert alerts_since(acme, "2026-11-24T10:00:00Z").ids == ["da1"]
    assert alerts_since(acme, "2026-11-24T09:00:00Z").ids == ["da1", "da2"]
    home.alerts[1]["lastUpdateTime"] = "2026-11-24T11:00:00Z"
    assert alerts_since(acme, "2026-11-24T10:30:00Z").ids == ["da2"]


def test_evidence_is_shown_only_if_asked_for_and_no_order_can_be(acme):
    acme.simulation.world.tenant("acme").add_alert(an_alert(1, "2026-11-24T10:00:00Z"))
    assert acme.call("GET", "/api/alerts").body["value"][0]["evidence"] == []
    assert acme.call("GET", "/api/alerts", **{"$expand": "evidence"}).body["value"][0]["evidence"] == [{"sha1": None}]
    assert acme.call("GET", "/api/alerts", **{"$orderby": "lastUpdateTime"}).code == "ODataError"
    assert acme.call("PATCH", "/api/alerts/da1", {"status": "Resolved"}).body["status"] == "Resolved"
    assert acme.call("PATCH", "/api/alerts/da1", {"status": "closed"}).code == "InvalidInput"
