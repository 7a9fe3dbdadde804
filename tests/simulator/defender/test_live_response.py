"""Live Response: how many at a time, what a command must name, and a result behind a link."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.simulator.defender.building import MID, OTHER, tenant


def test_a_machine_has_one_live_response_at_a_time_and_the_tenant_a_few():
    with tenant(live_sessions=1) as acme:
        assert acme.run().status == 201
        assert acme.run().code == "ActiveRequestAlreadyExists"
        assert acme.run(OTHER).status == 429


def test_live_responses_are_counted_by_the_minute():
    with tenant(live_responses_per_minute=1) as acme:
        assert [acme.run().status, acme.run().status] == [201, 429]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"type": "RunScript", "params": [{"key": "ScriptName", "value": "nowhere.ps1"}]}, "InvalidInput"),
        ({"type": "RunScript", "params": [{"key": "scriptName", "value": "ar_workers.ps1"}]}, "InvalidRequestBody"),
        ({"type": "RunScript", "params": []}, "InvalidRequestBody"),
        ({"type": "Remediate", "params": []}, "InvalidRequestBody"),
    ],
)
def test_a_command_must_be_known_and_its_script_in_the_library(acme, command, code):
    assert acme.run(MID, command).code == code


def test_a_script_of_another_platform_fails_on_the_machine(acme):
    order = acme.run(OTHER)
    acme.advance(20)
    row = acme.call("GET", f"/api/machineactions/{order.body['id']}").body
    assert (row["status"], row["commands"][0]["commandStatus"]) == ("Failed", "Failed")


def test_a_result_is_behind_a_link_that_expires_and_wants_no_token(acme):
    order = acme.run()
    path = f"/api/machineactions/{order.body['id']}/GetLiveResponseResultDownloadLink(index=0)"
    assert acme.call("GET", path).code == "ResourceNotFound"
    acme.advance(20)
    link = urlsplit(acme.call("GET", path).body["value"])
    target = f"{link.path}?{link.query}"
    assert acme.send("GET", target).body["exit_code"] == 1
    assert acme.send("GET", target, headers={"Authorization": f"Bearer {acme.token}"}).status == 403
    assert acme.send("GET", link.path).status == 403
    acme.advance(1801)
    assert acme.send("GET", target).status == 403


def test_no_secret_reaches_the_journal(acme):
    order = acme.run()
    acme.advance(20)
    link = urlsplit(acme.call("GET", f"/api/machineactions/{order.body['id']}/GetLiveResponseResultDownloadLink(index=0)").body["value"])
    acme.send("GET", f"{link.path}?{link.query}")
    written = json.dumps(list(acme.simulation.journal))
    assert [each for each in ("hush", acme.token, link.query.rpartition("sig=")[2]) if each in written] == []
