"""What is special about SentinelOne."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.actions import BanHash
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, EndpointNotFound, OutcomeUnknown, Throttled, Unsupported, VendorFault
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.indicators import FileHash
from ar_workers.edr.sentinelone import Config
from ar_workers.edr.sentinelone.remoteops import order_word
from ar_workers.edr.sentinelone.results import _lines, printed
from ar_workers.edr.sentinelone.threats import quarantine_fact, threat_of
from ar_workers.simulator import Fault
from tests.builders import EVIL, a_delete, a_key_deletion, a_kill, digest, sha256
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.sentinelone import ACCOUNT, API, OTHER, SCRIPTS, SITE, a_threat_of, sentinelone

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "sentinelone"
NOT_SO = Fact(sight=Sight.NOT_SO)


@pytest.fixture
def rig():
    with sentinelone() as found:
        yield found


def performed(rig, verb, **change):
    action = rig.action(verb).model_copy(update=change)
    return action, rig.adapter.perform(action, rig.adapter.observe(action, None))


def answer_with(rig, path, body, method="*"):
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps(body), path=f"{API}/{path}", method=method))


# The filter is the target


@pytest.mark.parametrize("target", ["", " ", "*", "1,2", "ids", "1" * 21, "a" * 18])
def test_no_order_leaves_without_exactly_one_id(rig, target):
    with pytest.raises(EndpointNotFound):
        rig.adapter._api.act("agents/actions/disconnect", target)
    assert rig.simulation.journal.requests() == []


def test_an_order_names_its_one_target_and_nothing_else(rig):
    performed(rig, "isolate")
    (request,) = rig.written()
    assert request["body"] == {"filter": {"ids": [rig.agent_id(FIRST)]}, "data": {}}


def test_more_than_one_affected_endpoint_is_told_loudly(rig):
    answer_with(rig, "agents/actions/*", {"data": {"affected": 7}})
    with pytest.raises(VendorFault, match="affected 7"):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


def test_an_answer_without_a_count_proves_nothing(rig):
    answer_with(rig, "agents/actions/*", {"data": {}})
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


@pytest.mark.parametrize("affects", [0, 1])
def test_a_repeated_isolation_is_adopted_whatever_it_counts_as(affects):
    with sentinelone(repeat_affects=affects) as rig:
        action, _ = performed(rig, "isolate")
        again = rig.adapter.perform(action, NOT_SO)
        assert rig.settled(action, again).sight is Sight.SO
        assert len(rig.effects()) == 1


def test_nothing_affected_and_nothing_changed_is_a_fault(rig):
    answer_with(rig, "agents/actions/*", {"data": {"affected": 0}})
    with pytest.raises(VendorFault, match="nothing was affected, and the agent is connected"):
        rig.adapter.perform(rig.action("isolate"), NOT_SO)


@pytest.mark.parametrize("shown", [True, False])
def test_a_decommissioned_agent_is_not_found(shown):
    with sentinelone(shows_decommissioned=shown) as rig:
        rig.change(decommissioned=True)
        with pytest.raises(EndpointNotFound):
            rig.adapter.observe(rig.action("isolate"), None)


def test_an_isolation_that_somebody_lifts_is_no_longer_so(rig):
    action, receipt = performed(rig, "isolate")
    assert rig.settled(action, receipt).sight is Sight.SO
    rig.change(status="lift_containment_pending")
    assert rig.adapter.observe(action, receipt).sight is Sight.NOT_SO


def test_an_isolation_whose_answer_was_lost_is_seen_under_way(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "isolate")
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PENDING


# Whose endpoints


@pytest.mark.parametrize("scope", [{"scope": "account", "account_id": "7" * 18}, {"scope": "site", "site_id": "7" * 18}])
def test_an_endpoint_of_another_customer_is_not_found(scope):
    with sentinelone(config=scope) as rig, pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(rig.agent_id(FIRST))


@pytest.mark.parametrize("match", ["exact", "folded", "partial"])
def test_a_group_is_found_by_its_exact_name_however_the_console_compares(match):
    with sentinelone(name_match=match) as rig:
        rig.change(NEIGHBOUR, groups=[OTHER])
        assert [each.hostname for each in rig.adapter.members("Remediate")] == [FIRST]


def test_a_list_that_ends_before_its_total_is_a_fault(rig):
    answer_with(rig, "agents", {"data": [], "pagination": {"totalItems": 5, "nextCursor": None}})
    with pytest.raises(VendorFault, match="ended at 0 of 5"):
        list(rig.adapter.members("Remediate"))


def test_a_legacy_windows_is_windows_and_an_unknown_one_is_unknown(rig):
    shown = {"id": "1", "computerName": None, "groupName": None}
    assert [rig.adapter._endpoint({**shown, "osType": each}).os for each in ("windows_legacy", None)] == [OS.WINDOWS, OS.UNKNOWN]
    assert rig.adapter._endpoint(shown).hostname == "1"


# The token and the envelope


def test_an_expired_token_is_refused_once_and_for_all(rig):
    rig.simulation.world.tenant("acme").facts["token_expires_at"] = 0.0
    with pytest.raises(AuthRefused):
        rig.adapter.endpoint(rig.agent_id(FIRST))
    assert len(rig.simulation.journal.requests()) == 1


def test_a_success_with_an_error_in_it_is_an_error(rig):
    answer_with(rig, "agents", {"data": None, "errors": [{"code": 5000010, "title": "Server Error"}]})
    with pytest.raises(VendorFault, match="Server Error"):
        rig.adapter.endpoint(rig.agent_id(FIRST))


def test_the_limit_is_told_even_where_no_wait_is_named():
    with sentinelone(requests_per_minute=1, retry_after="none") as rig:
        rig.adapter.endpoint(rig.agent_id(FIRST))
        with pytest.raises(Throttled) as raised:
            rig.adapter.endpoint(rig.agent_id(FIRST))
        assert raised.value.retry_after is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://acme.sentinelone.net"},
        {"base_url": "https://acme.sentinelone.net.evil.example"},
        {"base_url": "https://evil.example/?.sentinelone.net"},
        {"scope": "account"},
        {"scope": "site", "account_id": ACCOUNT},
        {"scope": "everything"},
        {"scope": "tenant", "scripts": {"windows": "../1"}},
    ],
)
def test_a_config_that_could_reach_too_far_is_refused(wrong):
    with pytest.raises(ValidationError):
        Config(**({"base_url": "https://acme.sentinelone.net", "api_token": "x", "scope": "tenant"} | wrong))


# Bans


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"scope": "tenant"}, {"tenant": True}),
        ({"scope": "account", "account_id": ACCOUNT}, {"accountIds": [ACCOUNT]}),
        ({"scope": "site", "site_id": SITE}, {"siteIds": [SITE]}),
    ],
)
def test_a_ban_goes_to_the_configured_scope_alone(config, expected):
    with sentinelone(config=config) as rig:
        action, _ = performed(rig, "ban_hash")
        assert rig.written()[0]["body"]["filter"] == expected
        assert rig.written()[0]["body"]["data"]["type"] == "black_hash"
        assert rig.adapter.observe(action, None).sight is Sight.SO


def an_entry(rig, os, scope):
    value = digest("sha1", "evil")
    row = {"id": f"5{len(os)}", "type": "black_hash", "value": value, "sha256Value": None, "description": "", "osType": os, "scope": scope}
    rig.simulation.world.tenant("acme").iocs[row["id"]] = row


def test_an_entry_above_the_scope_is_so_and_one_below_it_is_not(rig):
    action = rig.action("ban_hash")
    an_entry(rig, "windows", {"siteIds": [SITE]})
    assert rig.adapter.observe(action, None).sight is Sight.NOT_SO
    an_entry(rig, "windows", {"tenant": True})
    assert rig.adapter.observe(action, None).sight is Sight.SO


def test_an_entry_of_another_os_is_none(rig):
    an_entry(rig, "macos", {"tenant": True})
    assert rig.adapter.observe(rig.action("ban_hash"), None).sight is Sight.NOT_SO


def on_both(rig):
    return {"because": (rig.endpoint(OS.WINDOWS), rig.endpoint(OS.MACOS, NEIGHBOUR))}


def test_two_missing_entries_are_refused_before_any_is_written(rig):
    with pytest.raises(Unsupported, match="macos and windows are missing"):
        performed(rig, "ban_hash", **on_both(rig))
    assert rig.written() == []


def test_the_last_missing_entry_is_written_and_all_are_looked_at(rig):
    an_entry(rig, "macos", {"tenant": True})
    action, receipt = performed(rig, "ban_hash", **on_both(rig))
    assert rig.written()[0]["body"]["data"]["osType"] == "windows"
    assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_an_os_that_the_event_did_not_tell_is_read_from_the_console():
    with sentinelone(os=OS.MACOS) as rig:
        performed(rig, "ban_hash", because=(rig.endpoint(OS.UNKNOWN),))
        assert rig.written()[0]["body"]["data"]["osType"] == "macos"


def test_a_ban_for_no_os_is_refused_before_any_request(rig):
    with pytest.raises(Unsupported, match="no endpoint of the threat tells"):
        performed(rig, "ban_hash", because=())
    assert rig.simulation.journal.requests() == []


def a_ban(rig, **hashes):
    return BanHash(customer="acme", edr=rig.vendor, hash=FileHash(**hashes), because=(rig.endpoint(),))


def test_sha256_alone_has_a_field_of_its_own(rig):
    action = a_ban(rig, sha256=sha256("evil"))
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_a_console_without_sha256_refuses_it_for_good():
    with sentinelone(takes_sha256=False) as rig:
        action = a_ban(rig, sha256=sha256("evil"))
        with pytest.raises(Denied):
            rig.adapter.perform(action, rig.adapter.observe(action, None))


def test_md5_alone_is_refused_before_any_request(rig):
    with pytest.raises(Unsupported):
        rig.adapter.observe(a_ban(rig, md5="a" * 32), None)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize(("code", "words"), [(4000030, "Item already exists"), (4090010, "Already Exists Error")])
def test_a_duplicate_is_left_to_the_next_look(code, words):
    with sentinelone(duplicate_code=code, duplicate_words=words) as rig:
        action, _ = performed(rig, "ban_hash")
        again = rig.adapter.perform(action, Fact(sight=Sight.NOT_SO, handle="windows"))
        assert again.detail == {"conflict": "exists"}


def test_a_banned_domain_is_told_to_be_only_detected_until_it_expires(rig):
    action, receipt = performed(rig, "ban_domain")
    assert rig.adapter.observe(action, receipt).evidence.startswith("detect-only, SentinelOne does not block domains")
    for row in rig.simulation.world.tenant("acme").iocs.values():
        row["validUntil"] = "2020-01-01T00:00:00.000000Z"
    assert rig.adapter.observe(action, None).sight is Sight.NOT_SO


def test_without_an_account_no_domain_is_banned():
    with sentinelone(config={"scope": "tenant", "account_id": None}) as rig:
        with pytest.raises(Unsupported, match="account_id"):
            rig.adapter.observe(rig.action("ban_domain"), None)
        assert rig.simulation.journal.requests() == []


# Scripts


def test_a_process_of_another_image_is_left_alone_by_the_script(rig):
    endpoint = rig.simulation.world.endpoint("acme", rig.agent_id(FIRST))
    endpoint.processes[0].path = r"C:\other.exe"
    action, receipt = performed(rig, "kill_process")
    assert rig.settled(action, receipt).sight is Sight.MISMATCH
    assert rig.effects() == []


def test_a_completed_script_that_ended_in_an_error_did_nothing():
    with sentinelone(script_fails="with_error") as rig:
        action, receipt = performed(rig, "kill_process")
        fact = rig.settled(action, receipt)
        assert (fact.sight, "exit code: 1" in fact.evidence) == (Sight.REFUSED, True)


def test_a_completed_script_that_printed_nothing_proves_nothing():
    with sentinelone(script_fails="without_output") as rig:
        action, receipt = performed(rig, "delete_file")
        assert rig.settled(action, receipt).sight is Sight.REFUSED


@pytest.mark.parametrize("form", ["zip", "text"])
def test_the_output_is_read_whether_packed_or_plain(form):
    with sentinelone(results_as=form) as rig:
        action, receipt = performed(rig, "delete_file")
        assert rig.settled(action, receipt).evidence == "the script says done: deleted"


def test_an_output_that_is_not_there_yet_is_waited_for(rig):
    action, receipt = performed(rig, "kill_process")
    answer_with(rig, "remote-scripts/fetch-files", {"data": {"download_links": [], "errors": [{"errorString": "later"}]}})
    assert rig.settled(action, receipt, looks=3).sight is Sight.PENDING


def test_a_link_that_has_expired_is_asked_for_again(rig):
    action, receipt = performed(rig, "kill_process")
    rig.simulation.faults.add(Fault(action="reply", status=403, path="/script-results/*", times=1))
    rig.simulation.clock.advance(90)
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "/script-results/" in fact.evidence) == (Sight.PENDING, False)
    assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_the_output_of_another_order_is_no_proof(rig):
    action, receipt = performed(rig, "kill_process")
    other = receipt.model_copy(update={"detail": {"order": "another"}})
    assert rig.settled(action, other).sight is Sight.REFUSED


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://s3.amazonaws.com/x", "https://amazonaws.com.evil.example/x", "file:///etc/passwd"]
)
def test_output_is_fetched_from_nowhere_unexpected(url):
    config = Config(base_url="https://acme.sentinelone.net", api_token="x", scope="tenant")
    with pytest.raises(Denied, match="result_hosts"):
        printed(url, "order", config)


def test_output_of_powershell_is_read():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("out.txt", '\ufeff{"ar_workers":"o"}\r\n'.encode("utf-16-le"))
    assert list(_lines(packed.getvalue())) == [{"ar_workers": "o"}]


@given(st.binary(max_size=200))
def test_no_output_raises(raw):
    list(_lines(raw))


def a_zip(text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stdout.txt", text)
    return packed.getvalue()


@given(place=st.integers(min_value=0, max_value=150), byte=st.integers(min_value=0, max_value=255))
def test_a_damaged_archive_is_a_fault_or_no_line(place, byte):
    raw = bytearray(a_zip('{"ar_workers":"o"}' * 20))
    raw[place % len(raw)] = byte
    with contextlib.suppress(VendorFault):
        list(_lines(bytes(raw)))


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
        assert rig.settled(action, receipt).sight is Sight.SO


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
    assert rig.settled(action, receipt).sight is Sight.SO


def test_after_a_lost_answer_the_console_cannot_show_what_a_script_did(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "kill_process")
    assert rig.adapter.observe(rig.action("kill_process"), None).sight is Sight.UNKNOWABLE


def test_an_os_without_a_script_is_refused_before_any_request():
    with sentinelone(config={"scripts": {OS.MACOS: SCRIPTS[OS.MACOS]}}) as rig:
        with pytest.raises(Unsupported, match="no RemoteOps script for windows"):
            rig.adapter.observe(rig.action("kill_process"), None)
        assert rig.simulation.journal.requests() == []


def test_a_script_that_reaches_no_endpoint_is_denied(rig):
    answer_with(rig, "remote-scripts/execute", {"data": {"affected": 0, "parentTaskId": None}})
    with pytest.raises(Denied, match="nothing was affected"):
        performed(rig, "kill_process")


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


DANGEROUS = st.text(alphabet=st.sampled_from("ab1\\/:. \"'`$;&|<>\n\r\t%*?^~()[]{}!=,#-_\u202eé"), min_size=1, max_size=40)


@given(tail=DANGEROUS, os=st.sampled_from([OS.WINDOWS, OS.MACOS]))
def test_no_value_becomes_more_than_one_word(tail, os):
    path = ("C:\\a" if os is OS.WINDOWS else "/a/b") + tail
    action = a_delete().model_copy(update={"file": a_delete().file.model_copy(update={"path": path})})
    try:
        word = order_word(action, os, "order")
    except Denied:
        return
    assert re.fullmatch("[A-Za-z0-9_-]+", word)
    assert json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))["path"] == path


def test_the_twin_would_show_a_second_command(rig):
    """The control of the test above: two words that a shell would part have two effects."""
    words = [order_word(each, OS.WINDOWS, "o") for each in (a_delete(), a_kill())]
    data = {"scriptId": SCRIPTS[OS.WINDOWS], "outputDestination": "SentinelCloud", "taskDescription": "x", "inputParams": ";".join(words)}
    rig.adapter._api.act("remote-scripts/execute", rig.agent_id(FIRST), data)
    rig.simulation.clock.advance(90)
    rig.adapter.endpoint(rig.agent_id(FIRST))
    assert [verb for verb, _ in rig.effects()] == ["delete_file", "kill_process"]


# Quarantine


def test_only_the_threat_of_this_endpoint_is_mitigated(rig):
    _, receipt = performed(rig, "quarantine_file")
    assert receipt.reference == "3000000000000000001"
    assert rig.written()[0]["body"]["filter"] == {"ids": ["3000000000000000001"]}


@pytest.mark.parametrize(
    "info", [{"sha256": None}, {"sha256": sha256("other")}, {"filePath": r"C:\other.exe"}], ids=["null", "hash", "path"]
)
def test_a_threat_that_is_not_surely_of_this_file_is_not_mitigated(info):
    with sentinelone(alerts=[a_threat_of(FIRST, EVIL, 1, **info)]) as rig:
        with pytest.raises(Unsupported, match="shows none"):
            performed(rig, "quarantine_file")
        assert rig.written() == []


def test_a_device_path_is_the_path_on_its_drive():
    shown = "\\Device\\HarddiskVolume3" + EVIL[2:].upper()
    with sentinelone(alerts=[a_threat_of(FIRST, EVIL, 1, filePath=shown)]) as rig:
        assert rig.adapter.observe(rig.action("quarantine_file"), None).sight is Sight.NOT_SO


def test_without_a_hash_no_threat_is_meant(rig):
    file = rig.action("quarantine_file").file.model_copy(update={"sha256": None})
    with pytest.raises(Unsupported, match="SHA-256"):
        performed(rig, "quarantine_file", file=file)
    assert rig.simulation.journal.requests() == []


@pytest.mark.parametrize("report", ["at_once", "late"])
def test_an_old_report_is_no_answer_to_a_new_order(report):
    threat = a_threat_of(FIRST, EVIL, 1)
    threat["mitigationStatus"] = [{"action": "quarantine", "status": "failed", "lastUpdate": "2026-11-01T00:00:00Z"}]
    with sentinelone(alerts=[threat], mitigation_report=report) as rig:
        action, receipt = performed(rig, "quarantine_file")
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        assert rig.settled(action, receipt).sight is Sight.SO


def test_a_success_that_found_no_file_is_a_refusal(rig):
    rig.simulation.world.endpoint("acme", rig.agent_id(FIRST)).files.clear()
    action, receipt = performed(rig, "quarantine_file")
    fact = rig.settled(action, receipt)
    assert (fact.sight, "1 not found" in fact.evidence) == (Sight.REFUSED, True)


@pytest.mark.parametrize(("fact", "sight"), [("needs_reboot", Sight.PENDING), ("quarantine_fails", Sight.REFUSED)])
def test_a_quarantine_that_did_not_come_through_is_not_so(rig, fact, sight):
    rig.simulation.world.endpoint("acme", rig.agent_id(FIRST)).facts[fact] = True
    action, receipt = performed(rig, "quarantine_file")
    assert rig.settled(action, receipt, looks=2).sight is sight


def test_a_quarantine_that_was_undone_is_not_so():
    reports = [
        {
            "action": "quarantine",
            "status": "success",
            "lastUpdate": "2026-11-01T00:00:00Z",
            "actionsCounters": {"success": 1, "notFound": 0},
        },
        {"action": "unquarantine", "status": "success", "lastUpdate": "2026-11-02T00:00:00Z"},
    ]
    assert [quarantine_fact({"mitigationStatus": reports[:end]}).sight for end in (1, 2)] == [Sight.SO, Sight.NOT_SO]
    assert quarantine_fact({"mitigationStatus": None}).sight is Sight.NOT_SO


def test_a_quarantine_whose_answer_was_lost_is_found_by_its_report(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        performed(rig, "quarantine_file")
    rig.simulation.faults.clear()
    action = rig.action("quarantine_file")
    assert rig.adapter.observe(action, None).sight is Sight.PENDING
    assert rig.settled(action, None).sight is Sight.SO


def test_a_threat_that_vanished_after_the_order_is_no_skip(rig):
    action, receipt = performed(rig, "quarantine_file")
    rig.simulation.world.tenant("acme").alerts.clear()
    rig.simulation.world.tenant("acme").facts["mitigations"] = []
    with pytest.raises(Denied, match="no longer shows threat"):
        rig.adapter.observe(action, receipt)


# What others recorded


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_two_recorded_agents_of_one_name_are_two_endpoints(rig):
    rows = json.loads((RECORDED / "agents_same_name.json").read_text())["data"]
    found = [rig.adapter._endpoint(row) for row in rows]
    assert {(each.hostname, each.os, each.groups) for each in found} == {("Hostname1", OS.WINDOWS, frozenset({"Example Group"}))}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_a_recorded_threat_of_the_older_shape_is_nobodys(rig):
    (row,) = json.loads((RECORDED / "threats.json").read_text())["data"]
    assert not threat_of(row, rig.action("quarantine_file"))
    assert quarantine_fact(row).sight is Sight.NOT_SO


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded vendor data are not beside this checkout")
def test_a_recorded_envelope_with_an_empty_error_is_a_success(rig):
    answer_with(rig, "agents", json.loads((RECORDED / "alert.json").read_text()))
    with pytest.raises(EndpointNotFound):
        rig.adapter.endpoint(rig.agent_id(FIRST))


def test_a_receipt_of_a_script_without_any_number_stays_pending(rig):
    assert rig.adapter.observe(rig.action("kill_process"), Receipt()).sight is Sight.PENDING
