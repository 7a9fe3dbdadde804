"""What is special about Carbon Black EDR."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.actions import ReleaseEndpoint
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import (
    AuthRefused,
    Denied,
    EndpointNotFound,
    EndpointOffline,
    OutcomeUnknown,
    Unsupported,
    VendorFault,
)
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.indicators import FileHash, RegistryKey
from ar_workers.edr.carbon_black_edr import Config
from ar_workers.edr.carbon_black_edr.adapter import _is_uninstalled, os_of
from ar_workers.edr.carbon_black_edr.live_response import delete_order, registry_order
from ar_workers.simulator import Fault
from tests.builders import (
    EVIL,
    a_delete,
    a_hash_ban,
    a_key_deletion,
    a_kill,
    an_endpoint,
    an_isolate,
    digest,
    sha256,
)
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.carbon_black_edr import SENSORS, carbon_black_edr

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "carbon_black_edr" / "sensors.json"
SEVEN = an_endpoint(edr=Vendor.CARBON_BLACK_EDR, agent_id="7")
STARTED = datetime(2024, 1, 1, tzinfo=UTC)
NOTHING = Fact(sight=Sight.NOT_SO)
MD5 = digest("md5", "evil")


@pytest.fixture
def rig():
    with carbon_black_edr() as found:
        yield found


def evidence(rig, ban):
    return rig.adapter.observe(ban, None).evidence


def twin_endpoint(rig, name=FIRST):
    return rig.simulation.world.endpoint("acme", SENSORS[name])


def a_ban():
    return a_hash_ban(md5=MD5)


def release():
    return ReleaseEndpoint(customer="acme", edr=Vendor.CARBON_BLACK_EDR, endpoint=SEVEN)


def test_the_wish_is_not_the_fact(rig):
    rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    fact = rig.adapter.observe(an_isolate(SEVEN), None)
    assert (fact.sight, fact.evidence) == (Sight.PENDING, "isolation is wanted, the sensor is not isolated")


@pytest.mark.parametrize(
    ("status", "isolate", "release_"),
    [
        ("normal", Sight.NOT_SO, Sight.SO),
        ("containment_pending", Sight.PENDING, Sight.NOT_SO),
        ("contained", Sight.SO, Sight.NOT_SO),
        ("lift_containment_pending", Sight.NOT_SO, Sight.PENDING),
    ],
)
def test_both_flags_are_read(rig, status, isolate, release_):
    rig.change(status=status)
    assert rig.adapter.observe(an_isolate(SEVEN), None).sight is isolate
    assert rig.adapter.observe(release(), None).sight is release_


@pytest.mark.parametrize("answer", [200, 204])
def test_a_sensor_is_isolated_with_two_fields_and_stays_in_its_group(answer):
    with carbon_black_edr(put_answer=answer) as rig:
        rig.change(groups=["2"])
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
        assert rig.written()[0]["body"] == {"network_isolation_enabled": True, "group_id": 2}
        assert rig.effects() == [("isolate", "7")]


def test_a_sensor_that_cannot_isolate_is_told_before_it_is_asked(rig):
    twin_endpoint(rig).facts["supports_isolation"] = False
    with pytest.raises(Unsupported, match="does not support isolation"):
        rig.adapter.observe(an_isolate(SEVEN), None)
    with pytest.raises(Unsupported):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.written() == []


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


def test_a_hash_without_md5_is_refused_before_any_request(rig):
    with pytest.raises(Unsupported, match="md5"):
        rig.adapter.observe(a_hash_ban(sha256=sha256("evil")), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("answer", [404, 409])
@pytest.mark.parametrize("words", ["text", "json"])
def test_a_hash_that_is_not_banned_is_shown_in_either_way(answer, words):
    with carbon_black_edr(unknown_ban=answer, refusals=words) as rig:
        assert rig.adapter.observe(a_ban(), None).sight is Sight.NOT_SO


@pytest.mark.parametrize("words", ["text", "json"])
def test_a_duplicate_ban_is_left_to_the_next_look(words):
    with carbon_black_edr(refusals=words) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        receipt = rig.adapter.perform(a_ban(), NOTHING)
        assert receipt.detail == {"conflict": "409"}
        assert rig.adapter.observe(a_ban(), receipt).sight is Sight.SO


def test_a_lifted_ban_is_not_so_and_is_enabled_again(rig):
    rig.adapter.perform(a_ban(), NOTHING)
    rig.simulation.world.tenant("acme").iocs[MD5]["enabled"] = False
    seen = rig.adapter.observe(a_ban(), None)
    assert (seen.sight, seen.evidence) == (Sight.NOT_SO, "on the ban list, and not enabled")
    rig.adapter.perform(a_ban(), seen)
    assert rig.adapter.observe(a_ban(), None).sight is Sight.SO


def test_the_evidence_names_the_groups_that_do_not_enforce_a_ban():
    with carbon_black_edr(banning=("1",)) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()) == (
            "on the ban list, enabled, but not enforced in these sensor groups, whose banning is switched off: remediate"
        )
    with carbon_black_edr(banning=("1", "2")) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()) == "on the ban list, enabled"


def test_the_evidence_says_that_the_server_does_not_ban_at_all():
    with carbon_black_edr(banning_enabled=False) as rig:
        rig.adapter.perform(a_ban(), NOTHING)
        assert evidence(rig, a_ban()).endswith("nothing is blocked: banning is switched off on the server")


def test_the_evidence_says_that_the_switches_cannot_be_read(rig):
    rig.adapter.perform(a_ban(), NOTHING)
    rig.simulation.faults.add(Fault(action="reply", status=403, path="/api/v3/group"))
    fact = rig.adapter.observe(a_ban(), None)
    assert (fact.sight, "may not read" in fact.evidence) == (Sight.SO, True)


def test_a_ban_of_another_hash_says_nothing_of_this_one(rig):
    body = json.dumps({"md5hash": "a" * 32, "enabled": True})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/api/v1/banning/*"))
    with pytest.raises(VendorFault):
        rig.adapter.observe(a_ban(), None)


def test_live_response_that_is_switched_off_is_said_and_final():
    with carbon_black_edr(live_response=False) as rig, pytest.raises(Denied):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_412_of_a_new_session_names_the_setting(rig):
    rig.simulation.faults.add(Fault(action="reply", status=412, method="POST", path="/api/v1/cblr/session"))
    with pytest.raises(Denied, match="CbLREnabled"):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_sensor_without_live_response_is_told(rig):
    twin_endpoint(rig).facts["supports_cblr"] = False
    with pytest.raises(Unsupported):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_sensor_that_knows_no_registry_is_not_asked_for_it(rig):
    twin_endpoint(rig).platform = "Mac"
    with pytest.raises(Unsupported, match="reg delete key"):
        rig.adapter.observe(a_key_deletion(SEVEN), None)


def test_a_session_is_shared_and_not_opened_twice(rig):
    for action in (a_kill(SEVEN), a_delete(SEVEN), a_key_deletion(SEVEN)):
        rig.adapter.observe(action, None)
    assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 1


def test_the_session_of_another_sensor_is_not_used(rig):
    rig.adapter.observe(a_kill(an_endpoint(NEIGHBOUR, edr=Vendor.CARBON_BLACK_EDR, agent_id="70")), None)
    assert rig.adapter.observe(a_kill(SEVEN), None).handle == "2"


def test_a_sensor_that_has_not_joined_yet_is_looked_at_again_soon():
    with carbon_black_edr(patience=0, session_delay=60) as rig:
        with pytest.raises(VendorFault, match="has not joined") as raised:
            rig.adapter.observe(a_kill(SEVEN), None)
        assert raised.value.retry_after == timedelta(seconds=15)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(a_kill(SEVEN), None).sight is Sight.NOT_SO
        assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 1


def test_a_session_that_nobody_joined_is_followed_by_another():
    with carbon_black_edr(patience=0, session_delay=200) as rig:
        for _ in range(2):
            with pytest.raises(VendorFault, match="has not joined"):
                rig.adapter.observe(a_kill(SEVEN), None)
            rig.simulation.clock.advance(130)
        assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 2


@pytest.mark.parametrize("answer", [404, 400])
def test_an_order_to_a_session_that_has_ended_may_be_given_again(answer):
    with carbon_black_edr(inactive_session=answer) as rig:
        seen = rig.adapter.observe(a_kill(SEVEN), None)
        rig.adapter._api.send("PUT", f"/api/v1/cblr/session/{seen.handle}", {"status": "close"})
        with pytest.raises(VendorFault, match="has ended"):
            rig.adapter.perform(a_kill(SEVEN), seen)
        again = rig.adapter.observe(a_kill(SEVEN), None)
        rig.adapter.perform(a_kill(SEVEN), again)
        assert rig.effects() == [("kill_process", "4711")]


def test_an_order_whose_session_timed_out_leaves_the_endpoint_itself_to_tell(rig):
    receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
    rig.simulation.clock.advance(700)
    assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.SO


def test_the_answer_to_an_order_comes_later():
    with carbon_black_edr(order_delay=40) as rig:
        receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.PENDING
        rig.simulation.clock.advance(41)
        assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.SO


def test_an_order_that_the_server_has_canceled_is_a_refusal():
    with carbon_black_edr(order_delay=60) as rig:
        receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        rig.adapter._api.send("PUT", f"/api/v1/cblr/session/{receipt.detail['session']}", {"status": "close"})
        fact = rig.adapter.observe(a_kill(SEVEN), receipt)
        assert (fact.sight, "canceled" in fact.evidence, rig.effects()) == (Sight.REFUSED, True, [])


@pytest.mark.parametrize("action", [a_kill(SEVEN), a_delete(SEVEN), a_key_deletion(SEVEN)], ids=lambda action: action.verb)
def test_an_order_whose_number_was_lost_is_found_in_the_session_and_not_doubled(action):
    """The worker died between the order and writing it down: no receipt, and the sensor has not carried it out yet."""
    with carbon_black_edr(order_delay=60) as rig:
        seen = rig.adapter.observe(action, None)
        rig.spoil_writes(Fault(action="reset_after"))
        with pytest.raises(OutcomeUnknown):
            rig.adapter.perform(action, seen)
        fact = rig.adapter.observe(action, None)
        assert (fact.sight, "already under way" in fact.evidence) == (Sight.PENDING, True)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(action, None).sight is Sight.SO
        assert [len(rig.written()), [verb for verb, _ in rig.effects()]] == [1, [action.verb]]


def test_a_wish_whose_answer_was_lost_is_seen_and_not_repeated(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.adapter.observe(an_isolate(SEVEN), None).sight is Sight.PENDING
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(a_ban(), NOTHING)
    assert rig.adapter.observe(a_ban(), None).sight is Sight.SO
    assert rig.effects() == [("isolate", "7"), ("ban_hash", MD5)]


def test_an_order_for_another_target_is_no_reason_to_wait():
    with carbon_black_edr(order_delay=60) as rig:
        rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        assert rig.adapter.observe(a_delete(SEVEN), None).sight is Sight.NOT_SO


@pytest.mark.parametrize("codes", ["unsigned", "signed"])
def test_a_failure_of_an_order_is_a_refusal_by_the_endpoint(codes):
    with carbon_black_edr(result_codes=codes) as rig:
        action = a_key_deletion(SEVEN)
        twin_endpoint(rig).registry[r"HKLM\Software\Evil\Below"] = {}
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "0x80070005" in fact.evidence) == (Sight.REFUSED, True)


def test_a_key_with_keys_below_it_may_go_with_them():
    with carbon_black_edr(sub_keys="deleted") as rig:
        twin_endpoint(rig).registry[r"HKLM\Software\Evil\Below"] = {}
        action = a_key_deletion(SEVEN)
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_an_order_that_failed_because_all_is_done_is_so(rig):
    seen = rig.adapter.observe(a_kill(SEVEN), None)
    twin_endpoint(rig).processes.clear()
    receipt = rig.adapter.perform(a_kill(SEVEN), seen)
    assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.SO


@pytest.mark.parametrize("codes", ["hresult", "errno"])
def test_a_missing_folder_is_read_in_either_way(codes):
    path = "/Users/robin/nowhere/evil"
    with carbon_black_edr(OS.MACOS, posix_errors=codes) as rig:
        action = a_delete(SEVEN.model_copy(update={"os": OS.MACOS}), path=path)
        assert rig.adapter.observe(action, None).sight is Sight.SO


def test_an_offline_sensor_is_asked_for_no_session(rig):
    rig.change(online=False)
    with pytest.raises(EndpointOffline):
        rig.adapter.observe(a_delete(SEVEN), None)
    assert rig.simulation.journal.requests(path="/api/v1/cblr/session") == []


@pytest.mark.parametrize(
    ("process", "sight"),
    [
        ({}, Sight.NOT_SO),
        ({"sha256": None}, Sight.NOT_SO),
        ({"sha256": None, "image_path": None, "started_at": STARTED}, Sight.NOT_SO),
        ({"image_path": r"C:\other.exe"}, Sight.MISMATCH),
        ({"sha256": sha256("other")}, Sight.MISMATCH),
        ({"started_at": STARTED + timedelta(seconds=5)}, Sight.MISMATCH),
        ({"pid": 9999}, Sight.SO),
    ],
)
def test_a_process_is_killed_only_if_all_that_is_known_agrees(rig, process, sight):
    assert rig.adapter.observe(a_kill(SEVEN, **process), None).sight is sight


def test_a_process_whose_image_cannot_be_fetched_is_confirmed_by_its_start_or_not_at_all(rig):
    twin_endpoint(rig).files.clear()
    assert rig.adapter.observe(a_kill(SEVEN), None).sight is Sight.MISMATCH
    assert rig.adapter.observe(a_kill(SEVEN, started_at=STARTED), None).sight is Sight.NOT_SO


def test_an_empty_list_of_processes_is_no_proof_of_anything(rig):
    body = json.dumps({"id": 1, "status": "complete", "result_code": 0, "processes": []})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, method="GET", path="/api/v1/cblr/session/*/command/*"))
    with pytest.raises(VendorFault, match="empty"):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_another_file_at_the_path_is_no_target(rig):
    assert rig.adapter.observe(a_delete(SEVEN, sha256=sha256("other")), None).sight is Sight.MISMATCH


def test_a_file_of_any_content_is_meant_where_no_hash_is_known(rig):
    assert rig.adapter.observe(a_delete(SEVEN, sha256=None), None).sight is Sight.NOT_SO
    assert "get file" not in str(rig.simulation.journal.requests())


def test_a_large_file_is_confirmed_without_being_kept(rig):
    content = "x" * (2**24 + 1)
    twin_endpoint(rig).facts["contents"] = {EVIL: content}
    assert rig.adapter.observe(a_delete(SEVEN, sha256=sha256(content)), None).sight is Sight.NOT_SO
    assert rig.adapter.observe(a_delete(SEVEN), None).sight is Sight.MISMATCH


def test_a_folder_at_the_path_is_no_target(rig):
    action = a_delete(SEVEN, path=EVIL.rpartition("\\")[0], sha256=None)
    assert rig.adapter.observe(action, None).evidence == "a folder is at that path"


def test_upper_and_lower_case_are_one_on_windows(rig):
    assert rig.adapter.observe(a_delete(SEVEN, path=EVIL.upper(), sha256=sha256(EVIL)), None).sight is Sight.NOT_SO


@pytest.mark.parametrize("path", ["C:\\Temp\\EVIL~1.EXE", "C:\\PROGRA~1\\x.exe", "C:\\Temp\\evil.exe.", "C:\\Temp\\*", "evil.exe", "C:\\"])
def test_a_path_that_a_folders_list_does_not_show_is_refused_before_any_request(rig, path):
    with pytest.raises(Denied):
        rig.adapter.observe(a_delete(SEVEN, path=path), None)
    assert rig.simulation.journal.requests() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = a_key_deletion(SEVEN, value="A")
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.adapter.observe(action, receipt).sight is Sight.SO
    assert twin_endpoint(rig).registry == {r"HKLM\Software\Evil": {"b": "2"}}


def test_a_value_whose_name_would_reach_into_another_key_is_refused():
    with pytest.raises(Denied, match="backslash"):
        registry_order(RegistryKey(key=r"HKLM\Software\Evil", value=r"Microsoft\Run"))


@given(st.text(alphabet=st.sampled_from("aB1\\/:. \"'`$;&|<>\n\r\t%*?^~(){}\u202e\x00é"), max_size=40))
def test_no_path_becomes_another_command_or_a_wider_one(path):
    """Commands are JSON: what is sent is this one name, and exactly this path, or nothing."""
    try:
        order = delete_order(f"C:\\{path}", OS.WINDOWS)
    except Denied:
        return
    sent = json.loads(json.dumps({"name": order.name, "object": order.target}))
    assert sent == {"name": "delete file", "object": f"C:\\{path}"}
    assert not set(path) & set('*?"<>|\n\r\0/:')
    assert path.strip("\\")
    assert not path.endswith("\\")


def test_the_twin_would_show_a_wider_command(rig):
    """The control of the test above: a value's name with a backslash, let through, does reach another key."""
    twin_endpoint(rig).registry[r"HKLM\Software\Good\Sub"] = {"v": "1"}
    shell = rig.adapter._shell(SEVEN)
    order = registry_order(RegistryKey(key=r"HKLM\Software\Good", value="x"))
    shell.act(order._replace(target=r"HKLM\Software\Good" + "\\" + r"Sub\v"))
    assert twin_endpoint(rig).registry[r"HKLM\Software\Good\Sub"] == {}


def test_a_group_that_the_token_may_not_see_goes_by_its_number(rig):
    del rig.simulation.world.tenant("acme").groups["1"]
    assert rig.adapter.endpoint("7").groups == {"1"}


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/api/v1/sensor/7", {"id": 70, "status": "Online"}, "not about this sensor"),
        ("POST", "/api/v1/cblr/session", {}, "no id in the reply"),
        ("POST", "/api/v1/cblr/session/1/command", {"status": "pending"}, "no id in the reply"),
        ("GET", "/api/v1/cblr/session/1", {"sensor_id": 70, "status": "active"}, "has ended"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "in progress"}, "has not answered in time"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "error", "result_code": -2147024891}, "0x80070005"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "complete", "result_code": 0}, "no list in the result"),
        ("GET", "/api/v1/sensor", [{"group_id": 1}], "without an id"),
        ("GET", "/api/v1/sensor", {"results": []}, "no list in the reply"),
    ],
)
def test_an_answer_to_something_else_is_a_fault_and_no_fact(method, path, body, said):
    with carbon_black_edr(patience=0) as rig:
        rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps(body), method=method, path=path))
        with pytest.raises(VendorFault, match=said):
            list(rig.adapter.members("Remediate")) if path == "/api/v1/sensor" else rig.adapter.observe(a_delete(SEVEN), None)


def test_refusals_in_plain_text_are_shown_and_html_is_not(rig):
    rig.simulation.faults.add(Fault(action="reply", status=400, body="Sensor is\nbusy", path="/api/v1/sensor/7"))
    with pytest.raises(Denied, match=r"400 Sensor is busy$"):
        rig.adapter.endpoint("7")
    rig.simulation.faults.clear()
    rig.simulation.faults.add(Fault(action="reply", status=504, body="<html>nginx</html>", path="/api/v1/sensor/7"))
    with pytest.raises(VendorFault, match=r"504$"):
        rig.adapter.endpoint("7")


def test_a_token_that_is_not_known_is_final(rig):
    rig.simulation.world.tenant("acme").credentials.clear()
    with pytest.raises(AuthRefused):
        rig.adapter.endpoint("7")
    assert len(rig.simulation.journal.requests()) == 1


def test_a_token_that_may_not_isolate_is_told_so(rig):
    rig.simulation.world.tenant("acme").credentials[0].scopes = ["ban"]
    with pytest.raises(AuthRefused):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.effects() == []


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
    assert rig.adapter.observe(an_isolate(twelve), None).sight is Sight.NOT_SO
    with pytest.raises(EndpointOffline, match="12 is Offline"):
        rig.adapter.observe(a_kill(twelve), None)


@pytest.mark.parametrize(
    "url",
    [
        "http://edr.acme.example",
        "https://",
        "https://user:pass@edr.acme.example",
        "https://edr.acme.example/api",
        "https://edr.acme.example?x=1",
        "ftp://127.0.0.1",
        "http://127.0.0.1.evil.example",
    ],
)
def test_the_token_goes_only_to_a_bare_https_address(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, token="t")


@pytest.mark.parametrize("url", ["https://edr.acme.example", "https://10.0.0.5:8443/", "http://127.0.0.1:9000"])
def test_any_server_of_the_customers_own_will_do(url):
    assert Config(base_url=url, token="t").base_url == url


def test_a_ban_takes_the_md5_even_where_better_hashes_are_known(rig):
    ban = a_hash_ban().model_copy(update={"hash": FileHash(sha256=sha256("evil"), md5=MD5.upper())})
    rig.adapter.perform(ban, rig.adapter.observe(ban, None))
    assert rig.effects() == [("ban_hash", MD5)]
