"""What is special about Falcon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, Unreadable, Unsupported, VendorFault
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.edr.crowdstrike import Config
from ar_workers.edr.crowdstrike.absence import is_listed
from ar_workers.edr.crowdstrike.looks import file_fact, process_fact, registry_fact
from ar_workers.edr.crowdstrike.rtr import WINDOWS_ITSELF, Output, Shell, drive_in, process_line
from ar_workers.simulator import Fault
from ar_workers.simulator.endpoints import StoredFile
from tests.builders import EVIL, a_delete, a_domain_ban, a_hash_ban, a_key_deletion, a_kill, agent_id, an_endpoint, an_isolate, sha256
from tests.edr import quoting
from tests.edr.rigs.crowdstrike import crowdstrike


@pytest.fixture
def rig():
    with crowdstrike() as found:
        yield found


@pytest.mark.parametrize("columns", ["pid_first", "name_first"])
def test_a_process_is_found_whatever_the_order_of_the_columns(columns):
    with crowdstrike(ps_columns=columns) as rig:
        assert rig.adapter.observe(a_kill(), None).sight is Sight.ABSENT
        assert rig.adapter.observe(a_kill(pid=9999), None).sight is Sight.PRESENT


@pytest.mark.parametrize("chunks", ["last", "each"])
def test_a_long_list_of_processes_is_read_to_its_end(chunks):
    with crowdstrike(stdout_chunk=40, chunks_complete=chunks) as rig:
        assert rig.adapter.observe(a_kill(), None).sight is Sight.ABSENT


def test_a_command_that_takes_its_time_is_waited_for():
    with crowdstrike(polls_until_complete=4) as rig:
        assert rig.adapter.observe(a_kill(), None).sight is Sight.ABSENT


def test_a_pid_that_another_image_has_now_is_no_target(rig):
    fact = rig.adapter.observe(a_kill(image_path=r"C:\other.exe", sha256=None), None)
    assert fact.sight is Sight.MISMATCH


def test_a_hash_outweighs_the_name_of_an_image(rig):
    assert rig.adapter.observe(a_kill(image_path=r"C:\other.exe"), None).sight is Sight.ABSENT


def test_a_process_whose_image_has_another_hash_is_no_target(rig):
    fact = rig.adapter.observe(a_kill(sha256=sha256("other")), None)
    assert (fact.sight, "another SHA-256" in fact.evidence) == (Sight.MISMATCH, True)


def test_a_pid_alone_is_refused_before_any_request(rig):
    with pytest.raises(Denied, match="pid alone"):
        rig.adapter.observe(a_kill(image_path=None, sha256=None), None)
    assert rig.simulation.journal.requests() == []


def test_another_file_at_the_path_is_no_target(rig):
    assert rig.adapter.observe(a_delete(sha256=sha256("other")), None).sight is Sight.MISMATCH


def test_a_file_that_is_gone_is_so(rig):
    assert rig.adapter.observe(a_delete(path=r"C:\Users\kim\gone.exe"), None).sight is Sight.PRESENT


def test_one_value_of_a_key_is_deleted_alone(rig):
    action = a_key_deletion(value="a")
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT
    left = rig.simulation.world.endpoint("acme", agent_id("FIN-LT-07")).registry
    assert left == {r"HKLM\Software\Evil": {"b": "2"}}


def the_process(rig):
    return rig.simulation.world.endpoint("acme", agent_id("FIN-LT-07")).process(4711)


def test_a_failure_in_stderr_is_a_refusal_by_the_endpoint(rig):
    action = a_kill()
    seen = rig.adapter.observe(action, None)
    process = the_process(rig)
    receipt = rig.adapter.perform(action, seen)
    rig.simulation.world.endpoint("acme", agent_id("FIN-LT-07")).processes.append(process)
    body = '{"resources":[{"complete":true,"stdout":"","stderr":"Access is denied.","sequence_id":0}],"errors":null}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, method="GET", path="*active-responder*"))
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, fact.evidence) == (Sight.REFUSED, "Access is denied.")


def test_a_session_that_died_leaves_the_endpoint_itself_to_tell(rig):
    action = a_kill()
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    rig.simulation.clock.advance(700)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_a_reply_of_200_with_errors_is_an_error(rig):
    body = '{"meta":{},"resources":[],"errors":[{"code":500,"message":"internal"}]}'
    rig.simulation.faults.add(Fault(action="reply", status=200, body=body, path="/iocs/*"))
    with pytest.raises(VendorFault):
        rig.adapter.observe(a_hash_ban(), None)


def test_an_indicator_of_another_action_is_changed_and_not_doubled(rig):
    ban = a_hash_ban()
    stored = {
        "id": "f" * 64,
        "type": "sha256",
        "value": ban.hash.sha256,
        "action": "detect",
        "severity": "low",
        "platforms": ["windows"],
        "applied_globally": True,
    }
    rig.simulation.world.tenant("acme").iocs[stored["id"]] = stored
    seen = rig.adapter.observe(ban, None)
    assert (seen.sight, seen.handle) == (Sight.ABSENT, "f" * 64)
    rig.adapter.perform(ban, seen)
    assert rig.adapter.observe(ban, None).sight is Sight.PRESENT
    assert len(rig.simulation.world.tenant("acme").iocs) == 1


def test_a_duplicate_indicator_is_left_to_the_next_look(rig):
    ban = a_hash_ban()
    rig.adapter.perform(ban, Fact(sight=Sight.ABSENT))
    assert rig.adapter.perform(ban, Fact(sight=Sight.ABSENT)).detail == {"conflict": "duplicate"}


def test_md5_is_banned_where_there_is_no_sha256(rig):
    ban = a_hash_ban(md5="a" * 32, sha1="b" * 40)
    rig.adapter.perform(ban, rig.adapter.observe(ban, None))
    assert rig.adapter.observe(ban, None).sight is Sight.PRESENT


def test_sha1_alone_is_refused_before_any_request(rig):
    with pytest.raises(Unsupported):
        rig.adapter.observe(a_hash_ban(sha1="b" * 40), None)
    assert rig.simulation.journal.requests() == []


def test_a_banned_domain_is_told_to_be_only_detected(rig):
    ban = a_domain_ban()
    receipt = rig.adapter.perform(ban, rig.adapter.observe(ban, None))
    assert rig.adapter.observe(ban, receipt).evidence.startswith("detect-only, Falcon does not block domains")


def test_an_isolation_that_somebody_else_ordered_is_a_conflict_that_a_look_settles(rig):
    rig.adapter.perform(an_isolate(), Fact(sight=Sight.ABSENT))
    assert rig.adapter.perform(an_isolate(), Fact(sight=Sight.ABSENT)).detail == {"conflict": "409"}


def test_refused_credentials_are_not_asked_about_again(rig):
    rig.simulation.world.tenant("acme").credentials.clear()
    for _ in range(3):
        with pytest.raises(AuthRefused, match="credentials refused"):
            rig.adapter.endpoint(agent_id("FIN-LT-07"))
    assert len(rig.simulation.journal.requests(path="/oauth2/token")) == 1


def test_a_tenant_of_another_cloud_is_told_so():
    with crowdstrike() as rig:
        rig.simulation.world.tenant("acme").cloud = "sim-2"
        with pytest.raises(AuthRefused, match="another cloud"):
            rig.adapter.endpoint(agent_id("FIN-LT-07"))


@pytest.mark.parametrize("style", ["list", "null", "missing"])
def test_every_way_of_writing_no_errors_is_read(style):
    with crowdstrike(empty_errors=style) as rig:
        assert rig.adapter.endpoint(agent_id("FIN-LT-07")).model_dump() == an_endpoint().model_dump()
        assert rig.adapter.observe(a_hash_ban(), None).sight is Sight.ABSENT


def test_a_platform_that_nobody_knows_is_unknown(rig):
    assert rig.adapter._endpoint({"device_id": "a" * 32, "platform_name": None}).os is OS.UNKNOWN


@pytest.mark.parametrize(
    "url", ["http://api.crowdstrike.com", "https://evil.example", "https://api.crowdstrike.com.evil.example", "ftp://127.0.0.1"]
)
def test_credentials_go_nowhere_but_to_falcon(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, client_id="x", client_secret="y")


@given(st.text(alphabet=st.sampled_from(quoting.ALPHABET), min_size=1, max_size=40))
def test_no_argument_becomes_a_second_command(argument):
    quoting.crowdstrike(argument)


def test_the_twin_would_show_a_second_command(rig):
    """The control of the test above: what is not quoted by us has two effects."""
    shell_text = f'rm "{EVIL}"\nkill 4711'
    session = rig.adapter.observe(a_delete(), None).handle
    body = {"base_command": "rm", "command_string": shell_text, "session_id": session, "device_id": agent_id("FIN-LT-07")}
    rig.adapter._api.send("POST", "/real-time-response/entities/active-responder-command/v1", body)
    assert [verb for verb, _ in rig.effects()] == ["delete_file", "kill_process"]


def test_a_pid_is_not_found_inside_another_number():
    listing = "PID  Name\n14711  a.exe\n47110  b.exe\n"
    assert process_line(listing, 4711) is None
    assert process_line("Name  PID\na 4711.exe  12\nb.exe  4711\n", 4711) == "b.exe  4711"


def test_an_unfinished_command_is_pending():
    with crowdstrike(polls_until_complete=2) as rig:
        action = a_kill()
        seen = rig.adapter.observe(action, None)
        receipt = rig.adapter.perform(action, seen)
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING


def test_a_receipt_without_a_reference_is_looked_at_like_none(rig):
    assert rig.adapter.observe(a_kill(), Receipt()).sight is Sight.ABSENT


class SlowToHash(Shell):
    """A shell of an endpoint that lists its processes and does not get around to reading their images in time."""

    def __init__(self):
        super().__init__(None, "a", "s")

    def read(self, base, *_):
        return Output(complete=True, stdout=f"4711  evil.exe  {EVIL}\n") if base == "ps" else Output(complete=False)


def test_an_image_that_is_not_hashed_in_time_is_looked_at_again_and_no_mismatch():
    with pytest.raises(VendorFault, match="filehash"):
        process_fact(SlowToHash(), a_kill().process)


class Showing(Shell):
    """A shell that shows one line of `ps`, and a file of any name with the content that is meant."""

    def __init__(self, line):
        super().__init__(None, "a", "s")
        self.line = line

    def read(self, base, *_):
        return Output(complete=True, stdout=self.line if base == "ps" else f"SHA256: {sha256(EVIL)}")


@pytest.mark.parametrize(
    ("line", "image"),
    [
        (f"4711  evil.exe  2026-11-20T00:00:00Z  {EVIL}", EVIL),
        (f"4711  evil.exe  11/20/2026 08:00:00  {EVIL}  3 MB", EVIL),
        (r"4711  svchost.exe  C:\Program Files\x\svchost.exe", r"C:\Program Files\x\svchost.exe"),
        ("4711  lsass.exe  2026-11-20T00:00:00Z", "lsass.exe"),
        ("lsass\t4711\t11/20/2026 08:00:00\t12.5", "lsass"),
        ("4711 launchd", "launchd"),
    ],
)
def test_the_image_is_the_path_that_ps_shows_or_else_the_name(line, image):
    meant = a_kill(image_path=image if "\\" in image else f"/usr/bin/{image}", started_at=None).process
    assert process_fact(Showing(line), meant).image == image


def test_a_process_of_which_ps_shows_nothing_but_numbers_is_not_confirmed():
    meant = a_kill(image_path=None, started_at="2026-11-20T00:00:00Z", sha256=None).process
    assert process_fact(Showing("4711  2026-11-20T00:00:00Z"), meant).sight is Sight.MISMATCH


DEVICE = r"\Device\HarddiskVolume3"


def test_a_file_is_deleted_on_the_drive_that_mount_shows(rig):
    action = a_delete(path=DEVICE + EVIL[2:], sha256=sha256(EVIL))
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.effects() == [("delete_file", EVIL)]
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_where_mount_shows_no_devices_the_row_says_that_the_drive_cannot_be_told():
    with crowdstrike(mount_shows="drives") as rig:
        action = a_delete(path=DEVICE + EVIL[2:], sha256=sha256(EVIL))
        with pytest.raises(Unsupported, match=r"cannot tell which drive \\Device\\HarddiskVolume3 is"):
            rig.adapter.observe(action, None)
        assert rig.written() == []


def test_windows_own_folder_is_where_the_registry_says(rig):
    endpoint = rig.simulation.world.endpoint("acme", agent_id("FIN-LT-07"))
    endpoint.registry[WINDOWS_ITSELF] = {"SystemRoot": r"D:\WINNT"}
    endpoint.files.append(StoredFile(r"D:\WINNT\Temp\evil.exe"))
    action = a_delete(path=r"\SystemRoot\Temp\evil.exe", sha256=sha256(r"D:\WINNT\Temp\evil.exe"))
    rig.adapter.perform(action, rig.adapter.observe(action, None))
    assert rig.effects() == [("delete_file", r"D:\WINNT\Temp\evil.exe")]


@pytest.mark.parametrize(
    ("listing", "drive"),
    [
        ("C:\\  \\Device\\HarddiskVolume3  NTFS", "C:"),
        ("\\Device\\HarddiskVolume3 | d:\\ | NTFS", "d:"),
        ("C:\\  \\Device\\HarddiskVolume31  NTFS\nE:  \\device\\harddiskvolume3", "E:"),
        ("\\Device\\HarddiskVolume3  NTFS", ""),
        ("C:\\  Local Disk", ""),
        ("", ""),
    ],
)
def test_a_drive_is_read_only_from_the_line_of_its_device(listing, drive):
    assert drive_in(listing, DEVICE) == drive


def test_a_file_of_which_only_the_sha1_is_known_is_not_deleted_unconfirmed(rig):
    with pytest.raises(Unsupported, match="SHA-256 is what confirms it"):
        rig.adapter.observe(a_delete(sha256=None, sha1="a" * 40), None)
    assert rig.simulation.journal.requests() == []


LISTING = """Directory listing for C:\\Users\\kim\\Temp -

Name              Type       Size (bytes)    Last Modified
----              ----       ------------    -------------
evil.exe.bak      <File>     1024            11/20/2026
my evil.exe2      <File>     1024            11/20/2026
Évil.exe          <File>     1024            11/20/2026
??.exe            <File>     1024            11/20/2026
"""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("evil.exe.bak", True),
        ("EVIL.EXE.BAK", True),
        ("evil.exe", False),
        ("exe.bak", False),
        ("évil.exe", True),
        ("悪意.exe", True),
        ("悪.dll", False),
    ],
)
def test_a_name_is_found_in_a_listing_whatever_its_columns_and_the_console_have_made_of_it(name, shown):
    assert is_listed(LISTING, name) is shown


class Speaking(Shell):
    """A shell whose commands fail, each in its own words, unless they are among what is `known`."""

    def __init__(self, words, known=()):
        super().__init__(None, "a", "s")
        self.words, self.known = words, known

    def read(self, base, *arguments):
        is_known = arguments in self.known
        return Output(complete=True, stdout="there" if is_known else "", stderr="" if is_known else self.words(base, *arguments))


GERMAN = "FEHLER: {} wurde nicht gefunden."
EVERYBODYS = ((WINDOWS_ITSELF, "SystemRoot"),)


def denied(_, key, *__):
    return "FEHLER: Zugriff verweigert" if "Evil" in key else GERMAN.format(key)


@pytest.mark.parametrize(
    ("words", "known", "expected"),
    [
        (lambda _, key, *__: GERMAN.format(key), EVERYBODYS, Sight.PRESENT),
        (denied, EVERYBODYS, None),
        (lambda *_: "Der Befehl ist gesperrt.", (), None),
    ],
    ids=["not there", "denied", "no command works"],
)
def test_a_registry_entry_is_gone_only_if_the_endpoint_says_of_it_what_it_says_of_what_is_not_there(words, known, expected):
    try:
        found = registry_fact(Speaking(words, known), (r"HKLM\Software\Evil", "a")).sight
    except VendorFault:
        found = None
    assert found is expected


def test_a_file_is_not_gone_where_no_folder_can_be_listed():
    with pytest.raises(Unreadable):
        file_fact(Speaking(lambda *_: "Zugriff verweigert"), EVIL, sha256(EVIL))


def test_a_folder_that_is_there_and_cannot_be_listed_hides_no_file():
    class Shut(Speaking):
        def read(self, base, *arguments):
            return Output(complete=True, stdout="Users") if arguments == ("C:\\.",) else super().read(base, *arguments)

    with pytest.raises(Unreadable, match="Users is locked or cannot be read"):
        file_fact(Shut(lambda *_: "Zugriff verweigert"), r"C:\Users\evil.exe", sha256(EVIL))
    assert file_fact(Shut(lambda *_: "nicht da"), r"C:\Temp\evil.exe", sha256(EVIL)).sight is Sight.PRESENT


def test_a_short_name_is_not_gone_because_no_folder_lists_it():
    with pytest.raises(Unreadable, match="EVIL~1"):
        file_fact(Speaking(lambda *_: "nicht da"), r"C:\Temp\EVIL~1.EXE", sha256(EVIL))
