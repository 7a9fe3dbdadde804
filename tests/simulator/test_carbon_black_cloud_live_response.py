"""Live Response: sessions that wait for a sensor, statuses of any case, and results in Windows codes."""

from __future__ import annotations

import pytest

from tests.simulator.carbon_black import EVIL, LIVE, MAC, PC, organisation


@pytest.fixture
def acme():
    with organisation() as caller:
        yield caller


def test_a_session_is_pending_until_the_sensor_joins(acme):
    opened = acme.session().body
    assert (opened["status"], opened["supported_commands"]) == ("PENDING", None)
    assert opened["id"].endswith(f":{PC}")
    assert acme.run(opened["id"], "process list").status == 400
    acme.simulation.clock.advance(2)
    joined = acme.call("GET", f"{LIVE}/{opened['id']}").body
    assert (joined["status"], "reg delete key" in joined["supported_commands"]) == ("ACTIVE", True)


@pytest.mark.parametrize(("style", "first"), [("timeout", "TIMEOUT"), ("gone", None)])
def test_a_session_that_nobody_joins_ends(style, first):
    with organisation(expired_session=style) as acme:
        acme.simulation.world.change("acme", PC, online=False)
        session_id = acme.session().body["id"]
        acme.simulation.clock.advance(910)
        assert acme.call("GET", f"{LIVE}/{session_id}").body.get("status") == first
        acme.simulation.clock.advance(60)
        assert acme.call("GET", f"{LIVE}/{session_id}").code == "NOT_FOUND"


def test_an_idle_session_ends_and_a_pulse_keeps_it(acme):
    session_id = acme.joined()
    for _ in range(3):
        acme.simulation.clock.advance(600)
        assert acme.call("GET", f"{LIVE}/{session_id}/keepalive").status == 204
    acme.simulation.clock.advance(901)
    assert acme.run(session_id, "process list").code == "NOT_FOUND"


def test_a_session_can_be_closed(acme):
    session_id = acme.joined()
    assert acme.call("DELETE", f"{LIVE}/{session_id}").status == 204
    assert acme.call("GET", f"{LIVE}/{session_id}").status == 404


@pytest.mark.parametrize(("style", "same"), [("same", True), ("new", False)])
def test_what_a_second_session_is_is_a_switch(style, same):
    with organisation(second_session=style) as acme:
        assert (acme.session().body["id"] == acme.session().body["id"]) is same


def test_a_second_session_may_conflict():
    with organisation(second_session="conflict") as acme:
        assert [acme.session().status for _ in range(2)] == [200, 409]


def test_a_device_without_live_response_has_no_session():
    with organisation(live_response_off=400) as acme:
        acme.simulation.world.endpoint("acme", PC).facts["live_response"] = False
        assert acme.session().status == 400
        assert "LIVE_RESPONSE_DISABLED" in acme.device()["sensor_states"]


def test_a_status_comes_in_any_case(acme):
    session_id = acme.joined()
    said = {acme.run(session_id, "process list").body["status"] for _ in range(6)}
    assert said == {"complete", "COMPLETE"}


@pytest.mark.parametrize(("style", "code"), [("signed", 0x80070002 - 2**32), ("unsigned", 0x80070002)])
def test_a_code_comes_with_either_sign(style, code):
    with organisation(result_codes=style) as acme:
        row = acme.run(acme.joined(), "delete file", path="C:\\nowhere").body
        assert (row["status"].upper(), row["result_code"], row["result_type"]) == ("ERROR", code, "WinHresult")


def test_a_process_is_killed_once(acme):
    session_id = acme.joined()
    first = acme.run(session_id, "kill", pid=7).body
    again = acme.run(session_id, "kill", pid=7).body
    assert (first["status"].upper(), again["status"].upper(), again["result_code"] & 0xFFFFFFFF) == ("COMPLETE", "ERROR", 0x80070057)
    assert acme.effects() == [("kill_process", "7", True), ("kill_process", "7", False)]


def test_the_argument_may_be_called_object_and_comes_back_as_such(acme):
    row = acme.run(acme.joined(), "delete file", object=EVIL).body
    assert row["input"] == {"name": "delete file", "object": EVIL}
    assert acme.effects() == [("delete_file", EVIL, True)]


@pytest.mark.parametrize("wrong", [{"name": "Kill", "pid": 7}, {"name": "kill", "pid": "7"}, {"name": "delete file"}, {"name": "kill"}])
def test_a_command_that_the_sensor_does_not_know_is_refused(acme, wrong):
    assert acme.call("POST", f"{LIVE}/{acme.joined()}/commands", wrong).status == 400
    assert acme.effects() == []


def test_a_key_with_subkeys_is_not_deleted(acme):
    session_id = acme.joined()
    assert acme.run(session_id, "reg enum key", path=r"HKLM\Software\Evil").body["sub_keys"] == ["Deep"]
    row = acme.run(session_id, "reg delete key", path=r"HKLM\Software\Evil").body
    assert row["result_code"] & 0xFFFFFFFF == 0x80070005
    assert acme.run(session_id, "reg delete key", path=r"hkey_local_machine\software\evil\DEEP").body["result_code"] == 0
    assert acme.run(session_id, "reg delete key", path=r"HKLM\Software\Evil").body["result_code"] == 0
    assert [changed for *_, changed in acme.effects()] == [False, True, True]


def test_one_value_is_read_and_deleted(acme):
    session_id = acme.joined()
    path = r"HKLM\Software\Evil\Run"
    assert acme.run(session_id, "reg query value", path=path).body["value"]["value_data"] == "evil.exe"
    assert acme.run(session_id, "reg delete value", path=path).body["result_code"] == 0
    assert acme.run(session_id, "reg query value", path=path).body["result_code"] & 0xFFFF == 2


def test_there_is_no_registry_on_a_mac(acme):
    answer = acme.run(acme.joined(MAC), "reg enum key", path="HKLM\\Software")
    assert answer.code == "INVALID_ENUM_VALUE"
    assert "kill" in answer.body["known_values"]


def test_a_file_is_fetched_as_it_is(acme):
    session_id = acme.joined()
    file_id = acme.run(session_id, "get file", path=EVIL).body["file_details"]["file_id"]
    assert acme.call("GET", f"{LIVE}/{session_id}/files/{file_id}/content").body["raw"] == EVIL.encode()
    assert acme.call("GET", f"{LIVE}/{session_id}/files/nope/content").status == 404


def test_a_folder_is_listed_only_with_its_separator(acme):
    session_id = acme.joined()
    names = [one["filename"] for one in acme.run(session_id, "directory list", path="C:\\Temp\\").body["files"]]
    assert names == [".", "..", "evil one.exe"]
    assert acme.run(session_id, "directory list", path="C:\\Temp").body["status"].upper() == "ERROR"


@pytest.mark.parametrize(("locked", "left"), [(True, 1), (False, 0)])
def test_whether_a_running_file_is_locked_is_a_switch(locked, left):
    with organisation(running_files_are_locked=locked) as acme:
        acme.run(acme.joined(), "delete file", path=EVIL)
        assert len(acme.simulation.world.endpoint("acme", PC).files) == left


def test_a_command_waits_for_a_device_that_left_and_can_be_taken_back(acme):
    session_id = acme.joined()
    acme.simulation.world.change("acme", PC, online=False)
    first = acme.run(session_id, "kill", pid=7).body
    second = acme.run(session_id, "kill", pid=8).body
    assert {first["status"].upper(), second["status"].upper()} == {"PENDING"}
    assert acme.call("DELETE", f"{LIVE}/{session_id}/commands/{second['id']}").status == 204
    acme.simulation.world.change("acme", PC, online=True)
    statuses = [acme.call("GET", f"{LIVE}/{session_id}/commands/{one['id']}").body["status"].upper() for one in (first, second)]
    assert statuses == ["COMPLETE", "CANCELLED"]
    assert acme.effects() == [("kill_process", "7", True)]
    assert acme.call("DELETE", f"{LIVE}/{session_id}/commands/{first['id']}").status == 400
