"""What Defender's API answers: lists and names, machines and groups, refusals, and where credentials go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, EndpointNotFound, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.edr.defender import Config
from ar_workers.edr.defender.adapter import _os
from ar_workers.edr.defender.orders import instant, order
from ar_workers.simulator import Fault
from tests.edr.defender.building import NOT_SO, asked
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.defender import CID, defender, machine_id

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "recorded" / "defender"
ISOLATE = f"/api/machines/{machine_id(FIRST)}/isolate"


@pytest.mark.parametrize("name", ["lastUpdateDateTimeUtc", "lastUpdateTimeUtc"])
@pytest.mark.parametrize("empty", ["list", "404"])
def test_either_way_of_writing_is_read(name, empty):
    with defender(updated_name=name, empty_list=empty, page_size=1) as rig:
        for verb in ("isolate", "release"):
            action = rig.action(verb)
            assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT


def test_a_list_that_breaks_off_is_a_fault(rig):
    body = '{"value":[],"@odata.nextLink":"https://elsewhere.example/api/machineactions?$skip=1"}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/api/machineactions"))
    with pytest.raises(VendorFault, match="broke off"):
        rig.adapter.observe(rig.action("isolate"), None)


@pytest.mark.parametrize(
    ("platform", "os"),
    [
        ("Windows10", OS.WINDOWS),
        ("WindowsServer2019", OS.WINDOWS),
        ("macOS", OS.MACOS),
        ("Ubuntu", OS.LINUX),
        ("RedHatEnterpriseLinux", OS.LINUX),
        ("SomeDistributionOfTomorrow", OS.LINUX),
        ("Android", OS.UNKNOWN),
        ("iOS", OS.UNKNOWN),
        ("", OS.UNKNOWN),
    ],
)
def test_a_platform_is_a_family(platform, os):
    assert _os(platform) is os


def test_groups_may_be_those_of_rbac():
    with defender(group_by="rbac", page_size=1) as rig:
        assert rig.adapter.endpoint(machine_id(FIRST)).groups == {"Remediate"}
        assert len(list(rig.adapter.members("Remediate"))) == 2
        with pytest.raises(Denied):
            list(rig.adapter.members("Remed"))


def test_a_merged_record_is_no_endpoint(rig):
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).facts["machine"]["mergedIntoMachineId"] = "f" * 40
    with pytest.raises(EndpointNotFound, match="merged"):
        rig.adapter.endpoint(machine_id(FIRST))
    assert len(list(rig.adapter.members("Remediate"))) == 1


def test_an_action_on_a_machine_that_is_gone_is_denied(rig):
    action = rig.action("isolate")
    rig.change(decommissioned=True)
    with pytest.raises(Denied, match="ResourceNotFound"):
        rig.adapter.perform(action, NOT_SO)


def test_refused_credentials_are_not_asked_about_again(rig):
    rig.simulation.world.tenant("acme").credentials.clear()
    for _ in range(3):
        with pytest.raises(AuthRefused, match="AADSTS7000215"):
            rig.adapter.endpoint(machine_id(FIRST))
    assert len(rig.simulation.journal.requests(method="POST")) == 1


def test_the_vendors_own_id_of_a_refusal_is_told(rig):
    body = '{"error":{"code":"InvalidInput","message":"no","target":"|abc."}}'
    rig.simulation.faults.add(Fault(action="reply", status=400, body=body, path=ISOLATE))
    with pytest.raises(Denied, match=r"InvalidInput: no \[\|abc\.\]") as raised:
        rig.adapter.perform(rig.action("isolate"), NOT_SO)
    assert raised.value.code == "InvalidInput"


@pytest.mark.parametrize(
    "urls",
    [
        {"base_url": "http://api.security.microsoft.com"},
        {"base_url": "https://api.security.microsoft.com.evil.example"},
        {"base_url": "https://api.security.microsoft.com/elsewhere"},
        {"login_url": "https://evil.example"},
    ],
)
def test_credentials_go_nowhere_but_to_microsoft(urls):
    with pytest.raises(ValidationError):
        Config(tenant_id=CID, client_id="x", client_secret="y", **urls)


def test_a_token_is_for_the_cloud_that_is_asked():
    config = Config(tenant_id=CID, client_id="x", client_secret="y", base_url="https://api-gov.securitycenter.microsoft.us")
    assert config.scope == "https://api-gov.securitycenter.microsoft.us/.default"
    assert Config(tenant_id=CID, client_id="x", client_secret="y").scope == "https://api.securitycenter.microsoft.com/.default"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not here")
def test_recorded_answers_are_read(rig):
    found = order(json.loads((RECORDED / "machine_action.json").read_text()))
    assert (found.id, found.succeeded, found.updated) == ("action-123", True, datetime(2021, 1, 1, 0, 1, tzinfo=UTC))
    machines = json.loads((RECORDED / "machines.json").read_text())["value"]
    shown = [rig.adapter._endpoint(row) for row in machines]
    assert {each.os for each in shown} == {OS.WINDOWS}
    assert [each.agent_id for each in shown] == ["abc123def456", "def789ghi012"]
    assert shown[0].groups == {"Production", "Windows10"}
    alert = json.loads((RECORDED / "alerts.json").read_text())
    assert instant(alert["alertCreationTime"]) == datetime(2021, 1, 26, 20, 33, 57, 722023, tzinfo=UTC)
