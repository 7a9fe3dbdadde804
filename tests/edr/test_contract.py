"""What every adapter promises, on every OS, for every verb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.capabilities import Means
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import Denied, EndpointNotFound, EndpointOffline, NotSent, Throttled, Unreadable, Unsupported
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.indicators import File, Process, RegistryKey
from ar_workers.domain.leases import Lease, working_under
from ar_workers.domain.paths import image_name
from ar_workers.domain.verbs import UNDOES
from ar_workers.edr import ADAPTERS
from ar_workers.simulator.endpoints import Process as PretendProcess
from ar_workers.simulator.endpoints import StoredFile
from tests.builders import EVIL, a_policy, sha256
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import ERRORS, FIRST, NEIGHBOUR, evil_on
from tests.edr.rigs.sentinelone import a_threat_of

SYSTEMS = (OS.WINDOWS, OS.MACOS, OS.LINUX)
CELLS = [cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities() if cell.means is not Means.NONE]
CLAIMED = [(cell.edr, cell.verb, cell.os) for cell in CELLS]
NOT_CLAIMED = [(vendor, verb, os) for vendor in ADAPTERS for verb in ACTIONS for os in SYSTEMS if (vendor, verb, os) not in CLAIMED]
#: One verb per way of asking is enough for what goes wrong on the wire.
ON_WINDOWS = [(vendor, verb) for vendor, verb, os in CLAIMED if os is OS.WINDOWS and verb in {"isolate", "ban_hash", "kill_process"}]
STARTED = datetime(2026, 11, 20, tzinfo=UTC)
NOTHING = Fact(sight=Sight.ABSENT)
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
    elif verb in UNDOES:
        _, receipt = rig.done(UNDOES[verb], os)
        action = action.model_copy(update={"made": receipt})
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


#: How sensors and vendors write the path of the malicious file.
BELOW = EVIL.removeprefix("C:")
BY_DEVICE = "\\Device\\HarddiskVolume3" + BELOW
FORMS = {
    "device": BY_DEVICE,
    "device in capitals": BY_DEVICE.upper(),
    "global root": "\\\\?\\GLOBALROOT" + BY_DEVICE,
    "verbatim": "\\\\?\\" + EVIL,
    "object manager": "\\??\\" + EVIL,
}
ANOTHER_VOLUME = "\\Device\\HarddiskVolume9" + BELOW
#: Whose shell does not tell which drive a device is.
TELLS_NO_DRIVE = {Vendor.CARBON_BLACK_CLOUD, Vendor.CARBON_BLACK_EDR}


def a_kill_by(rig, image, **more):
    wish = {"pid": 4711, "image_path": image, "sha256": sha256(EVIL)} | more
    return rig.action("kill_process").model_copy(update={"process": Process(**wish)})


def an_order_on(rig, verb, path, **content):
    return rig.action(verb).model_copy(update={"file": File(path=path, **(content or {"sha256": sha256(EVIL)}))})


def asked(rig, action):
    """What became of it: the fact at its end, or the refusal."""
    try:
        seen = rig.adapter.observe(action, None)
        return seen if seen.sight in {Sight.MISMATCH, Sight.PRESENT} else rig.settled(action, rig.adapter.perform(action, seen))
    except (Unsupported, Denied) as refusal:
        return refusal


@pytest.mark.parametrize(
    "form", [*FORMS.values(), ANOTHER_VOLUME, "evil.exe", r"C:\renamed.exe"], ids=[*FORMS, "unknown", "bare", "renamed"]
)
@pytest.mark.parametrize("vendor", KILLERS)
def test_a_process_is_killed_by_its_hash_whatever_its_path_is_called(vendor, form):
    with RIGS[vendor]() as rig:
        assert asked(rig, a_kill_by(rig, form)).sight is Sight.PRESENT
        assert rig.effects() == [("kill_process", "4711")]


@pytest.mark.parametrize("vendor", KILLERS)
def test_a_process_on_a_volume_without_a_letter_is_not_killed_by_its_path_alone_unless_the_endpoint_tells_the_drive(vendor):
    with RIGS[vendor]() as rig:
        fact = asked(rig, a_kill_by(rig, ANOTHER_VOLUME, sha256=None))
        assert (fact.sight, rig.effects()) == (Sight.MISMATCH, [])


@pytest.mark.parametrize("vendor", KILLERS)
def test_a_process_of_another_content_lives_whatever_its_path_is_called(vendor):
    with RIGS[vendor]() as rig:
        fact = asked(rig, a_kill_by(rig, BY_DEVICE, sha256=sha256("other")))
        assert (fact.sight, rig.effects()) == (Sight.MISMATCH, [])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("vendor", sorted({vendor for vendor, verb, _ in CLAIMED if verb == "delete_file"}))
def test_a_file_is_deleted_where_the_endpoint_tells_the_drive_and_else_it_is_said_that_it_does_not(vendor, form):
    with RIGS[vendor]() as rig:
        action = an_order_on(rig, "delete_file", FORMS[form])
        became = asked(rig, action)
        if vendor in TELLS_NO_DRIVE and "HARDDISKVOLUME" in action.file.path.upper():
            assert isinstance(became, Unsupported)
            assert "cannot tell which drive \\Device\\HarddiskVolume3 is".casefold() in str(became).casefold()
            assert rig.effects() == []
        else:
            assert (became.sight, [verb for verb, _ in rig.effects()]) == (Sight.PRESENT, ["delete_file"])


@pytest.mark.parametrize("vendor", sorted({vendor for vendor, verb, _ in CLAIMED if verb == "delete_file"}))
def test_a_file_on_a_volume_that_the_endpoint_does_not_know_is_never_called_absent(vendor):
    with RIGS[vendor]() as rig:
        became = asked(rig, an_order_on(rig, "delete_file", ANOTHER_VOLUME))
        assert "drive" in (str(became) if isinstance(became, Unsupported) else became.evidence)
        assert isinstance(became, Unsupported) or became.sight is Sight.MISMATCH
        assert rig.effects() == []


@pytest.mark.parametrize("verb", ["kill_process", "delete_file", "quarantine_file"])
@pytest.mark.parametrize("volume", ["\\Device\\HarddiskVolume3\\Windows", "\\\\?\\C:\\Windows", "\\SystemRoot", "%SystemRoot%"])
@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_what_is_vital_is_left_alone_by_every_name_before_any_request(vendor, volume, verb):
    with RIGS[vendor]() as rig:
        path = volume + "\\System32\\lsass.exe"
        action = a_kill_by(rig, path) if verb == "kill_process" else an_order_on(rig, verb, path)
        assert (
            rule(action, a_policy(remediate_groups={vendor: frozenset({"Remediate"})}), [action.endpoint], NOTHING).verdict
            is Verdict.REFUSE
        )
        assert isinstance(asked(rig, action), (Unsupported, Denied))
        assert rig.simulation.journal.requests() == []


QUARANTINERS = sorted({vendor for vendor, verb, _ in CLAIMED if verb == "quarantine_file"})


@pytest.mark.parametrize("name", ["C:\\$Recycle.Bin\\S-1-5-21-1\\$RABC.exe", "C:\\Users\\o'neil\\it's.exe", "C:\\a & b;c\\x.exe"])
@pytest.mark.parametrize("vendor", QUARANTINERS)
def test_a_file_is_quarantined_whatever_is_in_its_name(vendor, name):
    with RIGS[vendor]() as rig:
        for each in (FIRST, NEIGHBOUR):
            rig.simulation.world.endpoint(rig.tenant, rig.agent_id(each)).files.append(StoredFile(name))
        if vendor is Vendor.SENTINELONE:
            rig.simulation.world.tenant(rig.tenant).alerts.append(a_threat_of(FIRST, name, 3))
        action = an_order_on(rig, "quarantine_file", name, sha256=sha256(name))
        assert (
            rule(action, a_policy(remediate_groups={vendor: frozenset({"Remediate"})}), [action.endpoint], NOTHING).verdict is Verdict.ALLOW
        )
        assert asked(rig, action).sight is Sight.PRESENT
        assert [verb for verb, _ in rig.effects()] == ["quarantine_file"]


@pytest.mark.parametrize("vendor", QUARANTINERS)
def test_a_file_on_a_volume_without_a_letter_is_quarantined_where_the_vendor_needs_no_path(vendor):
    with RIGS[vendor]() as rig:
        became = asked(rig, an_order_on(rig, "quarantine_file", BY_DEVICE))
        if vendor is Vendor.CORTEX_XDR:
            assert "Cortex cannot tell which drive" in str(became)
            assert rig.written() == []
        else:
            assert (became.sight, [verb for verb, _ in rig.effects()]) == (Sight.PRESENT, ["quarantine_file"])


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


DELETERS = [(vendor, os) for vendor, verb, os in CLAIMED if verb == "delete_file"]
FOREIGN = ["de", "ja"]


def first_of(rig):
    """The first endpoint as it really is."""
    return rig.simulation.world.endpoint(rig.tenant, rig.agent_id(FIRST))


def lock(rig, os, *, locked=True):
    first_of(rig).file(evil_on(os)).locked = locked


def cannot_be_told(rig, action):
    """Asked for while its file is locked: it comes to neither a fact nor an effect, before an order or after it."""
    try:
        seen = rig.adapter.observe(action, None)
    except Unreadable as error:
        assert "locked or cannot be read" in str(error)
        return rig.written() == []
    return action.verb in rig.blind and rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.LOCKED


@pytest.mark.parametrize("language", ["en", *FOREIGN])
@pytest.mark.parametrize(("vendor", "os"), DELETERS)
def test_a_locked_file_is_neither_gone_nor_another_and_is_deleted_once_it_is_free(vendor, os, language):
    with RIGS[vendor](os) as rig:
        first_of(rig).language = language
        action = rig.action("delete_file", os)
        lock(rig, os)
        assert cannot_be_told(rig, action)
        assert rig.effects() == []
        lock(rig, os, locked=False)
        assert asked(rig, action).sight is Sight.PRESENT
        assert [verb for verb, _ in rig.effects()] == ["delete_file"]


@pytest.mark.parametrize("language", ["en", *FOREIGN])
@pytest.mark.parametrize(("vendor", "os"), DELETERS)
def test_a_file_that_is_locked_after_the_look_ends_the_order_without_effect_and_may_be_asked_for_again(vendor, os, language):
    with RIGS[vendor](os) as rig:
        first_of(rig).language = language
        action = rig.action("delete_file", os)
        seen = looked_at(rig, action)
        lock(rig, os)
        fact = rig.settled(action, rig.adapter.perform(action, seen))
        assert (fact.sight, rig.effects()) == (Sight.LOCKED, [])
        lock(rig, os, locked=False)
        assert asked(rig, action).sight is Sight.PRESENT
        assert [verb for verb, _ in rig.effects()] == ["delete_file"]


@pytest.mark.parametrize("vendor", KILLERS)
def test_a_process_whose_image_cannot_be_read_is_not_another(vendor):
    with RIGS[vendor]() as rig:
        lock(rig, OS.WINDOWS)
        assert cannot_be_told(rig, a_kill_by(rig, EVIL))
        assert rig.effects() == []


def remove(rig, action):
    """It goes by itself."""
    endpoint = first_of(rig)
    match action.verb:
        case "kill_process":
            endpoint.kill(action.process.pid)
        case "delete_file":
            endpoint.delete(action.file.path)
        case "delete_registry_key":
            endpoint.unregister(action.registry.key, action.registry.value)


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize(("vendor", "verb"), SHELL)
def test_what_an_endpoint_shows_is_understood_in_any_language(vendor, verb, language):
    with RIGS[vendor]() as rig:
        first_of(rig).language = language
        action = rig.action(verb)
        seen = looked_at(rig, action)
        assert rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.PRESENT
        assert asked(rig, action).sight is Sight.PRESENT
        assert [effect for effect, _ in rig.effects()] == [verb]


@pytest.mark.parametrize("language", ["en", *FOREIGN])
@pytest.mark.parametrize(("vendor", "verb"), SHELL)
def test_what_goes_by_itself_between_look_and_order_is_gone_in_any_language(vendor, verb, language):
    with RIGS[vendor]() as rig:
        first_of(rig).language = language
        action = rig.action(verb)
        seen = looked_at(rig, action)
        remove(rig, action)
        assert rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.PRESENT
        assert rig.effects() == []


@pytest.mark.parametrize("value", ["a", "c"], ids=["there", "not there"])
@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("vendor", sorted({vendor for vendor, verb in SHELL if verb == "delete_registry_key"}))
def test_a_registry_value_is_there_or_not_in_any_language(vendor, language, value):
    with RIGS[vendor]() as rig:
        first_of(rig).language = language
        action = rig.action("delete_registry_key").model_copy(update={"registry": RegistryKey(key=r"HKLM\Software\Evil", value=value)})
        assert asked(rig, action).sight is Sight.PRESENT
        assert len(rig.effects()) == (value == "a")


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("vendor", QUARANTINERS)
def test_a_file_is_quarantined_in_any_language(vendor, language):
    with RIGS[vendor]() as rig:
        first_of(rig).language = language
        assert asked(rig, an_order_on(rig, "quarantine_file", EVIL)).sight is Sight.PRESENT
        assert [verb for verb, _ in rig.effects()] == ["quarantine_file"]
