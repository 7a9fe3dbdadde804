"""Live response of Defender: which script is run, one session at a time, and whose answer is believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, Throttled, Unsupported
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import RegistryKey
from ar_workers.edr.defender.live import argument, outcome
from ar_workers.simulator import Fault
from tests.builders import EVIL, sha256
from tests.edr import quoting
from tests.edr.defender.building import NOT_SO, asked
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.defender import defender, machine_id


@pytest.mark.parametrize("verb", ["kill_process", "delete_file", "delete_registry_key"])
def test_a_live_response_whose_receipt_was_lost_is_known_by_its_mark(rig, verb):
    action = rig.action(verb)
    asked(rig, action)
    assert rig.adapter.observe(action, None).sight is Sight.PENDING
    assert rig.settled(action, None).sight is Sight.PRESENT
    assert len(rig.effects()) == 1


def test_what_was_done_long_ago_tells_nothing_of_now(rig):
    action = rig.action("delete_file")
    rig.settled(action, asked(rig, action))
    rows = rig.adapter._api.pages("/api/machineactions")
    old = [{**row, "lastUpdateDateTimeUtc": "2020-01-01T00:00:00.0000000Z"} for row in rows]
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps({"value": old}), path="/api/machineactions"))
    assert rig.adapter.observe(action, None).sight is Sight.UNKNOWABLE


def test_a_file_of_other_content_is_left_alone(rig):
    action = rig.action("delete_file")
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).files[0].sha256 = sha256("other")
    receipt = asked(rig, action)
    assert rig.settled(action, receipt).sight is Sight.MISMATCH
    assert rig.adapter.observe(action, None).sight is Sight.MISMATCH
    assert rig.effects() == []


def test_a_pid_of_another_image_is_left_alone(rig):
    action = rig.action("kill_process")
    other = rig.simulation.world.endpoint("acme", machine_id(FIRST)).processes[0]
    other.path, other.sha256 = r"C:\other.exe", sha256("other")
    assert rig.settled(action, asked(rig, action)).sight is Sight.MISMATCH
    assert rig.effects() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = rig.action("delete_registry_key").model_copy(update={"registry": RegistryKey(key=r"HKLM\Software\Evil", value="a")})
    assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT
    assert rig.simulation.world.endpoint("acme", machine_id(FIRST)).registry == {r"HKLM\Software\Evil": {"b": "2"}}


def test_a_session_of_somebody_else_is_waited_for(rig):
    kill, deletion = rig.action("kill_process"), rig.action("delete_file")
    asked(rig, kill)
    with pytest.raises(Throttled, match="another action is open"):
        asked(rig, deletion)
    rig.simulation.clock.advance(100)
    assert rig.settled(deletion, asked(rig, deletion)).sight is Sight.PRESENT


@pytest.mark.parametrize("library", [{}, {"ar_workers.ps1": {"fileName": "ar_workers.ps1", "sha256": sha256("tampered with")}}])
def test_a_script_that_is_not_the_one_meant_is_never_run(library):
    with defender(facts={"library": library}) as rig:
        with pytest.raises(Denied, match="upload the scripts"):
            asked(rig, rig.action("kill_process"))
        assert rig.written() == []


def test_an_operator_uploads_the_scripts_once():
    with defender(facts={}) as rig:
        assert rig.adapter.upload_scripts() == ("ar_workers.ps1", "ar_workers.sh")
        assert rig.adapter.upload_scripts() == ()
        action = rig.action("kill_process")
        assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT


def test_the_script_for_an_unknown_system_is_chosen_by_what_defender_says(rig):
    unknown = rig.action("kill_process").model_copy(update={"endpoint": rig.endpoint(OS.UNKNOWN)})
    assert rig.settled(unknown, asked(rig, unknown)).sight is Sight.PRESENT
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).facts["machine"]["osPlatform"] = None
    with pytest.raises(Unsupported, match="OS"):
        rig.adapter.perform(unknown, NOT_SO)


def test_live_response_that_is_switched_off_is_told():
    with defender(live_response=False) as rig, pytest.raises(AuthRefused, match="DisabledFeature"):
        asked(rig, rig.action("kill_process"))


def test_a_failed_script_is_a_refusal_and_may_be_asked_for_again(rig):
    action = rig.action("kill_process")
    receipt = asked(rig, action)
    rig.simulation.clock.advance(100)
    body = json.dumps({"script_name": "ar_workers.ps1", "exit_code": 1, "script_output": "", "script_errors": "Access is denied."})
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/investigation-actions-data/*"))
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "Access is denied." in fact.evidence) == (Sight.REFUSED, True)
    assert rig.adapter.observe(action, None).sight is Sight.ABSENT


def test_the_answer_of_another_order_is_none():
    line = '{"mark":"another","outcome":"done","reason":""}'
    assert outcome({"exit_code": 0, "script_output": line}, "ours").sight is Sight.REFUSED
    assert outcome({"exit_code": 0, "script_output": f"noise\n{line}\n"}, "another").sight is Sight.PRESENT


def test_a_result_is_fetched_without_the_token_and_from_nowhere_else(rig):
    action = rig.action("kill_process")
    assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT
    for link in (
        "https://evil.example/x",
        "https://core.windows.net.evil.example/x",
        "ftp://127.0.0.1/x",
        "http://x.blob.core.windows.net/y",
    ):
        with pytest.raises(Denied):
            rig.adapter._api.download(link)


ANYTHING = st.text(max_size=60) | st.text(alphabet=st.sampled_from(quoting.ALPHABET), max_size=40)


@given(ANYTHING, ANYTHING)
def test_no_value_becomes_a_second_command(path, mark):
    quoting.defender(path, mark)


@pytest.mark.parametrize("separator", [";", "\n", "|", "&", "`", "$("])
def test_the_twin_would_show_a_second_command(rig, separator):
    """The control of the test above: what is not encoded by us is another command."""
    text = argument("delete_file", "mark", path=EVIL, sha256="") + separator + "Stop-Process 4711"
    params = [{"key": "ScriptName", "value": "ar_workers.ps1"}, {"key": "Args", "value": text}]
    body = {"Comment": "control", "Commands": [{"type": "RunScript", "params": params}]}
    rig.adapter._api.post(f"/api/machines/{machine_id(FIRST)}/runliveresponse", body)
    rig.simulation.clock.advance(100)
    rig.adapter.observe(rig.action("isolate"), None)
    assert rig.effects() == [("delete_file", EVIL), ("other_command", "Stop-Process 4711")]
