"""Scripts as Cortex XDR runs them: what a look and an act prove, and which scripts are run at all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.errors import Denied, EndpointOffline, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import Process
from ar_workers.edr.cortex_xdr.on_endpoint import look
from ar_workers.edr.cortex_xdr.scripts import encoded
from tests.builders import EVIL, agent_id, sha256
from tests.edr import quoting
from tests.edr.cortex_xdr.building import SHELL, performed, says
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.cortex_xdr import ACT_UID, RUN, cortex_xdr

RESULTS = "*/scripts/get_script_execution_results"


@pytest.mark.parametrize("answer", ["return_value", "standard_output"])
@pytest.mark.parametrize("verb", SHELL)
def test_a_scripts_answer_is_read_wherever_it_stands(verb, answer):
    with cortex_xdr(script_answer=answer) as rig:
        action, receipt = performed(rig, verb)
        assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


@pytest.mark.parametrize("verb", SHELL)
def test_a_look_that_returns_false_is_no_sight(verb):
    with cortex_xdr(script_answer="false") as rig, pytest.raises(VendorFault, match="False"):
        rig.adapter.observe(rig.action(verb), None)


def pretends(rig, **row):
    """The vendor takes an order to act, reports this of it, and nothing has happened. Returns its receipt."""
    says(rig, RUN, {"action_id": 9999, "endpoints_count": 1}, body_contains=ACT_UID)
    shown = {"endpoint_id": agent_id(FIRST), "execution_status": "COMPLETED_SUCCESSFULLY", "_return_value": [False], **row}
    says(rig, RESULTS, {"results": [shown]}, body_contains="9999")
    return rig.adapter.perform(rig.action("kill_process"), None)


def test_a_script_that_completed_is_no_proof(rig):
    fact = rig.adapter.observe(rig.action("kill_process"), pretends(rig))
    assert (fact.sight, "still there" in fact.evidence, "False" in fact.evidence) == (Sight.REFUSED, True, True)


def test_what_the_script_could_not_do_is_said(rig):
    answer = json.dumps({"state": "failed", "why": "AccessDenied: pid 4711"})
    fact = rig.adapter.observe(rig.action("kill_process"), pretends(rig, _return_value=[answer]))
    assert (fact.sight, "AccessDenied" in fact.evidence) == (Sight.REFUSED, True)


def test_a_pid_that_was_given_away_after_the_kill_is_no_mismatch(rig):
    receipt = pretends(rig, _return_value=[json.dumps({"state": "done", "why": EVIL})])
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes[0].sha256 = sha256("another")
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.PRESENT


def test_a_script_that_ran_too_long_is_judged_by_the_endpoint(rig):
    receipt = pretends(rig, execution_status="TIMEOUT", _return_value=[])
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.REFUSED
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes.clear()
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.PRESENT


@pytest.mark.parametrize("status", ["EXPIRED", "CANCELED", "CANCELLED"])
def test_a_script_that_never_ran_is_refused_without_another_look(rig, status):
    receipt = pretends(rig, execution_status=status, _return_value=None)
    before = len(rig.simulation.journal.requests(path=RUN))
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.REFUSED
    assert len(rig.simulation.journal.requests(path=RUN)) == before


@pytest.mark.parametrize("verb", SHELL)
def test_a_worker_lost_after_asking_finds_the_effect_and_doubles_nothing(rig, verb):
    action, _ = performed(rig, verb)
    assert rig.adapter.observe(action, None).sight is Sight.PRESENT
    rig.adapter.perform(action, None)
    rig.adapter.observe(action, None)
    assert len(rig.effects()) == 1


def looks(rig):
    return [each for each in rig.simulation.journal.requests(path=RUN) if not rig.is_write(each)]


def test_a_slow_look_is_gone_on_with_and_not_begun_again():
    with cortex_xdr(order_takes=30.0, config={"patience": 0.0}) as rig:
        action = rig.action("delete_file")
        with pytest.raises(VendorFault, match="not answered") as raised:
            rig.adapter.observe(action, None)
        assert raised.value.retry_after == timedelta(seconds=10)
        rig.simulation.clock.advance(31)
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT
        assert len(looks(rig)) == 1


def test_a_look_begun_before_the_order_says_nothing_about_it():
    with cortex_xdr(order_takes=30.0, config={"patience": 0.0}) as rig:
        action = rig.action("delete_file")
        with pytest.raises(VendorFault):
            rig.adapter.observe(action, None)
        receipt = rig.adapter.perform(action, None)
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        rig.simulation.clock.advance(31)
        with pytest.raises(VendorFault):
            rig.adapter.observe(action, receipt)
        rig.simulation.clock.advance(31)
        assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT
        assert len(looks(rig)) == 2


def test_a_look_at_an_endpoint_that_went_away_is_offline(rig):
    row = {"endpoint_id": agent_id(FIRST), "execution_status": "EXPIRED", "_return_value": None}
    says(rig, RESULTS, {"results": [row]})
    with pytest.raises(EndpointOffline):
        rig.adapter.observe(rig.action("kill_process"), None)


def test_a_process_that_is_another_is_no_target(rig):
    action = rig.action("kill_process")
    other = action.model_copy(update={"process": Process(pid=4711, image_path=EVIL, sha256=sha256("other"))})
    assert rig.adapter.observe(other, None).sight is Sight.MISMATCH
    gone = action.model_copy(update={"process": Process(pid=9999, image_path=EVIL)})
    assert rig.adapter.observe(gone, None).sight is Sight.PRESENT


def test_an_order_to_kill_that_no_longer_fits_kills_nothing(rig):
    action = rig.action("kill_process")
    seen = rig.adapter.observe(action, None)
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes[0].sha256 = sha256("another")
    assert rig.adapter.observe(action, rig.adapter.perform(action, seen)).sight is Sight.MISMATCH
    assert rig.effects() == []


def test_a_process_that_is_vital_by_the_time_of_the_order_lives(rig):
    """The script that acts judges for itself: between the look and the order the pid may go to another process."""
    action = rig.action("kill_process").model_copy(update={"process": Process(pid=4711, sha256=sha256(EVIL))})
    seen = rig.adapter.observe(action, None)
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes[0].path = r"C:\Windows\System32\lsass.exe"
    fact = rig.adapter.observe(action, rig.adapter.perform(action, seen))
    assert (fact.sight, fact.evidence) == (Sight.MISMATCH, "vital process lsass.exe: never killed by automation")
    assert rig.effects() == []


@pytest.mark.parametrize("process", [Process(pid=4711), Process(pid=4, image_path=EVIL)])
def test_what_must_not_be_killed_is_refused_before_any_request(rig, process):
    action = rig.action("kill_process").model_copy(update={"process": process})
    for ask in (rig.adapter.observe, rig.adapter.perform):
        with pytest.raises(Denied):
            ask(action, None)
    assert rig.simulation.journal.requests() == []


def a_script(name="ar_workers_act", uid="1" * 32, inputs=("judged_request",)):
    flags = dict.fromkeys(("windows_supported", "macos_supported", "linux_supported", "is_high_risk"), True)
    return {"name": name, "script_uid": uid, "script_inputs": [{"name": each} for each in inputs], **flags}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"scripts": {"ar_workers_act": None}}, "no scripts named"),
        ({"more_scripts": [a_script()]}, "2 scripts named"),
        ({"scripts": {"ar_workers_act": {"script_inputs": [{"name": "commands_list"}]}}}, "not ours"),
        ({"scripts": {"ar_workers_act": {"script_inputs": [{"name": "request"}]}}}, "of an earlier version"),
    ],
)
def test_no_script_but_exactly_ours_is_run(facts, why):
    with cortex_xdr(facts=facts) as rig:
        with pytest.raises(Denied, match=why):
            rig.adapter.perform(rig.action("kill_process"), None)
        assert rig.written() == []


def test_a_script_may_be_named_by_its_uid():
    with cortex_xdr(config={"act_script": ACT_UID}) as rig:
        performed(rig, "kill_process")
        assert len(rig.written()) == 1


def test_without_the_licence_scripts_are_denied_and_isolation_is_not():
    with cortex_xdr(facts={"licence": "prevent"}) as rig:
        with pytest.raises(Denied, match="402 License error - Cortex XDR Pro"):
            rig.adapter.observe(rig.action("kill_process"), None)
        performed(rig, "isolate")


ANY = st.text(alphabet=st.sampled_from(quoting.ALPHABET), max_size=40)


@given(ANY, ANY)
def test_no_value_becomes_a_second_command(path, value):
    quoting.cortex_xdr(path, value)


@given(ANY)
def test_a_script_reads_exactly_what_was_meant(name):
    answer = json.loads(look(encoded({"verb": "delete_file", "path": f"/nowhere/{name}"})))
    assert answer["state"] in ({"failed", "mismatch"} if "\x00" in name else {"absent", "mismatch"})


@given(ANY)
def test_a_request_that_is_not_encoded_does_nothing(text):
    assert json.loads(look(text))["state"] == "failed"
