"""Orders to Carbon Black Cloud that are lost, refused or answered by nothing, and where its key may go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from ar_workers.domain.errors import EndpointNotFound, Throttled, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.edr.carbon_black_cloud import Config
from ar_workers.simulator import Fault
from tests.edr.carbon_black_cloud.building import ASKED, acted
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.carbon_black_cloud import API_ID, ORG, SECRET, device_id


@pytest.mark.parametrize("verb", ["isolate", "ban_hash", "kill_process", "delete_file", "delete_registry_key"])
def test_a_receipt_that_was_lost_doubles_nothing(rig, verb):
    action = rig.action(verb)
    acted(rig, action)
    if verb == "isolate":
        acted(rig, action)
    assert rig.settled(action, None).sight is Sight.PRESENT
    assert len(rig.effects()) == 1


def test_a_throttled_address_is_left_alone(rig):
    rig.simulation.faults.add(rig.throttle)
    for _ in range(3):
        with pytest.raises(Throttled) as raised:
            rig.adapter.endpoint(device_id(FIRST))
        assert raised.value.retry_after > timedelta(seconds=25)
    assert len(rig.simulation.journal.requests()) == 1


def test_an_order_for_a_device_that_is_not_there_is_told_as_such(rig):
    del rig.simulation.world.tenant("acme").endpoints[device_id(FIRST)]
    with pytest.raises(EndpointNotFound):
        rig.adapter.perform(rig.action("isolate"), ASKED)
    with pytest.raises(EndpointNotFound):
        rig.adapter.observe(rig.action("kill_process"), None)


@pytest.mark.parametrize(
    ("verb", "path", "what"),
    [("ban_hash", "*/overrides", "without an id"), ("kill_process", "*/commands", "without a command")],
)
def test_an_acceptance_that_names_nothing_is_a_fault(rig, verb, path, what):
    action = rig.action(verb)
    seen = rig.adapter.observe(action, None)
    rig.simulation.faults.add(Fault(action="reply", status=200, body="{}", method="POST", path=path))
    with pytest.raises(VendorFault, match=what):
        rig.adapter.perform(action, seen)


@pytest.mark.parametrize(
    "url",
    [
        "http://defense.conferdeploy.net",
        "https://evil.example",
        "https://defense.conferdeploy.net.evil.example",
        "https://defense.conferdeploy.net:8443",
        "ftp://127.0.0.1",
    ],
)
def test_the_key_goes_nowhere_but_to_carbon_black(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, org_key=ORG, api_id=API_ID, api_secret_key=SECRET)


@pytest.mark.parametrize("org_key", ["", "../../x", "ABCD/1234", "ABCD 1234"])
def test_an_org_key_is_one_part_of_a_path(org_key):
    with pytest.raises(ValidationError):
        Config(base_url="https://defense.conferdeploy.net", org_key=org_key, api_id=API_ID, api_secret_key=SECRET)
