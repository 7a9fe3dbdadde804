"""Live Response of Carbon Black Cloud: sessions that nobody joined, that are shared or have ended, and commands that take time."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.errors import AuthRefused, Denied, EndpointOffline, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.edr.carbon_black_cloud.live_response import SESSIONS
from ar_workers.simulator import Fault
from tests.edr.carbon_black_cloud.building import a_kill, acted, first
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.carbon_black_cloud import ORG, carbon_black_cloud, device_id

V6 = f"/appservices/v6/orgs/{ORG}"


def test_a_sensor_that_joins_late_is_offline_until_then_and_keeps_its_session():
    with carbon_black_cloud(session_delay=60) as rig:
        action = rig.action("kill_process")
        with pytest.raises(EndpointOffline, match="not joined"):
            rig.adapter.observe(action, None)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT
        assert len(rig.simulation.journal.requests(method="POST", path=f"{V6}/liveresponse/sessions")) == 1


@pytest.mark.parametrize("style", ["timeout", "gone"])
def test_a_session_that_nobody_joined_is_followed_by_another(style):
    with carbon_black_cloud(expired_session=style) as rig:
        action = rig.action("kill_process")
        rig.change(online=False)
        with pytest.raises(EndpointOffline):
            rig.adapter.observe(action, None)
        rig.simulation.clock.advance(930)
        rig.change(online=True)
        if style == "timeout":  # the same session is given back until it is forgotten
            with pytest.raises(EndpointOffline):
                rig.adapter.observe(action, None)
            rig.simulation.clock.advance(60)
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT


@pytest.mark.parametrize(("style", "expected"), [("same", None), ("new", None), ("conflict", VendorFault)])
def test_a_second_session_of_another_worker_is_read_both_ways(style, expected):
    with carbon_black_cloud(second_session=style) as rig:
        rig.adapter._api.post(SESSIONS, {"device_id": int(device_id(FIRST))})
        action = rig.action("kill_process")
        if expected:
            with pytest.raises(expected, match="no session"):
                rig.adapter.observe(action, None)
            return
        receipt = acted(rig, action)
        assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


@pytest.mark.parametrize(("status", "expected"), [(400, Denied), (403, AuthRefused)])
def test_live_response_that_is_switched_off_is_refused_for_good(status, expected):
    with carbon_black_cloud(live_response_off=status) as rig:
        first(rig).facts["live_response"] = False
        with pytest.raises(expected, match="not enabled"):
            rig.adapter.observe(rig.action("kill_process"), None)


def test_a_session_that_ended_before_the_order_took_nothing_and_is_opened_anew(rig):
    action = rig.action("delete_file")
    seen = rig.adapter.observe(action, None)
    rig.simulation.clock.advance(1000)
    with pytest.raises(EndpointOffline, match="session has ended"):
        rig.adapter.perform(action, seen)
    assert rig.effects() == []
    acted(rig, action)
    assert len(rig.effects()) == 1


def test_a_session_that_died_leaves_the_endpoint_itself_to_tell(rig):
    action = rig.action("kill_process")
    receipt = acted(rig, action)
    rig.simulation.clock.advance(1000)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_a_command_that_the_sensor_has_not_fetched_is_pending(rig):
    action = rig.action("kill_process")
    seen = rig.adapter.observe(action, None)
    rig.change(online=False)
    receipt = rig.adapter.perform(action, seen)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
    assert rig.effects() == []
    rig.change(online=True)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_a_command_that_takes_its_time_is_waited_for():
    with carbon_black_cloud(polls_until_complete=2, config={"patience": 5}) as rig:
        assert rig.adapter.observe(rig.action("kill_process"), None).sight is Sight.ABSENT


def test_a_command_that_takes_too_long_is_looked_for_again_later():
    with carbon_black_cloud(polls_until_complete=50) as rig, pytest.raises(VendorFault, match="in time"):
        rig.adapter.observe(rig.action("kill_process"), None)


def test_a_command_that_the_sensor_does_not_have_is_refused_before_it_is_sent(rig):
    body = json.dumps({"id": "1:1", "status": "ACTIVE", "supported_commands": ["get file"]})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, method="POST", path="*/sessions"))
    with pytest.raises(Denied, match="no command 'process list'"):
        rig.adapter.observe(a_kill(rig), None)
    assert rig.simulation.journal.requests(path=f"{V6}/liveresponse/sessions/1:1/commands") == []
