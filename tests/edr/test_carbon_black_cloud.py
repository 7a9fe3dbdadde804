"""What is special about Carbon Black Cloud: orders that leave no trace, one hash type, and a shell that hashes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.actions import DeleteFile, DeleteRegistryKey, KillProcess
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, EndpointNotFound, EndpointOffline, Throttled, Unsupported, VendorFault
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.indicators import File, Process, RegistryKey
from ar_workers.edr.carbon_black_cloud import Config
from ar_workers.edr.carbon_black_cloud.evidence import instant_of
from ar_workers.edr.carbon_black_cloud.live_response import SESSIONS
from ar_workers.simulator import Fault
from tests.builders import EVIL, sha256
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.carbon_black_cloud import API_ID, ORG, SECRET, carbon_black_cloud, device_id

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "carbon_black_cloud"
ASKED = Fact(sight=Sight.NOT_SO)
V6 = f"/appservices/v6/orgs/{ORG}"
KEY = r"HKLM\Software\Evil"
STARTED = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def rig():
    with carbon_black_cloud() as found:
        yield found


def acted(rig, action):
    return rig.adapter.perform(action, rig.adapter.observe(action, None))


def on(rig):
    return {"customer": "acme", "edr": rig.vendor, "endpoint": rig.endpoint()}


def a_kill(rig, **process):
    return KillProcess(**on(rig), process=Process(**({"pid": 4711, "image_path": EVIL, "sha256": sha256(EVIL)} | process)))


def a_delete(rig, **file):
    return DeleteFile(**on(rig), file=File(**({"path": EVIL, "sha256": sha256(EVIL)} | file)))


def a_key_deletion(rig, **registry):
    return DeleteRegistryKey(**on(rig), registry=RegistryKey(**({"key": KEY} | registry)))


def first(rig):
    return rig.simulation.world.endpoint("acme", device_id(FIRST))


def overrides(rig):
    return rig.simulation.world.tenant("acme").iocs


@pytest.mark.parametrize("accepted", [204, 200])
def test_an_accepted_quarantine_is_pending_until_the_next_contact(accepted):
    with carbon_black_cloud(accepted=accepted) as rig:
        action = rig.action("isolate")
        receipt = acted(rig, action)
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        assert rig.settled(action, receipt).sight is Sight.SO


def test_an_order_names_one_device_and_never_a_search(rig):
    acted(rig, rig.action("isolate"))
    order = {"action_type": "QUARANTINE", "device_id": [device_id(FIRST)], "options": {"toggle": "ON"}}
    assert [each["body"] for each in rig.written()] == [order]


def test_the_twin_would_show_what_an_empty_search_does(rig):
    """The control of the test above."""
    rig.adapter._api.post(
        "/appservices/v6/orgs/{org}/device_actions", {"action_type": "QUARANTINE", "search": {}, "options": {"toggle": "ON"}}
    )
    assert sorted(rig.effects()) == sorted(("isolate", device_id(name)) for name in (FIRST, NEIGHBOUR))


def test_a_release_reaches_an_isolation_that_is_still_on_its_way(rig):
    rig.change(online=False)
    acted(rig, rig.action("isolate"))
    release = rig.action("release")
    seen = rig.adapter.observe(release, None)
    assert seen.sight is Sight.UNKNOWABLE
    receipt = rig.adapter.perform(release, seen)
    rig.change(online=True)
    assert rig.settled(release, receipt).sight is Sight.SO
    assert first(rig).status == "normal"


def test_an_isolated_endpoint_that_is_away_is_asked_for_again(rig):
    action = rig.action("isolate")
    rig.change(status="contained")
    assert rig.adapter.observe(action, None).sight is Sight.SO
    rig.change(online=False)
    rig.simulation.clock.advance(600)
    seen = rig.adapter.observe(action, None)
    assert (seen.sight, "away" in seen.evidence) == (Sight.UNKNOWABLE, True)
    assert rig.adapter.observe(action, rig.adapter.perform(action, seen)).sight is Sight.SO


@pytest.mark.parametrize("verb", ["isolate", "release"])
def test_a_device_without_an_isolation_state_shows_nothing(rig, verb):
    first(rig).facts["quarantined"] = None
    assert rig.adapter.observe(rig.action(verb), Receipt(reference="x")).sight is Sight.UNKNOWABLE


@pytest.mark.parametrize("verb", ["isolate", "ban_hash", "kill_process", "delete_file", "delete_registry_key"])
def test_a_receipt_that_was_lost_doubles_nothing(rig, verb):
    action = rig.action(verb)
    acted(rig, action)
    if verb == "isolate":
        acted(rig, action)
    assert rig.settled(action, None).sight is Sight.SO
    assert len(rig.effects()) == 1


@pytest.mark.parametrize("style", ["row", 409, 400])
def test_a_second_override_is_one_ban_whatever_the_vendor_does(style):
    with carbon_black_cloud(second_override=style) as rig:
        ban = rig.action("ban_hash")
        rig.adapter.perform(ban, ASKED)
        again = rig.adapter.perform(ban, ASKED)
        assert again.detail == ({} if style == "row" else {"conflict": str(style)})
        assert rig.adapter.observe(ban, again).sight is Sight.SO
        assert len(rig.effects()) == 1


def test_an_approval_of_the_hash_is_left_to_a_person(rig):
    ban = rig.action("ban_hash")
    row = {"id": "f" * 32, "override_list": "WHITE_LIST", "override_type": "SHA256", "sha256_hash": ban.hash.sha256.upper()}
    overrides(rig)[row["id"]] = row
    fact = rig.adapter.observe(ban, None)
    assert (fact.sight, "a person must decide" in fact.evidence) == (Sight.MISMATCH, True)


def test_an_override_that_only_mentions_the_hash_is_not_its_ban(rig):
    ban = rig.action("ban_hash")
    row = {
        "id": "f" * 32,
        "override_list": "BLACK_LIST",
        "override_type": "SHA256",
        "sha256_hash": "a" * 64,
        "description": ban.hash.sha256,
    }
    overrides(rig)[row["id"]] = row
    assert rig.adapter.observe(ban, None).sight is Sight.NOT_SO


def test_overrides_are_read_to_the_last_page(rig):
    ban = rig.action("ban_hash")
    for number in range(250):
        row = {"override_list": "BLACK_LIST", "override_type": "SHA256", "sha256_hash": f"{number:064x}", "description": ban.hash.sha256}
        overrides(rig)[str(number)] = {"id": str(number), **row}
    rig.adapter.perform(ban, ASKED)
    assert rig.adapter.observe(ban, None).sight is Sight.SO


def test_a_hash_without_sha256_is_refused_before_any_request(rig):
    ban = rig.action("ban_hash")
    ban = ban.model_copy(update={"hash": ban.hash.model_copy(update={"sha256": None})})
    with pytest.raises(Unsupported, match="sha256 only"):
        rig.adapter.observe(ban, None)
    assert rig.simulation.journal.requests() == []


def test_an_error_within_a_200_is_an_error(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"errorMessage":"internal"}', path="*/overrides/*"))
    with pytest.raises(VendorFault, match="internal"):
        rig.adapter.observe(rig.action("ban_hash"), None)


def test_a_throttled_address_is_left_alone(rig):
    rig.simulation.faults.add(rig.throttle)
    for _ in range(3):
        with pytest.raises(Throttled) as raised:
            rig.adapter.endpoint(device_id(FIRST))
        assert raised.value.retry_after > timedelta(seconds=25)
    assert len(rig.simulation.journal.requests()) == 1


def test_a_sensor_that_joins_late_is_offline_until_then_and_keeps_its_session():
    with carbon_black_cloud(session_delay=60) as rig:
        action = rig.action("kill_process")
        with pytest.raises(EndpointOffline, match="not joined"):
            rig.adapter.observe(action, None)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(action, None).sight is Sight.NOT_SO
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
        assert rig.adapter.observe(action, None).sight is Sight.NOT_SO


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
        assert rig.adapter.observe(action, receipt).sight is Sight.SO


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
    assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_a_command_that_the_sensor_has_not_fetched_is_pending(rig):
    action = rig.action("kill_process")
    seen = rig.adapter.observe(action, None)
    rig.change(online=False)
    receipt = rig.adapter.perform(action, seen)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
    assert rig.effects() == []
    rig.change(online=True)
    assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_a_command_that_takes_its_time_is_waited_for():
    with carbon_black_cloud(polls_until_complete=2, config={"patience": 5}) as rig:
        assert rig.adapter.observe(rig.action("kill_process"), None).sight is Sight.NOT_SO


def test_a_command_that_takes_too_long_is_looked_for_again_later():
    with carbon_black_cloud(polls_until_complete=50) as rig, pytest.raises(VendorFault, match="in time"):
        rig.adapter.observe(rig.action("kill_process"), None)


@pytest.mark.parametrize("fields", ["prefixed", "plain"])
@pytest.mark.parametrize("unit", ["seconds", "milliseconds", "filetime", "iso"])
def test_a_process_is_confirmed_by_its_start_however_that_is_written(fields, unit):
    with carbon_black_cloud(process_fields=fields, process_time=unit) as rig:
        meant = a_kill(rig, image_path=None, sha256=None, started_at=STARTED)
        later = a_kill(rig, image_path=None, sha256=None, started_at=STARTED + timedelta(minutes=1))
        assert rig.adapter.observe(meant, None).sight is Sight.NOT_SO
        assert rig.adapter.observe(later, None).sight is Sight.MISMATCH


@pytest.mark.parametrize("value", [None, "soon", True, [], -(10**30), 10**40])
def test_a_start_that_cannot_be_read_confirms_nothing(value):
    assert instant_of(value) is None


@pytest.mark.parametrize(
    ("process", "sight"),
    [
        ({}, Sight.NOT_SO),
        ({"image_path": None}, Sight.NOT_SO),
        ({"sha256": None}, Sight.NOT_SO),
        ({"pid": 9999}, Sight.SO),
        ({"image_path": r"C:\other.exe"}, Sight.MISMATCH),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
    ],
)
def test_a_pid_is_killed_only_if_its_image_is_the_one_that_is_meant(rig, process, sight):
    assert rig.adapter.observe(a_kill(rig, **process), None).sight is sight


def test_a_process_whose_image_is_gone_is_confirmed_by_nothing_but_its_start(rig):
    first(rig).files.clear()
    assert rig.adapter.observe(a_kill(rig), None).sight is Sight.MISMATCH
    assert rig.adapter.observe(a_kill(rig, started_at=STARTED), None).sight is Sight.NOT_SO


def test_an_empty_list_of_processes_proves_nothing(rig):
    body = '{"id": 1, "status": "complete", "processes": []}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/commands*"))
    with pytest.raises(VendorFault, match="process list"):
        rig.adapter.observe(a_kill(rig), None)


def test_an_unreadable_entry_is_neither_there_nor_gone(rig):
    body = '{"id": 1, "status": "error", "result_code": -2147024891, "result_desc": "Access is denied."}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/commands*"))
    for action in (a_key_deletion(rig), a_delete(rig, sha256=None)):
        with pytest.raises(VendorFault, match="Access is denied"):
            rig.adapter.observe(action, None)


def test_a_command_that_the_sensor_does_not_have_is_refused_before_it_is_sent(rig):
    body = json.dumps({"id": "1:1", "status": "ACTIVE", "supported_commands": ["get file"]})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, method="POST", path="*/sessions"))
    with pytest.raises(Denied, match="no command 'process list'"):
        rig.adapter.observe(a_kill(rig), None)
    assert rig.simulation.journal.requests(path=f"{V6}/liveresponse/sessions/1:1/commands") == []


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


def test_a_last_contact_that_cannot_be_read_counts_as_away(rig):
    rig.change(status="contained")
    first(rig).facts["last_contact_time"] = None
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.UNKNOWABLE


def test_a_pid_alone_is_refused_before_any_request(rig):
    with pytest.raises(Denied, match="pid alone"):
        rig.adapter.observe(a_kill(rig, image_path=None, sha256=None), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize(
    ("file", "sight"),
    [
        ({"sha256": None}, Sight.NOT_SO),
        ({"sha256": None, "path": EVIL.upper()}, Sight.NOT_SO),
        ({"sha256": None, "path": EVIL.rsplit("\\", 1)[0]}, Sight.MISMATCH),
        ({"sha256": None, "path": EVIL[:-1]}, Sight.SO),
        ({"sha256": None, "path": r"C:\nowhere\evil.exe"}, Sight.SO),
        ({"path": r"C:\Users\kim\gone.exe"}, Sight.SO),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
    ],
)
def test_a_file_is_deleted_only_if_it_is_the_one_that_is_meant(rig, file, sight):
    assert rig.adapter.observe(a_delete(rig, **file), None).sight is sight


@pytest.mark.parametrize("codes", ["signed", "unsigned"])
def test_a_missing_file_is_told_by_its_code_of_either_sign(codes):
    with carbon_black_cloud(result_codes=codes) as rig:
        assert rig.adapter.observe(a_delete(rig, path=r"C:\Users\kim\gone.exe"), None).sight is Sight.SO


def test_a_content_that_cannot_be_fetched_confirms_nothing(rig):
    rig.simulation.faults.add(Fault(action="reply", status=404, path="*/content"))
    fact = rig.adapter.observe(a_delete(rig), None)
    assert (fact.sight, "could not be fetched" in fact.evidence) == (Sight.MISMATCH, True)


def test_a_content_that_breaks_off_is_never_taken_for_a_whole_one(rig):
    rig.simulation.faults.add(Fault(action="cut", path="*/content"))
    with pytest.raises(VendorFault):
        rig.adapter.observe(a_delete(rig), None)


def test_a_file_in_use_is_a_refusal_by_the_endpoint():
    with carbon_black_cloud(running_files_are_locked=True) as rig:
        action = rig.action("delete_file")
        fact = rig.adapter.observe(action, acted(rig, action))
        assert (fact.sight, "being used" in fact.evidence) == (Sight.REFUSED, True)


def test_a_key_with_subkeys_is_never_half_deleted(rig):
    first(rig).registry[KEY + r"\Deeper"] = {"c": "3"}
    fact = rig.adapter.observe(a_key_deletion(rig), None)
    assert (fact.sight, "subkeys" in fact.evidence) == (Sight.REFUSED, True)


def test_a_key_that_got_subkeys_meanwhile_is_refused_by_the_endpoint(rig):
    action = a_key_deletion(rig)
    seen = rig.adapter.observe(action, None)
    first(rig).registry[KEY + r"\Deeper"] = {"c": "3"}
    receipt = rig.adapter.perform(action, seen)
    assert rig.adapter.observe(action, receipt).sight is Sight.REFUSED
    assert rig.effects() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = a_key_deletion(rig, value="a")
    assert rig.adapter.observe(action, acted(rig, action)).sight is Sight.SO
    assert first(rig).registry == {KEY: {"b": "2"}}


def test_a_value_whose_name_would_be_another_keys_is_refused_before_any_request(rig):
    with pytest.raises(Denied, match="backslash"):
        rig.adapter.observe(a_key_deletion(rig, key=r"HKLM\Software", value=r"Evil\a"), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("number", ["a1b2", "007", "1.5", "9" * 30])
def test_what_is_no_device_id_is_not_found_before_any_request(rig, number):
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(number)
    assert rig.simulation.journal.requests() == []


def test_a_registration_that_was_left_is_not_found(rig):
    rig.change(decommissioned=True)
    for look in (rig.adapter.endpoint, lambda _: rig.adapter.observe(rig.action("isolate"), None)):
        with pytest.raises(EndpointNotFound, match="DEREGISTERED"):
            look(device_id(FIRST))


def test_an_answer_about_another_device_is_no_answer(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"id": 1, "quarantined": true}', path="*/devices/*"))
    with pytest.raises(VendorFault, match="another device"):
        rig.adapter.observe(rig.action("isolate"), None)


def test_a_device_is_shown_by_its_host_and_an_odd_platform_is_unknown(rig):
    first(rig).facts |= {"name": "ACME\\fin-lt-07", "os": "OTHER", "asset_group": None}
    found = rig.adapter.endpoint(device_id(FIRST))
    assert (found.hostname, found.os, found.groups) == ("fin-lt-07", OS.UNKNOWN, frozenset())


@pytest.mark.parametrize("style", ["exact", "folded", "partial"])
@pytest.mark.parametrize("tells", [True, False])
def test_members_are_complete_and_of_the_exact_name(style, tells):
    with carbon_black_cloud(name_match=style, members_tell_total=tells) as rig:
        rig.change(NEIGHBOUR, groups=["g2"])
        tenant = rig.simulation.world.tenant("acme")
        for number in range(450):
            tenant.add_endpoint(type(first(rig))(agent_id=str(number + 10), hostname=f"PC-{number}", groups=["g1"]))
        tenant.endpoints["10"].decommissioned = True
        names = [each.hostname for each in rig.adapter.members("Remediate")]
        assert len(names) == len(set(names)) == 450
        assert {"PC-0", NEIGHBOUR} & set(names) == set()


def test_a_member_that_the_search_leaves_out_is_asked_for_alone(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"results": [], "num_found": 0}', path="*/_scroll"))
    assert {each.hostname for each in rig.adapter.members("Remediate")} == {FIRST, NEIGHBOUR}


def test_a_listing_that_breaks_off_is_a_fault(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body='{"members": [], "num_found": 7}', path="*/members"))
    with pytest.raises(VendorFault, match="broke off"):
        list(rig.adapter.members("Remediate"))


def test_a_listing_without_an_end_is_a_fault(rig):
    body = '{"members": [{"external_member_id": "1"}]}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/members"))
    with pytest.raises(VendorFault, match="broke off after 1000"):
        list(rig.adapter.members("Remediate"))


def test_policies_may_be_the_groups():
    with carbon_black_cloud(config={"group_by": "policy"}) as rig:
        rig.simulation.world.tenant("acme").facts["policies"] = [{"id": 1, "name": "Standard"}, {"id": 2, "name": "Remediate"}]
        first(rig).facts |= {"policy_id": 2, "policy_name": "Remediate"}
        assert [each.hostname for each in rig.adapter.members("Remediate")] == [FIRST]
        assert rig.adapter.endpoint(device_id(FIRST)).groups == {"Remediate"}
        with pytest.raises(Denied, match="no policy"):
            list(rig.adapter.members("remediate"))


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


@pytest.fixture(scope="module")
def shared_rig():
    """One rig for many examples."""
    with carbon_black_cloud() as found:
        yield found, found.adapter.observe(found.action("delete_file"), None)


DANGEROUS = st.text(alphabet=st.sampled_from("ab1\\/:. \"'`$;&|<>\n\r\t%*?^~()[]{}!=,#\u202e\x00é"), min_size=1, max_size=40)


@given(DANGEROUS)
def test_no_path_becomes_a_second_command(shared_rig, path):
    """A command is a JSON object, and its value stays one value of it, or is refused before any request."""
    rig, seen = shared_rig
    before = len(rig.written())
    action = a_delete(rig).model_copy(update={"file": a_delete(rig).file.model_copy(update={"path": "C:\\" + path})})
    try:
        rig.adapter.perform(action, seen)
    except Denied:
        assert len(rig.written()) == before
        return
    assert [each["body"] for each in rig.written()[before:]] == [{"name": "delete file", "path": "C:\\" + path}]


def test_the_twin_would_show_a_path_that_was_not_refused(rig):
    """The control of the test above: what reaches the vendor is carried out as it was written."""
    session = rig.adapter.observe(a_delete(rig), None).handle
    path = r"C:\Users\..\Windows\System32\kernel32.dll"
    rig.adapter._api.post(f"{SESSIONS}/{session}/commands", {"name": "delete file", "path": path})
    assert [(each["verb"], each["target"]) for each in rig.simulation.journal.effects()] == [("delete_file", path)]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded data lies beside the project, not in it")
def test_a_recorded_device_is_read(rig):
    recorded = json.loads((RECORDED / "device_search.json").read_text())["results"][0]
    body = json.dumps(recorded)
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="*/devices/*"))
    found = rig.adapter.endpoint(str(recorded["id"]))
    assert (found.agent_id, found.hostname, found.os, found.groups) == ("5765373", "test", OS.WINDOWS, frozenset())
