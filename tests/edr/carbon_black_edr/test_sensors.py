"""The sensors of Carbon Black EDR: which of them are there, in which group, and on what system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import EndpointNotFound, EndpointOffline
from ar_workers.domain.facts import Sight
from ar_workers.edr.carbon_black_edr.adapter import _is_uninstalled, os_of
from ar_workers.simulator import Fault
from tests.builders import a_kill, an_endpoint, an_isolate
from tests.edr.carbon_black_edr.building import SEVEN
from tests.edr.rigs.base import NEIGHBOUR
from tests.edr.rigs.carbon_black_edr import carbon_black_edr

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "recorded" / "carbon_black_edr" / "sensors.json"


def test_an_uninstalled_sensor_is_not_found(rig):
    rig.change(decommissioned=True)
    with pytest.raises(EndpointNotFound):
        rig.adapter.observe(an_isolate(SEVEN), None)
    assert [each.hostname for each in rig.adapter.members("Remediate")] == [NEIGHBOUR]


@pytest.mark.parametrize("agent_id", ["07", "7.0", "FIN-LT-07", "7_0", "a..", "\u0667"])
def test_only_the_sensors_own_number_names_it(rig, agent_id):
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(agent_id)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("empty", [204, 200])
def test_an_empty_group_has_no_members(empty):
    with carbon_black_edr(empty_list=empty) as rig:
        assert list(rig.adapter.members("remediate")) == []


def test_a_group_that_the_token_may_not_see_goes_by_its_number(rig):
    del rig.simulation.world.tenant("acme").groups["1"]
    assert rig.adapter.endpoint("7").groups == {"1"}


@pytest.mark.parametrize(
    ("row", "os"),
    [
        ({"os_environment_display_string": "Windows 10 Server Enterprise (Evaluation), 64-bit"}, OS.WINDOWS),
        ({"os_environment_display_string": "Mac OSX 10.13.6", "os_type": 1}, OS.MACOS),
        ({"os_environment_display_string": "macOS 12.1"}, OS.MACOS),
        ({"os_environment_display_string": "CentOS 7"}, OS.LINUX),
        ({"os_environment_display_string": "Red Hat Enterprise Linux 8"}, OS.LINUX),
        ({"os_environment_display_string": "BeOS", "os_type": 1}, OS.UNKNOWN),
        ({"os_environment_display_string": None, "os_type": "1"}, OS.WINDOWS),
        ({"os_type": 2}, OS.UNKNOWN),
        ({"os_type": 4}, OS.UNKNOWN),
        ({}, OS.UNKNOWN),
    ],
)
def test_the_os_is_read_from_its_name_and_never_guessed(row, os):
    assert os_of(row) is os


@pytest.mark.skipif(not RECORDED.exists(), reason="no recorded data here")
def test_a_recorded_sensor_is_read(rig):
    rows = json.loads(RECORDED.read_text())
    assert [_is_uninstalled(row) for row in rows.values()] == [False, False]
    for row in rows.values():
        found = rig.adapter._endpoint(row)
        assert (found.agent_id, found.hostname, found.os, found.groups) == ("12", "MSEDGEWIN10", OS.WINDOWS, {"Remediate"})
    body = json.dumps(rows["pre_uninstall"])
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/api/v1/sensor/12"))
    twelve = an_endpoint(edr=Vendor.CARBON_BLACK_EDR, agent_id="12")
    assert rig.adapter.observe(an_isolate(twelve), None).sight is Sight.ABSENT
    with pytest.raises(EndpointOffline, match="12 is Offline"):
        rig.adapter.observe(a_kill(twelve), None)
