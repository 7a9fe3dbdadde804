"""The twin speaks Falcon: proved with the vendor's own client."""

from __future__ import annotations

import time
import uuid

import pytest
from falconpy import IOC, HostGroup, Hosts, OAuth2, RealTimeResponse

from tests.builders import EVIL, agent_id, sha256
from tests.edr.rigs.crowdstrike import crowdstrike

AID = agent_id("FIN-LT-07")


@pytest.fixture
def rig():
    with crowdstrike(strict=False) as found:
        found.simulation.world.endpoint("acme", AID).check_in_delay = 0.2
        yield found


def logged_in(rig):
    found = OAuth2(client_id="the-client", client_secret="canary-secret", base_url=rig.simulation.twins["crowdstrike"].url)
    assert found.login()["status_code"] == 201
    return found


@pytest.fixture
def auth(rig):
    return logged_in(rig)


def test_a_token_is_given_and_revoked(rig, auth):
    assert auth.authenticated()
    assert auth.logout()["status_code"] == 200
    assert rig.simulation.journal.requests(path="/oauth2/revoke")


def test_wrong_credentials_are_forbidden(rig):
    wrong = OAuth2(client_id="the-client", client_secret="no", base_url=rig.simulation.twins["crowdstrike"].url)
    assert wrong.login()["status_code"] == 403


def test_hosts_are_found_and_contained(rig, auth):
    hosts = Hosts(auth_object=auth)
    assert hosts.query_devices_by_filter(filter="hostname:'FIN-LT-07'")["body"]["resources"] == [AID]
    answer = hosts.perform_action(action_name="contain", ids=[AID])
    assert (answer["status_code"], answer["body"]["resources"][0]["id"]) == (202, AID)
    assert hosts.get_device_details(ids=AID)["body"]["resources"][0]["status"] == "containment_pending"
    assert hosts.perform_action(action_name="contain", ids=[AID])["status_code"] == 409
    time.sleep(0.25)
    assert hosts.get_device_details(ids=AID)["body"]["resources"][0]["status"] == "contained"
    assert hosts.perform_action(action_name="lift_containment", ids=[AID])["status_code"] == 202


def test_an_unknown_host_is_not_contained(auth):
    assert Hosts(auth_object=auth).perform_action(action_name="contain", ids=["0" * 32])["status_code"] == 404


def test_headers_carry_limits_and_the_trace(auth):
    answer = Hosts(auth_object=auth).query_devices_by_filter()
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["x-ratelimit-limit"] == "6000"
    assert headers["x-cs-traceid"] == answer["body"]["meta"]["trace_id"]


def test_host_groups_and_their_members(auth):
    groups = HostGroup(auth_object=auth)
    found = groups.query_combined_host_groups()["body"]["resources"]
    assert {each["name"] for each in found} == {"Remediate", "remediate"}
    members = groups.query_combined_group_members(id="g1")["body"]["resources"]
    assert {each["hostname"] for each in members} == {"FIN-LT-07", "NEIGHBOUR"}
    assert groups.query_combined_group_members(id="nope")["status_code"] == 404


def an_indicator(**changes):
    defaults = {
        "type": "sha256",
        "value": sha256("x"),
        "action": "prevent",
        "severity": "high",
        "platforms": ["windows"],
        "applied_globally": True,
    }
    return defaults | changes


def test_indicators_are_created_once_found_changed_and_deleted(auth):
    ioc = IOC(auth_object=auth)
    created = ioc.indicator_create(body={"indicators": [an_indicator()]})
    assert created["status_code"] == 201
    assert ioc.indicator_create(body={"indicators": [an_indicator()]})["status_code"] == 400
    found = ioc.indicator_search(filter=f"type:'sha256'+value:'{sha256('x')}'")["body"]["resources"]
    assert found == [created["body"]["resources"][0]["id"]]
    assert ioc.indicator_update(body={"indicators": [{"id": found[0], "action": "detect"}]})["status_code"] == 200
    assert ioc.indicator_delete(ids=found)["status_code"] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "sha1", "value": "a" * 40},
        {"type": "domain", "value": "evil.example"},
        {"applied_globally": False},
        {"severity": ""},
        {"platforms": ["Windows"]},
    ],
)
def test_an_indicator_that_falcon_would_refuse_is_refused(auth, wrong):
    assert IOC(auth_object=auth).indicator_create(body={"indicators": [an_indicator(**wrong)]})["status_code"] == 400


def ran(rtr, session, base, text, *, acting=False):
    body = {"base_command": base, "command_string": text, "session_id": session, "device_id": AID}
    start = rtr.execute_active_responder_command if acting else rtr.execute_command
    check = rtr.check_active_responder_command_status if acting else rtr.check_command_status
    request = start(body=body)
    assert request["status_code"] == 201
    return check(cloud_request_id=request["body"]["resources"][0]["cloud_request_id"], sequence_id=0)["body"]["resources"][0]


def test_real_time_response_reads_and_acts(rig, auth):
    rtr = RealTimeResponse(auth_object=auth)
    opened = rtr.init_session(body={"device_id": AID, "queue_offline": False})
    assert opened["status_code"] == 201
    session = opened["body"]["resources"][0]["session_id"]
    assert rtr.init_session(body={"device_id": AID})["body"]["resources"][0]["session_id"] == session
    assert "4711" in ran(rtr, session, "ps", "ps")["stdout"]
    assert sha256(EVIL) in ran(rtr, session, "filehash", f'filehash "{EVIL}"')["stdout"]
    assert ran(rtr, session, "kill", "kill 4711", acting=True)["stderr"] == ""
    again = ran(rtr, session, "kill", "kill 4711", acting=True)
    assert (again["complete"], again["stderr"]) == (True, "Cannot find a process with the process identifier 4711.")
    rtr.delete_session(session_id=session)
    assert rig.simulation.journal.requests(method="DELETE")[0]["status"] == 204


def test_an_offline_host_has_no_session(rig, auth):
    rig.simulation.world.change("acme", AID, online=False)
    answer = RealTimeResponse(auth_object=auth).init_session(body={"device_id": AID, "queue_offline": False})
    assert answer["body"]["errors"][0]["code"] == 40401


def test_a_command_status_wants_a_uuid(auth):
    rtr = RealTimeResponse(auth_object=auth)
    assert rtr.check_command_status(cloud_request_id="nope", sequence_id=0)["status_code"] == 400
    assert rtr.check_command_status(cloud_request_id=str(uuid.uuid4()), sequence_id=0)["status_code"] == 404


def test_the_minutes_pool_is_shared_and_says_when_to_come_back():
    with crowdstrike(strict=False, requests_per_minute=3) as rig:
        hosts = Hosts(auth_object=logged_in(rig))
        answers = [hosts.query_devices_by_filter() for _ in range(4)]
    assert [each["status_code"] for each in answers] == [200, 200, 200, 429]
    headers = {name.lower(): value for name, value in answers[-1]["headers"].items()}
    assert time.time() < float(headers["x-ratelimit-retryafter"]) < time.time() + 62
