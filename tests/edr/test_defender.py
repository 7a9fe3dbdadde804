"""What is special about Defender."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.actions import QuarantineFile
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import AuthRefused, Denied, EndpointNotFound, Throttled, Unsupported, VendorFault
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.indicators import File, RegistryKey
from ar_workers.edr.defender import Config
from ar_workers.edr.defender.adapter import _os
from ar_workers.edr.defender.live import SCRIPTS, Script, argument, outcome
from ar_workers.edr.defender.orders import instant, order
from ar_workers.simulator import Fault
from ar_workers.simulator.defender.scripts import run
from ar_workers.simulator.endpoints import Endpoint as PretendEndpoint
from tests.builders import EVIL, sha256
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.defender import CID, defender, machine_id

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "defender"
ISOLATE = f"/api/machines/{machine_id(FIRST)}/isolate"
DUPLICATES = ["same", "refused", "late"]
NOT_SO = Fact(sight=Sight.NOT_SO)


@pytest.fixture
def rig():
    with defender() as found:
        yield found


def asked(rig, action):
    return rig.adapter.perform(action, rig.adapter.observe(action, None))


def order_by_hand(rig, verb):
    """What a person does in another client, at the same time."""
    body = {"Comment": "by hand"} | ({"IsolationType": "Full"} if verb == "isolate" else {})
    return rig.adapter._api.post(f"/api/machines/{machine_id(FIRST)}/{verb}", body)["id"]


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_repeated_isolation_takes_over_the_open_one(duplicate):
    with defender(duplicate=duplicate) as rig:
        action = rig.action("isolate")
        first, second = rig.adapter.perform(action, NOT_SO), rig.adapter.perform(action, NOT_SO)
        assert first == second
        assert len(rig.written()) == 1


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_an_isolation_whose_receipt_was_lost_is_seen_and_not_repeated(duplicate):
    with defender(duplicate=duplicate) as rig:
        action = rig.action("isolate")
        asked(rig, action)
        assert rig.adapter.observe(action, None).sight is Sight.PENDING
        assert rig.settled(action, None).sight is Sight.SO
        assert len(rig.written()) == 1


def test_a_second_isolation_that_slips_in_between_is_adopted_by_its_refusal(rig):
    """Between our look and our order somebody was faster: the vendor's 400 leads to theirs."""
    theirs = order_by_hand(rig, "isolate")
    none_yet = '{"value":[]}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=none_yet, method="GET", path="/api/machineactions", first=1))
    assert rig.adapter.perform(rig.action("isolate"), NOT_SO).reference == theirs


def test_a_doubled_isolation_that_runs_after_the_release_is_told_and_not_taken_for_released():
    with defender(duplicate="late", late_by=600.0) as rig:
        order_by_hand(rig, "isolate")
        order_by_hand(rig, "isolate")
        rig.simulation.clock.advance(100)
        ours = rig.adapter._orders.ask(rig.action("release"), "unisolate", {}, lambda _: True)
        rig.simulation.clock.advance(100)
        assert rig.adapter.observe(rig.action("release"), ours).sight is Sight.PENDING
        rig.simulation.clock.advance(900)
        fact = rig.adapter.observe(rig.action("release"), ours)
        assert (fact.sight, "Isolate" in fact.evidence) == (Sight.NOT_SO, True)


def test_a_release_cancels_the_doubled_isolation_before_it_releases():
    with defender(duplicate="late") as rig:
        order_by_hand(rig, "isolate")
        order_by_hand(rig, "isolate")
        rig.simulation.clock.advance(100)
        action = rig.action("release")
        before = len(rig.written())
        with pytest.raises(Throttled, match="in the way"):
            asked(rig, action)
        assert len(rig.written()) == before + 1
        receipt = asked(rig, action)
        assert rig.settled(action, receipt).sight is Sight.SO
        rig.simulation.clock.advance(3600)
        assert rig.adapter.observe(action, receipt).sight is Sight.SO


def test_a_release_of_an_isolation_that_has_not_begun_is_its_cancellation(rig):
    rig.change(online=False)
    asked(rig, rig.action("isolate"))
    action = rig.action("release")
    receipt = asked(rig, action)
    assert rig.adapter.observe(action, receipt).sight is Sight.SO
    rig.change(online=True)
    rig.simulation.clock.advance(3600)
    assert rig.adapter.observe(action, receipt).sight is Sight.SO
    assert rig.effects() == []


def test_an_isolation_that_is_being_carried_out_is_waited_for_by_a_release(rig):
    asked(rig, rig.action("isolate"))
    rig.simulation.clock.advance(40)
    with pytest.raises(Throttled, match="cannot be cancelled any more"):
        asked(rig, rig.action("release"))
    rig.simulation.clock.advance(60)
    action = rig.action("release")
    assert rig.settled(action, asked(rig, action)).sight is Sight.SO


def test_a_cancelled_isolation_is_a_refusal_to_who_ordered_it(rig):
    action = rig.action("isolate")
    receipt = asked(rig, action)
    rig.adapter._api.post(f"/api/machineactions/{receipt.reference}/cancel", {"Comment": "by hand"})
    assert rig.adapter.observe(action, receipt).sight is Sight.REFUSED
    assert rig.adapter.observe(action, None).sight is Sight.NOT_SO


def test_an_order_that_nobody_picked_up_in_three_days_is_refused_as_timeout(rig):
    action = rig.action("isolate")
    rig.change(online=False)
    receipt = asked(rig, action)
    rig.simulation.clock.advance(3 * 86400)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
    rig.simulation.clock.advance(900)
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "TimeOut (-2145844840)" in fact.evidence) == (Sight.REFUSED, True)


def test_a_failed_release_does_not_change_what_is_so(rig):
    rig.change(status="contained")
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.SO
    rig.change(online=False)
    asked(rig, rig.action("release"))
    rig.simulation.clock.advance(4 * 86400)
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.SO


def test_a_word_that_nobody_knows_is_not_the_end(rig):
    row = {"id": "1", "type": "Isolate", "status": "Preparing", "machineId": machine_id(FIRST)}
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps({"value": [row]}), path="/api/machineactions"))
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.PENDING


def test_no_isolation_on_record_is_no_proof_that_there_is_none(rig):
    """The record is kept for some months; a release that may not be needed is asked for and seen to succeed."""
    action = rig.action("release")
    seen = rig.adapter.observe(action, None)
    assert seen.sight is Sight.UNKNOWABLE
    assert rig.settled(action, rig.adapter.perform(action, seen)).sight is Sight.SO


@pytest.mark.parametrize("name", ["lastUpdateDateTimeUtc", "lastUpdateTimeUtc"])
@pytest.mark.parametrize("empty", ["list", "404"])
def test_either_way_of_writing_is_read(name, empty):
    with defender(updated_name=name, empty_list=empty, page_size=1) as rig:
        for verb in ("isolate", "release"):
            action = rig.action(verb)
            assert rig.settled(action, asked(rig, action)).sight is Sight.SO


def test_a_list_that_breaks_off_is_a_fault(rig):
    body = '{"value":[],"@odata.nextLink":"https://elsewhere.example/api/machineactions?$skip=1"}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/api/machineactions"))
    with pytest.raises(VendorFault, match="broke off"):
        rig.adapter.observe(rig.action("isolate"), None)


@pytest.mark.parametrize("verb", ["kill_process", "delete_file", "delete_registry_key"])
def test_a_live_response_whose_receipt_was_lost_is_known_by_its_mark(rig, verb):
    action = rig.action(verb)
    asked(rig, action)
    assert rig.adapter.observe(action, None).sight is Sight.PENDING
    assert rig.settled(action, None).sight is Sight.SO
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
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).processes[0].path = r"C:\other.exe"
    assert rig.settled(action, asked(rig, action)).sight is Sight.MISMATCH
    assert rig.effects() == []


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = rig.action("delete_registry_key").model_copy(update={"registry": RegistryKey(key=r"HKLM\Software\Evil", value="a")})
    assert rig.settled(action, asked(rig, action)).sight is Sight.SO
    assert rig.simulation.world.endpoint("acme", machine_id(FIRST)).registry == {r"HKLM\Software\Evil": {"b": "2"}}


def test_a_session_of_somebody_else_is_waited_for(rig):
    kill, deletion = rig.action("kill_process"), rig.action("delete_file")
    asked(rig, kill)
    with pytest.raises(Throttled, match="another action is open"):
        asked(rig, deletion)
    rig.simulation.clock.advance(100)
    assert rig.settled(deletion, asked(rig, deletion)).sight is Sight.SO


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
        assert rig.settled(action, asked(rig, action)).sight is Sight.SO


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
    assert rig.adapter.observe(action, None).sight is Sight.NOT_SO


def test_the_answer_of_another_order_is_none():
    line = '{"mark":"another","outcome":"done","reason":""}'
    assert outcome({"exit_code": 0, "script_output": line}, "ours").sight is Sight.REFUSED
    assert outcome({"exit_code": 0, "script_output": f"noise\n{line}\n"}, "another").sight is Sight.SO


def test_a_result_is_fetched_without_the_token_and_from_nowhere_else(rig):
    action = rig.action("kill_process")
    assert rig.settled(action, asked(rig, action)).sight is Sight.SO
    for link in (
        "https://evil.example/x",
        "https://core.windows.net.evil.example/x",
        "ftp://127.0.0.1/x",
        "http://x.blob.core.windows.net/y",
    ):
        with pytest.raises(Denied):
            rig.adapter._api.download(link)


def a_quarantine_of(rig, **file):
    return QuarantineFile(customer="acme", edr=Vendor.DEFENDER, endpoint=rig.endpoint(), file=File(path=EVIL, **file))


@pytest.mark.parametrize("lookup", ["without_sha1", "by_sha1_only"])
def test_a_file_whose_sha1_cannot_be_known_is_not_quarantined(lookup):
    with defender(file_lookup=lookup) as rig:
        with pytest.raises(Unsupported, match="SHA-1"):
            rig.adapter.observe(rig.action("quarantine_file"), None)
        with pytest.raises(Unsupported, match="SHA-1"):
            rig.adapter.perform(rig.action("quarantine_file"), NOT_SO)
        assert rig.written() == []


def test_a_file_without_a_hash_is_not_quarantined(rig):
    with pytest.raises(Unsupported, match="none is known"):
        rig.adapter.observe(a_quarantine_of(rig), None)
    assert rig.simulation.journal.requests() == []


def test_a_quarantine_whose_receipt_was_lost_is_known_by_its_mark(rig):
    action = rig.action("quarantine_file")
    asked(rig, action)
    assert rig.adapter.observe(action, None).sight is Sight.PENDING
    assert rig.settled(action, None).sight is Sight.SO
    assert len(rig.written()) == 1


def an_indicator(ban, **changes):
    wish = {"indicatorValue": ban.hash.sha256, "indicatorType": "FileSha256", "action": "BlockAndRemediate", "rbacGroupNames": []}
    return {"id": "7", "creationTimeDateTimeUtc": "2024-01-01T00:00:00.0000000Z", **wish, **changes}


@pytest.mark.parametrize(
    ("changes", "sight"),
    [
        ({}, Sight.SO),
        ({"action": "Block"}, Sight.SO),
        ({"action": "Audit"}, Sight.NOT_SO),
        ({"action": "Allowed"}, Sight.MISMATCH),
        ({"action": "Allowed", "rbacGroupNames": ["Servers"]}, Sight.MISMATCH),
        ({"rbacGroupNames": ["Servers"]}, Sight.NOT_SO),
        ({"expirationTime": "2024-01-01T00:00:00.1234567Z"}, Sight.NOT_SO),
        ({"expirationTime": "2999-01-01T00:00:00.1234567Z"}, Sight.SO),
        ({"indicatorType": "FileSha1"}, Sight.NOT_SO),
    ],
)
def test_only_what_blocks_everywhere_is_a_ban(rig, changes, sight):
    ban = rig.action("ban_hash")
    rig.simulation.world.tenant("acme").iocs["7"] = an_indicator(ban, **changes)
    assert rig.adapter.observe(ban, None).sight is sight


def test_an_indicator_of_another_action_is_changed_and_not_doubled(rig):
    ban = rig.action("ban_hash")
    rig.simulation.world.tenant("acme").iocs["7"] = an_indicator(ban, action="Warn")
    asked(rig, ban)
    assert rig.adapter.observe(ban, None).sight is Sight.SO
    assert len(rig.simulation.world.tenant("acme").iocs) == 1


@pytest.mark.parametrize(("hashes", "kind"), [({"sha1": "b" * 40, "md5": "a" * 32}, "FileSha1"), ({"md5": "a" * 32}, "FileMd5")])
def test_the_best_hash_that_is_known_is_banned(rig, hashes, kind):
    ban = rig.action("ban_hash")
    weaker = ban.model_copy(update={"hash": type(ban.hash)(**hashes)})
    asked(rig, weaker)
    assert rig.adapter.observe(weaker, None).sight is Sight.SO
    assert [row["indicatorType"] for row in rig.simulation.world.tenant("acme").iocs.values()] == [kind]


@pytest.mark.parametrize(
    ("platform", "os"),
    [
        ("Windows10", OS.WINDOWS),
        ("WindowsServer2019", OS.WINDOWS),
        ("macOS", OS.MACOS),
        ("Ubuntu", OS.LINUX),
        ("RedHatEnterpriseLinux", OS.LINUX),
        ("SomeDistributionOfTomorrow", OS.LINUX),
        ("Android", OS.UNKNOWN),
        ("iOS", OS.UNKNOWN),
        ("", OS.UNKNOWN),
    ],
)
def test_a_platform_is_a_family(platform, os):
    assert _os(platform) is os


def test_the_script_for_an_unknown_system_is_chosen_by_what_defender_says(rig):
    unknown = rig.action("kill_process").model_copy(update={"endpoint": rig.endpoint(OS.UNKNOWN)})
    assert rig.settled(unknown, asked(rig, unknown)).sight is Sight.SO
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).facts["machine"]["osPlatform"] = None
    with pytest.raises(Unsupported, match="OS"):
        rig.adapter.perform(unknown, NOT_SO)


def test_groups_may_be_those_of_rbac():
    with defender(group_by="rbac", page_size=1) as rig:
        assert rig.adapter.endpoint(machine_id(FIRST)).groups == {"Remediate"}
        assert len(list(rig.adapter.members("Remediate"))) == 2
        with pytest.raises(Denied):
            list(rig.adapter.members("Remed"))


def test_a_merged_record_is_no_endpoint(rig):
    rig.simulation.world.endpoint("acme", machine_id(FIRST)).facts["machine"]["mergedIntoMachineId"] = "f" * 40
    with pytest.raises(EndpointNotFound, match="merged"):
        rig.adapter.endpoint(machine_id(FIRST))
    assert len(list(rig.adapter.members("Remediate"))) == 1


def test_an_action_on_a_machine_that_is_gone_is_denied(rig):
    action = rig.action("isolate")
    rig.change(decommissioned=True)
    with pytest.raises(Denied, match="ResourceNotFound"):
        rig.adapter.perform(action, NOT_SO)


def test_refused_credentials_are_not_asked_about_again(rig):
    rig.simulation.world.tenant("acme").credentials.clear()
    for _ in range(3):
        with pytest.raises(AuthRefused, match="AADSTS7000215"):
            rig.adapter.endpoint(machine_id(FIRST))
    assert len(rig.simulation.journal.requests(method="POST")) == 1


def test_the_vendors_own_id_of_a_refusal_is_told(rig):
    body = '{"error":{"code":"InvalidInput","message":"no","target":"|abc."}}'
    rig.simulation.faults.add(Fault(action="reply", status=400, body=body, path=ISOLATE))
    with pytest.raises(Denied, match=r"InvalidInput: no \[\|abc\.\]") as raised:
        rig.adapter.perform(rig.action("isolate"), NOT_SO)
    assert raised.value.code == "InvalidInput"


@pytest.mark.parametrize(
    "urls",
    [
        {"base_url": "http://api.security.microsoft.com"},
        {"base_url": "https://api.security.microsoft.com.evil.example"},
        {"base_url": "https://api.security.microsoft.com/elsewhere"},
        {"login_url": "https://evil.example"},
    ],
)
def test_credentials_go_nowhere_but_to_microsoft(urls):
    with pytest.raises(ValidationError):
        Config(tenant_id=CID, client_id="x", client_secret="y", **urls)


def test_a_token_is_for_the_cloud_that_is_asked():
    config = Config(tenant_id=CID, client_id="x", client_secret="y", base_url="https://api-gov.securitycenter.microsoft.us")
    assert config.scope == "https://api-gov.securitycenter.microsoft.us/.default"
    assert Config(tenant_id=CID, client_id="x", client_secret="y").scope == "https://api.securitycenter.microsoft.com/.default"


ANYTHING = st.text(max_size=60) | st.text(alphabet=st.sampled_from("ab\\/:. \"'`$;&|<>\n\r\t-{}()é"), max_size=40)


@given(ANYTHING, ANYTHING)
def test_no_value_becomes_a_second_command(path, mark):
    endpoint = PretendEndpoint("a", "PC", files=[])
    output = run(endpoint, argument("delete_file", mark, path=path, sha256=""))
    assert [verb for verb, _, _ in output.effects] == ["delete_file"]
    assert output.effects[0][1] == path


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


@pytest.mark.parametrize("name", sorted(set(SCRIPTS.values())))
def test_the_scripts_know_every_field_and_verb_that_is_sent(name):
    text = Script.named(name).content.decode()
    words = ["kill_process", "delete_file", "pid", "path", "sha256", "started", "verb", "mark"]
    assert [word for word in words if word not in text] == []


def run_shell(verb, **values):
    """The real script, in a real shell."""
    script = Path(__file__).parents[2] / "ar_workers" / "edr" / "defender" / "scripts" / "ar_workers.sh"
    done = subprocess.run(["/bin/bash", script, argument(verb, "m1", **values)], capture_output=True, text=True, check=True, timeout=60)
    return outcome({"exit_code": 0, "script_output": done.stdout}, "m1")


def a_victim(path):
    """A process of our own, whose image is a copy that nobody else runs."""
    path.write_bytes(Path("/bin/sleep").read_bytes())
    path.chmod(0o755)
    return subprocess.Popen([path, "600"])


def file_hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_shell_script_deletes_the_file_that_is_meant(tmp_path):
    evil = tmp_path / "evil '$(touch x)'; é"
    evil.write_text("evil")
    assert run_shell("delete_file", path=str(evil), sha256=sha256("other")).sight is Sight.MISMATCH
    assert evil.exists()
    assert run_shell("delete_file", path=str(evil), sha256=sha256("evil")).evidence == "done: deleted"
    assert not evil.exists()
    assert run_shell("delete_file", path=str(evil), sha256=sha256("evil")).evidence == "absent: no file at that path"
    assert list(tmp_path.iterdir()) == []


def test_the_shell_script_follows_no_link(tmp_path):
    (tmp_path / "real").mkdir()
    evil = tmp_path / "real" / "evil"
    evil.write_text("evil")
    (tmp_path / "link").symlink_to(evil)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    for path in (tmp_path / "link", tmp_path / "folder" / "evil", tmp_path / "real"):
        assert run_shell("delete_file", path=str(path), sha256="").sight is Sight.MISMATCH
    assert evil.exists()


def test_the_shell_script_kills_the_process_that_is_meant(tmp_path):
    image = tmp_path / "evil one"
    victim = a_victim(image)
    try:
        meant = {"pid": str(victim.pid), "path": str(image), "sha256": file_hash(image), "started": str(int(datetime.now(UTC).timestamp()))}
        for wrong in ({"path": "/bin/other"}, {"sha256": sha256("other")}, {"started": "1000000000"}):
            assert run_shell("kill_process", **(meant | wrong)).sight is Sight.MISMATCH
        assert victim.poll() is None
        assert run_shell("kill_process", **meant).evidence == "done: killed"
        assert victim.wait(timeout=10) == -9
        assert run_shell("kill_process", **meant).evidence == "absent: no such process"
    finally:
        victim.kill()
        victim.wait()


@pytest.mark.parametrize("pid", ["", "0", "1", "-1", "12 34", "1;2"])
def test_the_shell_script_kills_no_other_pid(pid):
    assert run_shell("kill_process", pid=pid, path="/x", sha256="", started="").evidence.startswith("failed: no pid")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not here")
def test_recorded_answers_are_read(rig):
    found = order(json.loads((RECORDED / "machine_action.json").read_text()))
    assert (found.id, found.succeeded, found.updated) == ("action-123", True, datetime(2021, 1, 1, 0, 1, tzinfo=UTC))
    machines = json.loads((RECORDED / "machines.json").read_text())["value"]
    shown = [rig.adapter._endpoint(row) for row in machines]
    assert {each.os for each in shown} == {OS.WINDOWS}
    assert [each.agent_id for each in shown] == ["abc123def456", "def789ghi012"]
    assert shown[0].groups == {"Production", "Windows10"}
    alert = json.loads((RECORDED / "alerts.json").read_text())
    assert instant(alert["alertCreationTime"]) == datetime(2021, 1, 26, 20, 33, 57, 722023, tzinfo=UTC)
