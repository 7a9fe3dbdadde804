"""Machines, their tags, and the orders they carry out, late or never."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from ar_workers.simulator.defender.files import sha1_of
from tests.builders import sha256
from tests.simulator.defender.building import MID, OTHER, tenant


def test_an_isolation_is_pending_then_in_progress_then_done(acme):
    order = acme.isolate()
    assert (order.status, order.body["status"], order.body["creationDateTimeUtc"][-2:]) == (201, "Pending", "7Z")
    acme.advance(6)
    assert acme.status(order) == "InProgress"
    assert acme.call("POST", f"/api/machineactions/{order.body['id']}/cancel", {"Comment": "c"}).status == 400
    acme.advance(6)
    assert acme.status(order) == "Succeeded"
    assert acme.simulation.world.endpoint("acme", MID).status == "contained"


@pytest.mark.parametrize(("duplicate", "status", "orders"), [("same", 201, 1), ("refused", 400, 1), ("late", 201, 2)])
def test_what_a_second_isolation_does_is_a_switch(duplicate, status, orders):
    with tenant(duplicate=duplicate) as acme:
        acme.isolate()
        assert acme.isolate().status == status
        assert len(acme.call("GET", "/api/machineactions").ids) == orders


def test_a_late_second_isolation_runs_after_a_release():
    with tenant(duplicate="late") as acme:
        acme.isolate()
        acme.isolate()
        acme.advance(20)
        acme.isolate(verb="unisolate")
        acme.advance(20)
        acme.call("GET", "/api/machineactions")
        assert acme.simulation.world.endpoint("acme", MID).status == "normal"
        acme.advance(700)
        acme.call("GET", "/api/machineactions")
        assert acme.simulation.world.endpoint("acme", MID).status == "contained"


def test_an_order_for_a_machine_that_stays_away_times_out_and_is_never_run(acme):
    acme.simulation.world.change("acme", MID, online=False)
    order = acme.isolate()
    acme.advance(3 * 86400 + 900)
    acme.token = ""
    assert acme.status(order) == "TimeOut"
    acme.simulation.world.change("acme", MID, online=True)
    acme.advance(60)
    assert acme.status(order) == "TimeOut"
    assert acme.simulation.world.endpoint("acme", MID).status == "normal"


def test_what_people_do_in_the_portal_is_on_record(acme):
    acme.simulation.world.change("acme", MID, status="contained")
    rows = acme.call("GET", "/api/machineactions", **{"$filter": f"machineId eq '{MID}' and type eq 'Isolate'"}).body["value"]
    assert [(row["status"], row["requestSource"]) for row in rows] == [("Succeeded", "Portal")]


@pytest.mark.parametrize("wrong", ["rbacGroupName eq 'x'", "nonsense", "id eq", "id eq 'x' or id eq 'y'"])
def test_a_filter_that_cannot_be_read_is_refused(acme, wrong):
    answer = acme.call("GET", "/api/machines", **{"$filter": wrong})
    assert (answer.status, answer.code) == (400, "ODataError")


def test_a_machine_is_found_by_its_name_in_lower_case(acme):
    assert acme.call("GET", "/api/machines", **{"$filter": "computerDnsName eq 'pc-1.corp.example'"}).ids == [MID]
    assert acme.call("GET", "/api/machines", **{"$filter": "startswith(computerDnsName,'pc-')"}).ids == [MID, OTHER]
    assert acme.call("GET", f"/api/machines/{OTHER}").body["osPlatform"] == "Ubuntu"


def test_pages_are_joined_by_links():
    with tenant(page_size=1) as acme:
        first = acme.call("GET", "/api/machines")
        link = urlsplit(first.body["@odata.nextLink"])
        second = acme.call("GET", f"{link.path}?{link.query}")
        assert (first.ids, second.ids, "@odata.nextLink" in second.body) == ([MID], [OTHER], False)


@pytest.mark.parametrize(("style", "hits"), [("exact", 0), ("folded", 1)])
def test_how_a_tag_matches_is_a_switch(style, hits):
    with tenant(tag_match=style) as acme:
        assert len(acme.call("GET", "/api/machines/findbytag", tag="remediate", useStartsWithFilter="false").ids) == hits
        assert len(acme.call("GET", "/api/machines/findbytag", tag="Reme", useStartsWithFilter="true").ids) == 1


def test_a_tag_is_set_and_taken_away(acme):
    for action, tags in (("Add", ["Remediate", "new"]), ("Remove", ["Remediate"])):
        assert acme.call("POST", f"/api/machines/{MID}/tags", {"Value": "new", "Action": action}).body["machineTags"] == tags


def test_a_file_is_quarantined_by_sha1_on_windows_only(acme):
    body = {"Comment": "c", "Sha1": sha1_of(sha256("evil"))}
    path = f"/api/machines/{MID}/StopAndQuarantineFile"
    assert acme.call("POST", path.replace(MID, OTHER), body).code == "OsPlatformNotSupported"
    assert acme.call("POST", path, {**body, "Sha1": "0" * 64}).code == "InvalidHashValue"
    assert acme.call("POST", path, body).status == 201
    assert acme.call("POST", path, body).code == "ActiveRequestAlreadyExists"
    acme.advance(20)
    acme.call("GET", "/api/machineactions")
    assert acme.simulation.world.endpoint("acme", MID).files == []
