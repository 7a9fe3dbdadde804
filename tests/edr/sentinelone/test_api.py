"""What SentinelOne's console answers: whose endpoints it shows, the token, the envelope and the configured scope."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, EndpointNotFound, Throttled, VendorFault
from ar_workers.edr.sentinelone import Config
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.sentinelone import ACCOUNT, OTHER, sentinelone
from tests.edr.sentinelone.building import RECORDED, answer_with

# Whose endpoints


@pytest.mark.parametrize("scope", [{"scope": "account", "account_id": "7" * 18}, {"scope": "site", "site_id": "7" * 18}])
def test_an_endpoint_of_another_customer_is_not_found(scope):
    with sentinelone(config=scope) as rig, pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(rig.agent_id(FIRST))


@pytest.mark.parametrize("match", ["exact", "folded", "partial"])
def test_a_group_is_found_by_its_exact_name_however_the_console_compares(match):
    with sentinelone(name_match=match) as rig:
        rig.change(NEIGHBOUR, groups=[OTHER])
        assert [each.hostname for each in rig.adapter.members("Remediate")] == [FIRST]


def test_a_list_that_ends_before_its_total_is_a_fault(rig):
    answer_with(rig, "agents", {"data": [], "pagination": {"totalItems": 5, "nextCursor": None}})
    with pytest.raises(VendorFault, match="ended at 0 of 5"):
        list(rig.adapter.members("Remediate"))


def test_a_legacy_windows_is_windows_and_an_unknown_one_is_unknown(rig):
    shown = {"id": "1", "computerName": None, "groupName": None}
    assert [rig.adapter._endpoint({**shown, "osType": each}).os for each in ("windows_legacy", None)] == [OS.WINDOWS, OS.UNKNOWN]
    assert rig.adapter._endpoint(shown).hostname == "1"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_two_recorded_agents_of_one_name_are_two_endpoints(rig):
    rows = json.loads((RECORDED / "agents_same_name.json").read_text())["data"]
    found = [rig.adapter._endpoint(row) for row in rows]
    assert {(each.hostname, each.os, each.groups) for each in found} == {("Hostname1", OS.WINDOWS, frozenset({"Example Group"}))}


# The token and the envelope


def test_an_expired_token_is_refused_once_and_for_all(rig):
    rig.simulation.world.tenant("acme").facts["token_expires_at"] = 0.0
    with pytest.raises(AuthRefused):
        rig.adapter.endpoint(rig.agent_id(FIRST))
    assert len(rig.simulation.journal.requests()) == 1


def test_a_success_with_an_error_in_it_is_an_error(rig):
    answer_with(rig, "agents", {"data": None, "errors": [{"code": 5000010, "title": "Server Error"}]})
    with pytest.raises(VendorFault, match="Server Error"):
        rig.adapter.endpoint(rig.agent_id(FIRST))


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_a_recorded_envelope_with_an_empty_error_is_a_success(rig):
    answer_with(rig, "agents", json.loads((RECORDED / "alert.json").read_text()))
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(rig.agent_id(FIRST))


def test_the_limit_is_told_even_where_no_wait_is_named():
    with sentinelone(requests_per_minute=1, retry_after="none") as rig:
        rig.adapter.endpoint(rig.agent_id(FIRST))
        with pytest.raises(Throttled) as raised:
            rig.adapter.endpoint(rig.agent_id(FIRST))
        assert raised.value.retry_after is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://acme.sentinelone.net"},
        {"base_url": "https://acme.sentinelone.net.evil.example"},
        {"base_url": "https://evil.example/?.sentinelone.net"},
        {"scope": "account"},
        {"scope": "site", "account_id": ACCOUNT},
        {"scope": "everything"},
        {"scope": "tenant", "scripts": {"windows": "../1"}},
    ],
)
def test_a_config_that_could_reach_too_far_is_refused(wrong):
    with pytest.raises(ValidationError):
        Config(**({"base_url": "https://acme.sentinelone.net", "api_token": "x", "scope": "tenant"} | wrong))
