"""What is special about Cortex XDR."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.capabilities import Means
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
from ar_workers.domain.facts import Receipt, Sight
from ar_workers.domain.indicators import File, FileHash, Process
from ar_workers.edr.cortex_xdr import Config, CortexXDR
from ar_workers.edr.cortex_xdr.adapter import BLOCK
from ar_workers.edr.cortex_xdr.on_endpoint import look
from ar_workers.edr.cortex_xdr.scripts import encoded
from ar_workers.simulator import Fault
from tests.builders import EVIL, agent_id, sha256
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.cortex_xdr import ACT_UID, RUN, V1, cortex_xdr

SHELL = ("kill_process", "delete_file", "delete_registry_key")
STATUS = "*/actions/get_action_status"
RESULTS = "*/scripts/get_script_execution_results"


@pytest.fixture
def rig():
    with cortex_xdr() as found:
        yield found


def says(rig, path, reply, *, status=200, **more):
    """From now on the vendor answers `path` so."""
    rig.simulation.faults.add(Fault(action="reply", status=status, body=json.dumps({"reply": reply}), path=path, **more))


def performed(rig, verb):
    action = rig.action(verb)
    return action, rig.adapter.perform(action, rig.adapter.observe(action, None))


def an_error(extra, code=500):
    return {"err_code": code, "err_msg": "An error occurred while processing XDR public API", "err_extra": extra}


@pytest.mark.parametrize("level", ["standard", "advanced"])
def test_each_kind_of_key_is_signed_in_its_way(level):
    with cortex_xdr(config={"security_level": level}, facts={"security_level": level}) as rig:
        assert rig.adapter.endpoint(agent_id(FIRST)) == rig.endpoint()
        assert rig.adapter.endpoint(agent_id(NEIGHBOUR)).hostname == NEIGHBOUR


@pytest.mark.parametrize(("ours", "theirs"), [("standard", "advanced"), ("advanced", "standard")])
def test_the_wrong_kind_of_key_is_refused_and_not_asked_about_again(ours, theirs):
    with cortex_xdr(config={"security_level": ours}, facts={"security_level": theirs}) as rig:
        with pytest.raises(AuthRefused, match="401"):
            rig.adapter.endpoint(agent_id(FIRST))
        assert len(rig.simulation.journal.requests()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api-acme.xdr.us.paloaltonetworks.com",
        "https://evil.example",
        "https://api-acme.xdr.us.paloaltonetworks.com.evil.example",
        "https://api-acme.xdr.us.paloaltonetworks.com/public_api",
        "https://paloaltonetworks.com",
        "ftp://127.0.0.1",
    ],
)
def test_the_key_goes_nowhere_but_to_cortex(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, auth_id=7, api_key="x")


def test_a_tenant_of_any_region_is_taken():
    assert Config(base_url="https://api-acme.xdr.eu.paloaltonetworks.com", auth_id=7, api_key="x")


@pytest.mark.parametrize("extra", ["license is missing", {"reason": "license is missing"}])
def test_what_the_vendor_says_is_read_as_text_or_object(rig, extra):
    says(rig, "*/get_endpoint", an_error(extra), status=500)
    with pytest.raises(VendorFault, match="license is missing"):
        rig.adapter.endpoint(agent_id(FIRST))


@pytest.mark.parametrize(("code", "kind"), [(500, VendorFault), (429, Throttled), (403, AuthRefused), (401, AuthRefused), (402, Denied)])
def test_an_error_within_a_200_is_an_error(rig, code, kind):
    says(rig, "*/get_endpoint", an_error("no", code))
    with pytest.raises(kind):
        rig.adapter.endpoint(agent_id(FIRST))


def test_a_200_without_a_reply_leaves_a_write_unknown_and_a_read_failed(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body="[]", path="*/endpoints/*"))
    with pytest.raises(VendorFault):
        rig.adapter.endpoint(agent_id(FIRST))
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(rig.action("isolate"), None)


def test_a_read_that_broke_off_may_be_repeated(rig):
    rig.simulation.faults.add(Fault(action="cut", path="*/get_endpoint"))
    with pytest.raises(VendorFault):
        rig.adapter.endpoint(agent_id(FIRST))


@pytest.mark.parametrize(
    ("status", "isolate", "release"),
    [
        ("normal", Sight.NOT_SO, Sight.SO),
        ("containment_pending", Sight.PENDING, NotSent),
        ("contained", Sight.SO, Sight.NOT_SO),
        ("lift_containment_pending", NotSent, Sight.PENDING),
    ],
)
def test_each_of_the_four_isolation_states_is_told_apart(rig, status, isolate, release):
    rig.change(status=status)
    for verb, expected in (("isolate", isolate), ("release", release)):
        if expected is NotSent:
            with pytest.raises(NotSent, match="opposite"):
                rig.adapter.observe(rig.action(verb), None)
        else:
            assert rig.adapter.observe(rig.action(verb), None).sight is expected


def test_an_isolation_that_a_person_lifted_is_not_so(rig):
    action, receipt = performed(rig, "isolate")
    assert rig.settled(action, receipt).sight is Sight.SO
    rig.change(status="normal")
    assert rig.adapter.observe(action, receipt).sight is Sight.NOT_SO


@pytest.mark.parametrize("answer", ["order", "error"])
def test_a_repeated_isolation_is_adopted_whichever_way_it_is_answered(answer):
    with cortex_xdr(repeated_isolation=answer) as rig:
        action, _ = performed(rig, "isolate")
        again = rig.adapter.perform(action, None)
        assert bool(again.reference) is (answer == "order")
        assert rig.settled(action, again).sight is Sight.SO
        assert len(rig.effects()) == 1


def test_any_other_500_of_an_isolation_is_no_receipt(rig):
    says(rig, "*/endpoints/isolate", an_error("No endpoint was found"), status=500)
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("isolate"), None)


def test_an_isolation_refused_for_a_pending_release_is_no_receipt(rig):
    rig.change(status="lift_containment_pending")
    with pytest.raises(VendorFault, match="pending"):
        rig.adapter.perform(rig.action("isolate"), None)


def test_a_refused_isolation_whose_state_cannot_be_read_is_no_receipt():
    with cortex_xdr(repeated_isolation="error") as rig:
        performed(rig, "isolate")
        rig.simulation.faults.add(Fault(action="reply", status=429, path="*/get_endpoint"))
        with pytest.raises(VendorFault, match="already"):
            rig.adapter.perform(rig.action("isolate"), None)


def test_a_worker_lost_after_asking_finds_the_isolation_on_its_way(rig):
    action, _ = performed(rig, "isolate")
    assert rig.adapter.observe(action, None).sight is Sight.PENDING


@pytest.mark.parametrize("reasons", [True, False])
def test_an_order_for_an_offline_endpoint_expires_and_is_refused(reasons):
    with cortex_xdr(order_life=600.0, error_reasons=reasons) as rig:
        rig.change(online=False)
        action, receipt = performed(rig, "isolate")
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        rig.simulation.clock.advance(700)
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "EXPIRED" in fact.evidence) == (Sight.REFUSED, True)


@pytest.mark.parametrize(
    ("status", "sight"),
    [
        ("PENDING", Sight.PENDING),
        ("IN_PROGRESS", Sight.PENDING),
        ("PENDING_ABORT", Sight.PENDING),
        ("A_NEW_WORD", Sight.PENDING),
        ("COMPLETED_SUCCESSFULLY", Sight.NOT_SO),
        ("COMPLETED_PARTIAL", Sight.NOT_SO),
        ("FAILED", Sight.REFUSED),
        ("TIMEOUT", Sight.REFUSED),
        ("EXPIRED", Sight.REFUSED),
        ("ABORTED", Sight.REFUSED),
        ("CANCELED", Sight.REFUSED),
        ("CANCELLED", Sight.REFUSED),
    ],
)
def test_the_status_of_an_order_never_outweighs_the_endpoint(rig, status, sight):
    action = rig.action("isolate")
    says(rig, STATUS, {"data": {agent_id(FIRST): status}})
    assert rig.adapter.observe(action, Receipt(reference="1001")).sight is sight
    rig.change(status="contained")
    assert rig.adapter.observe(action, Receipt(reference="1001")).sight is Sight.SO


@pytest.mark.parametrize("reasons", [{"errorText": "agent too old", "terminated_by": None}, "agent too old"])
def test_the_reason_of_a_failed_order_is_shown_whatever_its_shape(rig, reasons):
    says(rig, STATUS, {"data": {agent_id(FIRST): "FAILED"}, "errorReasons": {agent_id(FIRST): reasons}})
    assert "agent too old" in rig.adapter.observe(rig.action("isolate"), Receipt(reference="1001")).evidence


@pytest.mark.parametrize("reply", [{"action_id": 1, "endpoints_count": 0}, {"action_id": 1, "endpoints_count": 2}, {"status": "1"}, None])
def test_an_order_that_took_not_exactly_one_endpoint_is_no_receipt(rig, reply):
    says(rig, "*/endpoints/isolate", reply)
    with pytest.raises(VendorFault, match="exactly one"):
        rig.adapter.perform(rig.action("isolate"), None)


@pytest.mark.parametrize("verb", ["isolate", "release", "quarantine_file"])
def test_a_filter_is_never_empty_and_never_beside_an_endpoint_id(rig, verb):
    rig.adapter.perform(rig.action(verb), None)
    (entry,) = rig.written()
    data = entry["body"]["request_data"]
    assert ("endpoint_id" in data) != ("filters" in data)
    assert data.get("endpoint_id", agent_id(FIRST)) == agent_id(FIRST)
    assert all(each["value"] == [agent_id(FIRST)] for each in data.get("filters", []))


@pytest.mark.parametrize(("detailed", "status"), [(True, "500"), (False, "500"), (True, "200")])
def test_a_ban_says_that_it_rests_on_the_answer_alone(detailed, status):
    with cortex_xdr(detailed_response=detailed, error_status=status) as rig:
        action, receipt = performed(rig, "ban_hash")
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "not read back" in fact.evidence) == (Sight.SO, True)
        again = rig.adapter.observe(action, rig.adapter.perform(action, None))
        assert (again.sight, "allow or block list" in again.evidence) == (Sight.UNKNOWABLE, True)


def test_a_hash_on_the_allow_list_is_never_told_to_be_banned(rig):
    action = rig.action("ban_hash")
    rig.simulation.world.tenant("acme").iocs[action.hash.sha256] = {"id": action.hash.sha256, "list": "allow"}
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "see that it is not allowed" in fact.evidence) == (Sight.UNKNOWABLE, True)


def test_a_hash_left_out_of_the_answer_is_no_ban(rig):
    says(rig, BLOCK, {"added_hashes": [], "excluded_hashes": []})
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("ban_hash"), None)
    rig.simulation.faults.clear()
    says(rig, BLOCK, {"added_hashes": [], "excluded_hashes": [rig.action("ban_hash").hash.sha256]})
    assert rig.adapter.perform(rig.action("ban_hash"), None).detail == {"answer": "listed"}


def test_any_other_500_of_a_ban_is_no_receipt(rig):
    says(rig, BLOCK, an_error("database is away"), status=500)
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("ban_hash"), None)


def test_a_block_list_that_can_be_read_is_read_back():
    route = f"{V1}/hash_exceptions/blocklist/get"
    with cortex_xdr(config={"blocklist_route": route}, blocklist_route=route) as rig:
        action = rig.action("ban_hash")
        assert rig.adapter.observe(action, None).sight is Sight.NOT_SO
        rig.adapter.perform(action, None)
        assert rig.adapter.observe(action, None).sight is Sight.SO
        rig.simulation.world.tenant("acme").iocs[action.hash.sha256]["list"] = "allow"
        assert rig.adapter.observe(action, None).sight is Sight.NOT_SO


def test_a_block_list_route_that_the_tenant_has_not_is_an_error_and_no_ban():
    with cortex_xdr(config={"blocklist_route": f"{V1}/hash_exceptions/blocklist/get"}) as rig, pytest.raises(Denied, match="404"):
        rig.adapter.observe(rig.action("ban_hash"), None)


def test_other_hashes_are_refused_before_any_request(rig):
    action = rig.action("ban_hash").model_copy(update={"hash": FileHash(md5="a" * 32, sha1="b" * 40)})
    with pytest.raises(Unsupported, match="sha256"):
        rig.adapter.perform(action, None)
    assert rig.simulation.journal.requests() == []


def test_a_file_without_its_hash_is_not_quarantined(rig):
    action = rig.action("quarantine_file").model_copy(update={"file": File(path=EVIL)})
    with pytest.raises(Unsupported, match="sha256"):
        rig.adapter.observe(action, None)
    assert rig.simulation.journal.requests() == []


def test_another_file_at_the_path_is_not_quarantined(rig):
    action = rig.action("quarantine_file").model_copy(update={"file": File(path=EVIL, sha256=sha256("other"))})
    receipt = rig.adapter.perform(action, None)
    assert rig.settled(action, receipt).sight is Sight.REFUSED
    assert rig.effects() == []


def test_a_domain_ban_is_not_claimed():
    cells = {(cell.verb, cell.means) for cell in CortexXDR.capabilities()}
    assert cells == {(verb, Means.SHELL if verb in SHELL else Means.NATIVE) for verb in ACTIONS if verb != "ban_domain"}


@pytest.mark.parametrize("answer", ["return_value", "standard_output"])
@pytest.mark.parametrize("verb", SHELL)
def test_a_scripts_answer_is_read_wherever_it_stands(verb, answer):
    with cortex_xdr(script_answer=answer) as rig:
        action, receipt = performed(rig, verb)
        assert rig.adapter.observe(action, receipt).sight is Sight.SO


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
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.SO


def test_a_script_that_ran_too_long_is_judged_by_the_endpoint(rig):
    receipt = pretends(rig, execution_status="TIMEOUT", _return_value=[])
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.REFUSED
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes.clear()
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.SO


@pytest.mark.parametrize("status", ["EXPIRED", "CANCELED", "CANCELLED"])
def test_a_script_that_never_ran_is_refused_without_another_look(rig, status):
    receipt = pretends(rig, execution_status=status, _return_value=None)
    before = len(rig.simulation.journal.requests(path=RUN))
    assert rig.adapter.observe(rig.action("kill_process"), receipt).sight is Sight.REFUSED
    assert len(rig.simulation.journal.requests(path=RUN)) == before


@pytest.mark.parametrize("verb", SHELL)
def test_a_worker_lost_after_asking_finds_the_effect_and_doubles_nothing(rig, verb):
    action, _ = performed(rig, verb)
    assert rig.adapter.observe(action, None).sight is Sight.SO
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
        assert rig.adapter.observe(action, None).sight is Sight.NOT_SO
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
        assert rig.adapter.observe(action, receipt).sight is Sight.SO
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
    assert rig.adapter.observe(gone, None).sight is Sight.SO


def test_an_order_to_kill_that_no_longer_fits_kills_nothing(rig):
    action = rig.action("kill_process")
    seen = rig.adapter.observe(action, None)
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).processes[0].sha256 = sha256("another")
    assert rig.adapter.observe(action, rig.adapter.perform(action, seen)).sight is Sight.MISMATCH
    assert rig.effects() == []


@pytest.mark.parametrize("process", [Process(pid=4711), Process(pid=4, image_path=EVIL)])
def test_what_must_not_be_killed_is_refused_before_any_request(rig, process):
    action = rig.action("kill_process").model_copy(update={"process": process})
    for ask in (rig.adapter.observe, rig.adapter.perform):
        with pytest.raises(Denied):
            ask(action, None)
    assert rig.simulation.journal.requests() == []


def a_script(name="ar_workers_act", uid="1" * 32, inputs=("request",)):
    flags = dict.fromkeys(("windows_supported", "macos_supported", "linux_supported", "is_high_risk"), True)
    return {"name": name, "script_uid": uid, "script_inputs": [{"name": each} for each in inputs], **flags}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"scripts": {"ar_workers_act": None}}, "no scripts named"),
        ({"more_scripts": [a_script()]}, "2 scripts named"),
        ({"scripts": {"ar_workers_act": {"script_inputs": [{"name": "commands_list"}]}}}, "not ours"),
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


@pytest.mark.parametrize("os_type", ["AGENT_OS_MAC", "AGENT_OS_MACOS"])
def test_both_spellings_of_macos_are_known(rig, os_type):
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["os_type"] = os_type
    assert rig.adapter.endpoint(agent_id(FIRST)).os is OS.MACOS


def test_an_os_that_nobody_knows_is_unknown(rig):
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["os_type"] = "AGENT_OS_ANDROID"
    assert rig.adapter.endpoint(agent_id(FIRST)).os is OS.UNKNOWN


def test_an_endpoint_in_no_group_has_null_for_them(rig):
    rig.change(groups=[])
    assert rig.adapter.endpoint(agent_id(FIRST)).groups == frozenset()


def test_an_uninstalled_agent_stays_listed_and_is_not_found(rig):
    rig.change(decommissioned=True)
    with pytest.raises(EndpointNotFound, match="uninstalled"):
        rig.adapter.endpoint(agent_id(FIRST))
    assert [each.hostname for each in rig.adapter.members("Remediate")] == [NEIGHBOUR]


def test_a_lost_agent_is_offline(rig):
    rig.change(online=False)
    rig.simulation.world.endpoint("acme", agent_id(FIRST)).facts["away_as"] = "LOST"
    with pytest.raises(EndpointOffline, match="LOST"):
        rig.adapter.observe(rig.action("kill_process"), None)


@pytest.mark.parametrize("counts", ["number", "null"])
@pytest.mark.parametrize("name_match", ["exact", "folded", "partial"])
def test_a_large_group_is_read_to_its_end(counts, name_match):
    with cortex_xdr(counts=counts, name_match=name_match) as rig:
        fill(rig, 198)
        rig.change(NEIGHBOUR, groups=["g2"])
        assert len(list(rig.adapter.members("Remediate"))) == 199


def fill(rig, number):
    tenant = rig.simulation.world.tenant("acme")
    for each in range(number):
        first = tenant.endpoints[agent_id(FIRST)]
        tenant.add_endpoint(type(first)(agent_id(f"more-{each}"), f"more-{each}", groups=["g1"]))


def test_a_listing_that_breaks_off_is_a_fault(rig):
    rows = [{"endpoint_id": agent_id(FIRST), "endpoint_name": FIRST, "group_name": ["Remediate"]}]
    says(rig, "*/get_endpoint", {"total_count": 3, "result_count": 1, "endpoints": rows})
    with pytest.raises(VendorFault, match="ended at 1 of 3"):
        list(rig.adapter.members("Remediate"))


def test_the_sister_call_of_another_shape_is_not_taken_for_a_list_of_endpoints(rig):
    says(rig, "*/get_endpoint", [{"agent_id": agent_id(FIRST)}])
    with pytest.raises(VendorFault, match="no list"):
        rig.adapter.endpoint(agent_id(FIRST))


ANY = st.text(alphabet=st.sampled_from("ab1\\/:. \"'`$;&|<>\n\r\t%*?^~()[]{}!=,#\u202e\x00é"), max_size=40)
WORD = re.compile(r"[A-Za-z0-9_-]+")


@given(ANY, ANY)
def test_no_value_becomes_a_second_command(path, value):
    order = {"verb": "delete_registry_key", "key": path, "value": value}
    assert WORD.fullmatch(encoded(order))
    assert not WORD.fullmatch(json.dumps(order))


@given(ANY)
def test_a_script_reads_exactly_what_was_meant(name):
    answer = json.loads(look(encoded({"verb": "delete_file", "path": f"/nowhere/{name}"})))
    assert answer["state"] in ({"failed", "mismatch"} if "\x00" in name else {"absent", "mismatch"})


@given(ANY)
def test_a_request_that_is_not_encoded_does_nothing(text):
    assert json.loads(look(text))["state"] == "failed"
