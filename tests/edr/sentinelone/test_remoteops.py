"""RemoteOps scripts as ordered: tasks that wait, expire or need approval, and orders of exactly one word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, OutcomeUnknown, Unsupported
from ar_workers.domain.facts import Receipt, Sight
from ar_workers.edr.sentinelone.remoteops import order_word
from ar_workers.simulator import Fault
from tests.builders import a_delete, a_key_deletion, a_kill, sha256
from tests.edr import quoting
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.sentinelone import API, SCRIPTS, sentinelone
from tests.edr.sentinelone.building import NOT_SO, answer_with, performed


def test_a_process_of_another_image_is_left_alone_by_the_script(rig):
    endpoint = rig.simulation.world.endpoint("acme", rig.agent_id(FIRST))
    endpoint.processes[0].path, endpoint.processes[0].sha256 = r"C:\other.exe", sha256("other")
    action, receipt = performed(rig, "kill_process")
    assert rig.settled(action, receipt).sight is Sight.MISMATCH
    assert rig.effects() == []


@pytest.mark.parametrize(("offline", "sight"), [("waits", Sight.PENDING), ("fails", Sight.REFUSED)])
def test_a_script_for_an_offline_endpoint_waits_or_fails(offline, sight):
    with sentinelone(offline_script=offline) as rig:
        rig.change(online=False)
        action, receipt = performed(rig, "kill_process")
        fact = rig.settled(action, receipt, looks=2)
        assert (fact.sight, "offline" in fact.evidence) == (sight, True)


def test_a_task_that_expired_is_a_refusal():
    with sentinelone(task_life=600.0) as rig:
        rig.change(online=False)
        action, receipt = performed(rig, "kill_process")
        rig.simulation.clock.advance(700)
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "expired" in fact.evidence) == (Sight.REFUSED, True)


def decide(rig, receipt, action):
    body = {"data": {"action": action}}
    rig.adapter._api._call("PUT", f"remote-scripts/pending-executions/{receipt.detail['approval']}", body=body)


def test_a_script_that_waits_for_approval_is_pending_until_it_has_run():
    with sentinelone(guardrail=True) as rig:
        action, receipt = performed(rig, "kill_process")
        assert "approval is waiting" in rig.settled(action, receipt, looks=3).evidence
        assert rig.effects() == []
        decide(rig, receipt, "approve")
        assert rig.settled(action, receipt).sight is Sight.PRESENT


def test_a_declined_script_is_a_refusal():
    with sentinelone(guardrail=True) as rig:
        action, receipt = performed(rig, "kill_process")
        decide(rig, receipt, "decline")
        assert rig.adapter.observe(action, receipt).sight is Sight.REFUSED


def test_an_approved_script_whose_task_is_hidden_is_never_called_done():
    with sentinelone(guardrail=True, approved_task="hidden") as rig:
        action, receipt = performed(rig, "kill_process")
        decide(rig, receipt, "approve")
        assert rig.settled(action, receipt, looks=3).sight is Sight.PENDING


def test_a_script_that_waits_for_approval_is_adopted_and_not_ordered_again():
    with sentinelone(guardrail=True) as rig:
        action, first = performed(rig, "kill_process")
        second = rig.adapter.perform(action, NOT_SO)
        assert second.detail == first.detail | {"adopted": "yes"}
        assert len(rig.written()) == 1


def test_a_console_without_approvals_runs_scripts_all_the_same(rig):
    rig.simulation.faults.add(Fault(action="reply", status=404, path=f"{API}/remote-scripts/pending-executions"))
    action, receipt = performed(rig, "kill_process")
    assert rig.settled(action, receipt).sight is Sight.PRESENT


def test_after_a_lost_answer_the_console_cannot_show_what_a_script_did(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "kill_process")
    assert rig.adapter.observe(rig.action("kill_process"), None).sight is Sight.UNKNOWABLE


def test_a_receipt_of_a_script_without_any_number_stays_pending(rig):
    assert rig.adapter.observe(rig.action("kill_process"), Receipt()).sight is Sight.PENDING


def test_an_os_without_a_script_is_refused_before_any_request():
    with sentinelone(config={"scripts": {OS.MACOS: SCRIPTS[OS.MACOS]}}) as rig:
        with pytest.raises(Unsupported, match="no RemoteOps script for windows"):
            rig.adapter.observe(rig.action("kill_process"), None)
        assert rig.simulation.journal.requests() == []


def test_a_script_that_reaches_no_endpoint_is_denied(rig):
    answer_with(rig, "remote-scripts/execute", {"data": {"affected": 0, "parentTaskId": None}})
    with pytest.raises(Denied, match="nothing was affected"):
        performed(rig, "kill_process")


def test_a_script_of_an_earlier_version_is_told_to_be_one(rig):
    action, receipt = performed(rig, "kill_process")
    line = {"ar_workers": receipt.detail["order"], "outcome": "failed", "detail": "an order that this script does not know"}
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps(line), path="/script-results/*"))
    fact = rig.settled(action, receipt)
    assert (fact.sight, "upload the scripts of this version" in fact.evidence) == (Sight.REFUSED, True)


@pytest.mark.parametrize(
    "action",
    [
        a_kill(image_path=None, sha256=None),
        a_kill(pid=4),
        a_delete(path=r"C:\Windows\System32\x.dll"),
        a_key_deletion(key=r"HKLM\Software"),
    ],
    ids=["pid", "kernel", "system", "hive"],
)
def test_what_is_never_touched_is_refused_before_any_request(rig, action):
    with pytest.raises(Denied):
        rig.adapter.observe(action, None)
    assert rig.simulation.journal.requests() == []


@given(tail=st.text(alphabet=st.sampled_from(quoting.ALPHABET), min_size=1, max_size=40), os=st.sampled_from([OS.WINDOWS, OS.MACOS]))
def test_no_value_becomes_more_than_one_word(tail, os):
    quoting.sentinelone(tail, os)


def test_the_twin_would_show_a_second_command(rig):
    """The control of the test above: two words that a shell would part have two effects."""
    words = [order_word(each, OS.WINDOWS, "o") for each in (a_delete(), a_kill())]
    data = {"scriptId": SCRIPTS[OS.WINDOWS], "outputDestination": "SentinelCloud", "taskDescription": "x", "inputParams": ";".join(words)}
    rig.adapter._api.act("remote-scripts/execute", rig.agent_id(FIRST), data)
    rig.simulation.clock.advance(90)
    rig.adapter.endpoint(rig.agent_id(FIRST))
    assert [verb for verb, _ in rig.effects()] == ["delete_file", "kill_process"]
