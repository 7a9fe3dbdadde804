"""What every adapter promises, on every OS, for every verb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.capabilities import Means
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, EndpointNotFound, EndpointOffline, NotSent, Throttled, Unsupported
from ar_workers.domain.facts import Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.indicators import Process, RegistryKey
from ar_workers.domain.leases import Lease, working_under
from ar_workers.domain.paths import image_name
from ar_workers.edr import ADAPTERS
from ar_workers.simulator.endpoints import Process as PretendProcess
from ar_workers.simulator.endpoints import StoredFile
from tests.builders import a_policy, sha256
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import ERRORS, FIRST, NEIGHBOUR

SYSTEMS = (OS.WINDOWS, OS.MACOS, OS.LINUX)
CELLS = [cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities()]
CLAIMED = [(cell.edr, cell.verb, cell.os) for cell in CELLS]
NOT_CLAIMED = [(vendor, verb, os) for vendor in ADAPTERS for verb in ACTIONS for os in SYSTEMS if (vendor, verb, os) not in CLAIMED]
#: One verb per way of asking is enough for what goes wrong on the wire.
ON_WINDOWS = [(vendor, verb) for vendor, verb, os in CLAIMED if os is OS.WINDOWS and verb in {"isolate", "ban_hash", "kill_process"}]
STARTED = datetime(2026, 11, 20, tzinfo=UTC)
LSASS = r"C:\Windows\System32\lsass.exe"
KILLERS = sorted({vendor for vendor, verb, _ in CLAIMED if verb == "kill_process"})
SHELL = [(cell.edr, cell.verb) for cell in CELLS if cell.means is Means.SHELL and cell.os is OS.WINDOWS]


@pytest.fixture(params=sorted(RIGS))
def rig(request):
    with RIGS[request.param]() as found:
        yield found


def test_every_adapter_has_a_rig():
    assert set(RIGS) == set(ADAPTERS)


def prepared(rig, verb, os):
    """The action, in a world where it is still to be done."""
    action = rig.action(verb, os)
    if verb == "release":
        rig.change(status="contained")
    return action


def looked_at(rig, action):
    """What shows beforehand; nothing was asked for by looking."""
    seen = rig.adapter.observe(action, None)
    assert seen.sight is (Sight.UNKNOWABLE if action.verb in rig.blind else Sight.ABSENT)
    if action.verb == "kill_process" and action.verb not in rig.blind:
        assert seen.image.casefold() == action.process.image_path.casefold()
    assert rig.written() == []
    return seen


@pytest.mark.parametrize(("vendor", "verb", "os"), CLAIMED)
def test_what_it_performs_comes_true_once_and_nowhere_else(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = prepared(rig, verb, os)
        before = rig.simulation.world.endpoint(rig.tenant, rig.agent_id(NEIGHBOUR)).to_dict()
        seen = looked_at(rig, action)
        receipt = rig.adapter.perform(action, seen)
        assert len(rig.written()) == 1
        assert rig.settled(action, receipt).sight is Sight.PRESENT
        assert [effect for effect, _ in rig.effects()] == [verb]
        after = rig.simulation.world.endpoint(rig.tenant, rig.agent_id(NEIGHBOUR)).to_dict()
        assert {**after, "last_seen": ""} == {**before, "last_seen": ""}


def a_kill_of(rig, image, os, **confirmed):
    """An order against a process that runs this image on the first endpoint, in which nothing but its pid tells which it is."""
    endpoint = rig.simulation.world.endpoint(rig.tenant, rig.agent_id(FIRST))
    endpoint.processes.append(PretendProcess(640, image, started=STARTED.isoformat()))
    endpoint.files.append(StoredFile(image))
    return rig.action("kill_process", os).model_copy(update={"process": Process(pid=640, **confirmed)})


@pytest.mark.parametrize(("image", "os"), [(LSASS, OS.WINDOWS), ("/sbin/launchd", OS.MACOS)])
@pytest.mark.parametrize("confirmed", [{"sha256": "of it"}, {"started_at": STARTED}], ids=["hash", "start"])
@pytest.mark.parametrize("vendor", KILLERS)
def test_a_vital_process_lives_whatever_confirms_it(vendor, confirmed, image, os):
    with RIGS[vendor](os) as rig:
        process = {**confirmed, **({"sha256": sha256(image)} if "sha256" in confirmed else {})}
        action = a_kill_of(rig, image, os, **process)
        seen = rig.adapter.observe(action, None)
        ruling = rule(action, a_policy(remediate_groups={vendor: frozenset({"Remediate"})}), [action.endpoint], seen)
        reason = ruling.reason
        if ruling.verdict is Verdict.ALLOW:
            fact = rig.settled(action, rig.adapter.perform(action, seen))
            assert fact.sight is Sight.MISMATCH
            reason = fact.evidence
        assert reason == f"vital process {image_name(image)}: never killed by automation"
        assert rig.simulation.world.endpoint(rig.tenant, rig.agent_id(FIRST)).process(640)
        assert rig.effects() == []


@pytest.mark.parametrize("vendor", KILLERS)
def test_a_vital_name_in_a_strange_place_is_killed(vendor):
    with RIGS[vendor]() as rig:
        image = r"C:\Users\kim\svchost.exe"
        action = a_kill_of(rig, image, OS.WINDOWS, sha256=sha256(image))
        seen = rig.adapter.observe(action, None)
        policy = a_policy(remediate_groups={vendor: frozenset({"Remediate"})})
        assert rule(action, policy, [action.endpoint], seen).verdict is Verdict.ALLOW
        assert rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.PRESENT
        assert rig.effects() == [("kill_process", "640")]


@pytest.mark.parametrize(("vendor", "verb"), ON_WINDOWS)
def test_a_worker_that_wakes_up_after_its_lease_asks_for_nothing(vendor, verb):
    with RIGS[vendor](OS.WINDOWS) as rig:
        action = prepared(rig, verb, OS.WINDOWS)
        seen = looked_at(rig, action)
        before = len(rig.simulation.journal.entries())
        with working_under(Lease(0.0, 0.0)), pytest.raises(NotSent, match="the lease is over"):
            rig.adapter.perform(action, seen)
        assert len(rig.simulation.journal.entries()) == before


@pytest.mark.parametrize(("vendor", "verb", "os"), CLAIMED)
def test_performing_twice_changes_nothing(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = prepared(rig, verb, os)
        seen = looked_at(rig, action)
        first = rig.adapter.perform(action, seen)
        second = rig.adapter.perform(action, seen)
        assert rig.settled(action, first).sight is Sight.PRESENT
        assert rig.settled(action, second).sight is (Sight.UNKNOWABLE if verb in rig.ambiguous else Sight.PRESENT)
        assert len(rig.effects()) == 1


@pytest.mark.parametrize(("vendor", "verb", "os"), NOT_CLAIMED)
def test_what_it_does_not_claim_is_refused_before_any_request(vendor, verb, os):
    with RIGS[vendor](os) as rig:
        action = rig.action(verb, os)
        with pytest.raises(Unsupported):
            rig.adapter.perform(action, None)
        with pytest.raises(Unsupported):
            rig.adapter.observe(action, None)
        assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize(("vendor", "verb"), ON_WINDOWS)
def test_an_expired_token_is_fetched_anew_and_the_call_made_once_more(vendor, verb):
    with RIGS[vendor]() as rig:
        if not rig.renews:
            pytest.skip("its key does not expire")
        action = rig.action(verb)
        rig.adapter.observe(action, None)
        rig.simulation.clock.advance(4000)
        seen = rig.adapter.observe(action, None)
        rig.simulation.clock.advance(4000)
        if verb == "kill_process":  # a session has died with the token's time
            seen = rig.adapter.observe(action, None)
        receipt = rig.adapter.perform(action, seen)
        rig.settled(action, receipt)
        assert len(rig.effects()) == 1


@pytest.mark.parametrize("name", sorted(ERRORS))
@pytest.mark.parametrize(("vendor", "verb"), ON_WINDOWS)
def test_what_goes_wrong_with_a_write_arrives_as_the_right_error(vendor, verb, name):
    fault, expected = ERRORS[name][0], None
    with RIGS[vendor]() as rig:
        expected = rig.expected(name)
        action = rig.action(verb)
        seen = rig.adapter.observe(action, None)
        rig.spoil_writes(fault)
        with pytest.raises(expected) as raised:
            rig.adapter.perform(action, seen)
        assert type(raised.value) is expected
        rig.simulation.journal.wait_for(lambda each: each.get("fault"), timeout=3)
        assert len(rig.written()) == (2 if fault.status == 401 and rig.renews else 1)
        assert len(rig.effects()) <= 1
        assert "canary" not in str(raised.value)
        assert "?" not in str(raised.value)


def test_an_unreachable_vendor_has_seen_nothing(rig):
    action = rig.action("isolate")
    seen = rig.adapter.observe(action, None)
    rig.server.stop()
    with pytest.raises(NotSent):
        rig.adapter.perform(action, seen)


def test_a_throttled_call_says_how_long_to_stay_away(rig):
    rig.adapter.endpoint(rig.agent_id(FIRST))
    rig.simulation.faults.add(rig.throttle)
    with pytest.raises(Throttled) as raised:
        rig.adapter.endpoint(rig.agent_id(FIRST))
    if rig.retry_after is None:
        assert raised.value.retry_after is None
    else:
        assert timedelta(seconds=rig.retry_after - 5) < raised.value.retry_after <= timedelta(seconds=rig.retry_after)


def test_an_unknown_endpoint_is_not_found(rig):
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(rig.nobody)


def test_an_isolation_of_an_offline_endpoint_is_pending_until_it_returns(rig):
    action = rig.action("isolate")
    rig.change(online=False)
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.settled(action, receipt, looks=3).sight is Sight.PENDING
    rig.change(online=True)
    assert rig.settled(action, receipt).sight is Sight.PRESENT
    assert len(rig.written()) == 1


@pytest.mark.parametrize(("vendor", "verb"), SHELL)
def test_an_offline_endpoint_keeps_the_order_or_is_told_to_be_offline_before_it(vendor, verb):
    with RIGS[vendor]() as rig:
        action = rig.action(verb)
        rig.change(online=False)
        if verb not in rig.queued:
            with pytest.raises(EndpointOffline):
                rig.adapter.perform(action, rig.adapter.observe(action, None))
            assert rig.written() == []
            return
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        assert rig.settled(action, receipt, looks=3).sight is Sight.PENDING
        rig.change(online=True)
        assert rig.settled(action, receipt).sight is Sight.PRESENT


@pytest.mark.parametrize("vendor", sorted({vendor for vendor, verb, _ in CLAIMED if verb == "delete_registry_key"}))
def test_a_key_of_the_signed_in_user_is_never_sought_in_the_sensors_own_hive(vendor):
    """Either its script looks into every user's hive, so that a look by SYSTEM is no answer, or it is refused."""
    with RIGS[vendor]() as rig:
        order = rig.action("delete_registry_key")
        action = order.model_copy(update={"registry": RegistryKey(key=r"HKCU\Software\Evil")})
        try:
            fact = rig.adapter.observe(action, None)
        except Unsupported as refusal:
            assert "HKU" in str(refusal)
            assert rig.simulation.journal.requests() == []
            return
        assert fact.sight is not Sight.PRESENT


def test_members_of_a_group_are_those_of_its_exact_name(rig):
    name, other, alike = rig.groups
    rig.change(NEIGHBOUR, groups=[other])
    assert [each.hostname for each in rig.adapter.members(name)] == [FIRST]
    assert rig.adapter.endpoint(rig.agent_id(FIRST)).groups == {name}
    with pytest.raises(Denied):
        list(rig.adapter.members(alike))


def test_no_secret_is_shown_by_the_adapter_or_the_journal(rig):
    rig.adapter.endpoint(rig.agent_id(FIRST))
    shown = repr(rig.adapter) + repr(vars(rig.adapter)) + repr(vars(rig.adapter._api)) + str(rig.simulation.journal.entries())
    assert [secret for secret in rig.secrets if secret in shown] == []


def test_its_limits_are_data(rig):
    assert rig.adapter.limits.rates
    assert rig.adapter.limits.on_429
    assert rig.adapter.limits.source
