"""Real Time Response: sessions, queues, batches, and what an injected command would do."""

from __future__ import annotations

import pytest

from ar_workers.simulator.crowdstrike.shell import split_commands
from tests.simulator.worlds import AID, EVIL, OTHER, RTR, falcon


def opened(acme, agent_id=AID, **more):
    return acme.session(agent_id, **more).resources[0]["session_id"]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ('rm "C:\\a b\\c.exe"', [["rm", "C:\\a b\\c.exe"]]),
        ("ps; kill 8", [["ps"], ["kill", "8"]]),
        ('rm "a;b"', [["rm", "a;b"]]),
        ('rm "a"\nkill 8', [["rm", "a"], ["kill", "8"]]),
        ('rm "a\nkill 8"', [["rm", "a"], ["kill", "8"]]),
        ("rm ''", [["rm", ""]]),
        (" \n ; ", []),
    ],
)
def test_the_sensors_shell_reads_line_by_line(text, commands):
    assert split_commands(text) == commands


@pytest.mark.parametrize("mark", ["\n", "\r", ";"])
def test_what_is_injected_is_seen_as_a_second_effect(acme, mark):
    acme.command(opened(acme), f'rm "{EVIL}"{mark}kill 8')
    assert acme.effects() == [("delete_file", EVIL, True), ("kill_process", "8", True)]


def test_what_is_injected_behind_a_reading_command_is_seen_too(acme):
    acme.command(opened(acme), "ls C:\\;kill 8", route="command")
    assert acme.effects() == [("kill_process", "8", True)]


@pytest.mark.parametrize("text", ["kill 7", "rm x", r"reg delete HKLM\Software\Evil"])
def test_acting_commands_are_refused_on_the_reading_route(acme, text):
    assert acme.command(opened(acme), text, route="command").codes == [40007]
    assert acme.effects() == []


def test_an_active_responder_may_read(acme):
    assert acme.command(opened(acme), "ps").status == 201


def test_there_is_no_registry_on_linux(acme):
    answer = acme.command(opened(acme, OTHER), r"reg query HKLM\Software", route="command")
    assert answer.codes == [40007]


@pytest.mark.parametrize("base", ["reg", "reg delete"])
def test_a_registry_key_is_deleted_once_whatever_its_case(acme, base):
    session = opened(acme)
    for _ in range(2):
        acme.command(session, r"reg delete hkey_local_machine\software\EVIL", base=base)
    assert [changed for *_, changed in acme.effects()] == [True, False]


def test_a_failure_hides_in_a_complete_answer(acme):
    taken = acme.command(opened(acme), "rm nowhere")
    row = acme.output(taken.resources[0]["cloud_request_id"]).resources[0]
    assert (taken.status, row["complete"], "nowhere" in row["stderr"]) == (201, True, True)


def test_an_answer_is_not_complete_for_a_while():
    with falcon(polls_until_complete=2) as acme:
        request = acme.command(opened(acme), "ps").resources[0]["cloud_request_id"]
        assert [acme.output(request).resources[0]["complete"] for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(("style", "flags"), [("last", [False, True]), ("each", [True, True])])
def test_a_long_answer_comes_in_chunks(style, flags):
    with falcon(polls_until_complete=0, stdout_chunk=90, chunks_complete=style) as acme:
        request = acme.command(opened(acme), "ps").resources[0]["cloud_request_id"]
        rows = [acme.output(request, number).resources[0] for number in (0, 1)]
        assert [row["complete"] for row in rows] == flags
        assert "fine.exe" in rows[0]["stdout"] + rows[1]["stdout"]


def test_a_session_dies_after_ten_idle_minutes(acme):
    session = opened(acme)
    acme.simulation.clock.advance(601)
    assert acme.command(session, "ps").codes == [40002]
    assert opened(acme) != session


def test_a_pulse_keeps_a_session_alive(acme):
    session = opened(acme)
    for _ in range(3):
        acme.simulation.clock.advance(400)
        acme.call("POST", f"{RTR}/entities/refresh-session/v1", {"device_id": AID})
    assert acme.command(session, "ps").status == 201


def test_a_queued_command_is_done_when_its_host_returns(acme):
    acme.simulation.world.change("acme", AID, online=False)
    assert acme.session().codes == [40401]
    session = opened(acme, queue_offline=True)
    taken = acme.command(session, "kill 7").resources[0]
    assert taken["queued_command_offline"]
    assert acme.output(taken["cloud_request_id"]).resources[0]["complete"] is False
    assert acme.effects() == []
    acme.simulation.world.change("acme", AID, online=True)
    assert acme.effects() == [("kill_process", "7", True)]
    acme.simulation.world.change("acme", AID, online=False)
    acme.simulation.world.change("acme", AID, online=True)
    assert len(acme.effects()) == 1


def test_a_queued_command_expires_after_seven_days(acme):
    acme.simulation.world.change("acme", AID, online=False)
    acme.command(opened(acme, queue_offline=True), "kill 7")
    acme.simulation.clock.advance(7 * 86400 + 1)
    acme.simulation.world.change("acme", AID, online=True)
    assert acme.effects() == []


def test_a_queued_command_can_be_listed_and_taken_back(acme):
    acme.simulation.world.change("acme", AID, online=False)
    session = opened(acme, queue_offline=True)
    request = acme.command(session, "kill 7").resources[0]["cloud_request_id"]
    listed = acme.call("POST", f"{RTR}/entities/queued-sessions/GET/v1", {"ids": [session]}).resources[0]
    assert [one["cloud_request_id"] for one in listed["Commands"]] == [request]
    path = f"{RTR}/entities/queued-sessions/command/v1"
    assert acme.call("DELETE", path, session_id=session, cloud_request_id=request).status == 204
    acme.simulation.world.change("acme", AID, online=True)
    assert acme.effects() == []


def test_a_batch_answers_with_maps(acme):
    acme.simulation.world.change("acme", OTHER, online=False)
    started = acme.call("POST", f"{RTR}/combined/batch-init-session/v1", {"host_ids": [AID, OTHER]})
    assert started.body["resources"][OTHER]["errors"][0]["code"] == 40401
    body = {"batch_id": started.body["batch_id"], "base_command": "kill", "command_string": "kill 5260"}
    done = acme.call("POST", f"{RTR}/combined/batch-active-responder-command/v1", body)
    rows = done.body["combined"]["resources"]
    assert (done.status, list(rows)) == (201, [AID])
    assert rows[AID]["stderr"] == "Cannot find a process with the process identifier 5260."


def test_a_batch_without_any_host_is_not_found(acme):
    assert acme.call("POST", f"{RTR}/combined/batch-init-session/v1", {"host_ids": ["0" * 32]}).status == 404
    assert acme.call("POST", f"{RTR}/combined/batch-init-session/v1", {"host_ids": []}).status == 400
