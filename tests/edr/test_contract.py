"""What every adapter promises, on every OS, for every verb."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import (
    AuthRefused,
    Denied,
    EndpointNotFound,
    EndpointOffline,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unsupported,
    VendorFault,
)
from ar_workers.domain.facts import Sight
from ar_workers.edr import ADAPTERS
from ar_workers.simulator import Fault
from tests.builders import agent_id, an_isolate
from tests.edr.rigs import RIGS, actions_on

SYSTEMS = (OS.WINDOWS, OS.MACOS, OS.LINUX)
CLAIMED = [(cell.edr, cell.verb, cell.os) for entry in ADAPTERS.values() for cell in entry.adapter.capabilities()]
NOT_CLAIMED = [(vendor, verb, os) for vendor in ADAPTERS for verb in ACTIONS for os in SYSTEMS if (vendor, verb, os) not in CLAIMED]


@pytest.fixture(params=sorted(RIGS))
def rig(request):
    with RIGS[request.param]() as found:
        yield found


def test_every_adapter_has_a_rig():
    assert set(RIGS) == set(ADAPTERS)


def settled(rig, action, receipt):
    """Let the pretend endpoint check in, then look."""
    rig.simulation.clock.advance(120)
    return rig.adapter.observe(action, receipt)


@pytest.mark.parametrize(("vendor", "verb", "os"), CLAIMED)
def test_what_it_performs_comes_true_once_and_nowhere_else(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = actions_on(os)[verb]
        if verb == "release":
            rig.simulation.world.change(rig.tenant, action.endpoint.agent_id, status="contained")
        before = rig.simulation.world.endpoint(rig.tenant, agent_id("NEIGHBOUR")).to_dict()
        seen = rig.adapter.observe(action, None)
        assert seen.sight is Sight.NOT_SO
        assert rig.writes() == []
        receipt = rig.adapter.perform(action, seen)
        assert len(rig.writes()) == 1
        assert settled(rig, action, receipt).sight is Sight.SO
        assert [effect for effect, _ in rig.effects()] == [verb]
        after = rig.simulation.world.endpoint(rig.tenant, agent_id("NEIGHBOUR")).to_dict()
        assert {**after, "last_seen": ""} == {**before, "last_seen": ""}


@pytest.mark.parametrize(("vendor", "verb", "os"), CLAIMED)
def test_performing_twice_changes_nothing(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = actions_on(os)[verb]
        if verb == "release":
            rig.simulation.world.change(rig.tenant, action.endpoint.agent_id, status="contained")
        seen = rig.adapter.observe(action, None)
        first = rig.adapter.perform(action, seen)
        second = rig.adapter.perform(action, seen)
        assert settled(rig, action, first).sight is Sight.SO
        assert rig.adapter.observe(action, second).sight is Sight.SO
        assert len(rig.effects()) == 1


@pytest.mark.parametrize(("vendor", "verb", "os"), NOT_CLAIMED)
def test_what_it_does_not_claim_is_refused_before_any_request(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = actions_on(os)[verb]
        with pytest.raises(Unsupported):
            rig.adapter.perform(action, None)
        with pytest.raises(Unsupported):
            rig.adapter.observe(action, None)
        assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("verb", ["isolate", "ban_hash", "kill_process"])
def test_an_expired_token_is_fetched_anew_and_the_call_made_once_more(rig, verb):
    action = actions_on(OS.WINDOWS)[verb]
    rig.adapter.observe(action, None)
    rig.simulation.clock.advance(4000)
    seen = rig.adapter.observe(action, None)
    rig.simulation.clock.advance(4000)
    if verb == "kill_process":  # the session has died with the token's time
        seen = rig.adapter.observe(action, None)
    rig.adapter.perform(action, seen)
    assert len(rig.effects()) == 1


ERRORS = [
    (Fault(action="reply", status=403, body='{"errors":[{"code":403,"message":"scope"}]}'), AuthRefused),
    (Fault(action="reply", status=401, body='{"errors":[{"code":401,"message":"bearer"}]}'), AuthRefused),
    (Fault(action="reply", status=400, body='{"errors":[{"code":400,"message":"bad id"}]}'), Denied),
    (Fault(action="reply", status=500, body='{"errors":[{"code":500,"message":"oops"}]}'), VendorFault),
    (Fault(action="reply", status=502, body="<html>Bad Gateway</html>"), VendorFault),
    (Fault(action="reply", status=503, body=""), VendorFault),
    (Fault(action="redirect", status=308, headers={"Location": "https://elsewhere.example/"}), Denied),
    (Fault(action="truncate"), OutcomeUnknown),
    (Fault(action="cut"), OutcomeUnknown),
    (Fault(action="reset_before"), OutcomeUnknown),
    (Fault(action="reset_after"), OutcomeUnknown),
    (Fault(action="hang_before", seconds=1.0), OutcomeUnknown),
    (Fault(action="hang_after", seconds=1.0), OutcomeUnknown),
]


@pytest.mark.parametrize(("fault", "expected"), ERRORS, ids=[f"{fault.action}-{fault.status}" for fault, _ in ERRORS])
@pytest.mark.parametrize("verb", ["isolate", "ban_hash", "kill_process"])
def test_what_goes_wrong_with_a_write_arrives_as_the_right_error(rig, verb, fault, expected):
    action = actions_on(OS.WINDOWS)[verb]
    seen = rig.adapter.observe(action, None)
    already = len(rig.simulation.journal.requests())
    rig.simulation.faults.add(Fault(**{**vars(fault), "method": "POST", "path": "/[!o]*"}))
    with pytest.raises(expected) as raised:
        rig.adapter.perform(action, seen)
    assert type(raised.value) is expected
    rig.simulation.journal.wait_for(lambda each: each.get("fault"), timeout=3)
    posts = [each for each in rig.simulation.journal.requests()[already:] if each["path"] != "/oauth2/token"]
    assert len(posts) == (2 if fault.status == 401 else 1)
    assert len(rig.effects()) <= 1
    assert "canary" not in str(raised.value)
    assert "?" not in str(raised.value)


def test_an_unreachable_vendor_has_seen_nothing(rig):
    seen = rig.adapter.observe(an_isolate(), None)
    rig.simulation.crowdstrike.stop()
    with pytest.raises(NotSent):
        rig.adapter.perform(an_isolate(), seen)


def test_a_throttled_call_says_how_long_to_stay_away(rig):
    at = int(time.time()) + 30
    fault = Fault(action="reply", status=429, headers={"X-RateLimit-RetryAfter": str(at)}, body="{}", path="/devices/*")
    rig.simulation.faults.add(fault)
    with pytest.raises(Throttled) as raised:
        rig.adapter.endpoint(agent_id("FIN-LT-07"))
    assert timedelta(seconds=25) < raised.value.retry_after <= timedelta(seconds=30)


def test_an_unknown_endpoint_is_not_found(rig):
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint("0" * 32)


def test_an_isolation_of_an_offline_endpoint_is_pending_until_it_returns(rig):
    action = an_isolate()
    rig.simulation.world.change(rig.tenant, action.endpoint.agent_id, online=False)
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert settled(rig, action, receipt).sight is Sight.PENDING
    rig.simulation.world.change(rig.tenant, action.endpoint.agent_id, online=True)
    assert settled(rig, action, receipt).sight is Sight.SO


@pytest.mark.parametrize("verb", ["kill_process", "delete_file", "delete_registry_key"])
def test_the_shell_of_an_offline_endpoint_is_offline_and_queues_nothing(rig, verb):
    action = actions_on(OS.WINDOWS)[verb]
    rig.simulation.world.change(rig.tenant, action.endpoint.agent_id, online=False)
    with pytest.raises(EndpointOffline):
        rig.adapter.observe(action, None)
    assert rig.writes() == []


def test_members_of_a_group_are_those_of_its_exact_name(rig):
    rig.simulation.world.change(rig.tenant, agent_id("NEIGHBOUR"), groups=["g2"])
    assert [each.hostname for each in rig.adapter.members("Remediate")] == ["FIN-LT-07"]
    with pytest.raises(Denied):
        list(rig.adapter.members("Remed"))


def test_no_secret_is_shown_by_the_adapter_or_the_journal(rig):
    rig.adapter.endpoint(agent_id("FIN-LT-07"))
    shown = repr(rig.adapter) + repr(vars(rig.adapter)) + repr(vars(rig.adapter._api)) + str(rig.simulation.journal.entries())
    assert "canary-secret" not in shown
