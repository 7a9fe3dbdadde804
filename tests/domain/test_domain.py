"""Values and decisions: what is refused, what is the same, and when."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from ar_workers.domain.actions import identity
from ar_workers.domain.calendar import MOUNTAIN, federal_holidays, is_business_hours
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import AuthRefused, Denied, InvalidEvent
from ar_workers.domain.events import event_schema, parse_event
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, HashType, Process, RegistryKey
from ar_workers.domain.keys import registry_problem
from ar_workers.domain.paths import path_problem, process_problem
from ar_workers.domain.retries import GiveUp, after_error
from ar_workers.domain.states import MOVES, TERMINAL, State
from ar_workers.domain.threats import UNREADABLE_URL, Severity, Threat
from tests.builders import (
    EVIL,
    a_delete,
    a_domain_ban,
    a_hash_ban,
    a_kill,
    a_policy,
    a_release,
    a_threat,
    a_threat_published,
    an_endpoint,
    an_ioc,
    an_isolate,
)


def changed(path, value):
    document = a_threat_published(iocs=(an_ioc(),)).model_dump(mode="json")
    *parents, last = path.split(".")
    holder = document
    for each in parents:
        holder = holder[int(each) if each.isdigit() else each]
    holder[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("customer", "Acme Corp"),
        ("customer", "a:b"),
        ("id", "with space"),
        ("occurred_at", "2026-11-24T12:00:00"),
        ("occurred_at", "yesterday"),
        ("threat.severity", "critical"),
        ("threat.id", "../../x"),
        ("surprise", 1),
    ],
)
def test_a_wrong_field_is_named(path, value):
    with pytest.raises(InvalidEvent) as raised:
        parse_event(changed(path, value))
    assert raised.value.field == path


def test_of_many_wrong_fields_one_is_named_and_the_others_are_counted():
    with pytest.raises(InvalidEvent, match=r"^id: Field required \(and 3 more\)$"):
        parse_event({"type": "threat_published"})
    with pytest.raises(InvalidEvent, match=r"^id: Field required$"):
        parse_event({name: value for name, value in a_threat_published().model_dump(mode="json").items() if name != "id"})


def test_the_schema_has_each_event_that_is_published():
    assert set(event_schema()["discriminator"]["mapping"]) == {
        "threat_published",
        "threat_closed",
        "note_added",
        "remediation_requested",
        "release_requested",
        "endpoint_grouped",
        "undo_requested",
        "unsupported_os_detected",
    }


@pytest.mark.parametrize(
    ("indicator", "label"),
    [
        (FileHash(sha256="a" * 64), "sha256:" + "a" * 64),
        (Domain(domain="evil.example"), "evil.example"),
        (File(path=r"C:\Temp\evil.exe"), r"C:\Temp\evil.exe"),
        (RegistryKey(key=r"HKLM\Software\Evil", value="Run"), r"HKLM\Software\Evil [Run]"),
        (RegistryKey(key=r"HKLM\Software\Evil"), r"HKLM\Software\Evil"),
        (Process(pid=4711, image_path=r"C:\Temp\evil.exe", sha256="a" * 64), r"pid 4711 (C:\Temp\evil.exe)"),
        (Process(pid=4711, sha256="a" * 64), "pid 4711"),
    ],
)
def test_an_indicator_is_named_whole_for_people(indicator, label):
    assert IOC(indicator=indicator).label == label


@pytest.mark.parametrize("payload", [None, 5, [], "x", {}, {"type": "nonsense"}])
def test_what_is_no_event_is_refused(payload):
    with pytest.raises(InvalidEvent):
        parse_event(payload)


def test_the_checksum_does_not_depend_on_the_order_of_fields():
    document = a_threat_published().model_dump(mode="json")
    assert parse_event(dict(reversed(document.items()))).checksum == a_threat_published().checksum


def test_the_checksum_is_the_same_in_every_process():
    groups = json.dumps(sorted("abcdefgh"))
    program = f"from tests.builders import *;print(a_threat_published(endpoints=(an_endpoint(groups=frozenset({groups})),)).checksum)"
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def test_the_threats_url_loses_its_query():
    assert a_threat(url="https://ar.example/t/1?token=secret#x").url == "https://ar.example/t/1"


@pytest.mark.parametrize(("path", "kept"), [("é", "%C3%A9"), ("a\0b", "a%00b"), ("\u202e", "%E2%80%AE"), ("a%20b~[1]", "a%20b~[1]")])
def test_a_link_is_printable_ascii_and_survives_every_channel(path, kept):
    assert a_threat(url=f"https://ar.example/{path}").url == f"https://ar.example/{kept}"


@pytest.mark.parametrize(
    "url",
    [
        *("https://ar.example/a b", "https://ar.example/a\nb", "https://bücher.example/", "https://x.example/\ud800"),
        *("http://ar.example/1", "https://ar.example/<!channel>", "https://ar.example/1\n", "https://ar.example/" + "a" * 500),
        *("", None, 5, ["https://ar.example/"]),
    ],
)
def test_what_is_no_link_leads_nowhere_and_refuses_no_threat(url):
    assert a_threat(url=url).url == UNREADABLE_URL


def test_all_zeros_are_no_hash():
    assert FileHash(sha256="a" * 64, sha1="0" * 40).sha1 is None
    with pytest.raises(ValidationError):
        FileHash(sha1="0" * 40)


def test_the_best_hash_is_the_first_that_is_accepted_and_known():
    known = FileHash(md5="A" * 32, sha1="b" * 40)
    assert known.best((HashType.SHA256, HashType.MD5)) == (HashType.MD5, "a" * 32)
    assert known.best((HashType.SHA256,)) is None


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("Evil.Example.", "evil.example"),
        ("evil[.]example", "evil.example"),
        ("evil(.)example", "evil.example"),
        ("evil[dot]example", "evil.example"),
        ("evil{.}example", "evil.example"),
        ("evil(DOT)example", "evil.example"),
        ("hxxps://evil[.]example/x?y=1", "evil.example"),
        ("hXXp[:]//evil.example:8080", "evil.example"),
        ("https[://]kim:pw@evil[.]example/a@b", "evil.example"),
        (r"https:\\evil.example\x", "evil.example"),
        ("evil.example/x", "evil.example"),
        ("evil.example:443", "evil.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("\uff45vil\uff0eexample", "evil.example"),
        ("evil。example", "evil.example"),
        ("نامه‌ای.example", "xn--mgba3gch31f060k.example"),
        ("my_host.bücher.example", "my_host.xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_normalised(given_name, kept):
    assert Domain(domain=given_name).domain == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localhost",
        "com",
        "a b.example",
        "http://",
        "10.0.0.1",
        "-a.example",
        "kim@evil.example",
        "'.example",
        "a" * 2**20,
        r"C:\x.example",
    ],
)
def test_what_is_no_domain_is_refused(name):
    with pytest.raises(ValidationError):
        Domain(domain=name)


@pytest.mark.parametrize(
    "name",
    [
        "ev\u200dil.example",
        "\U0001f469\u200d\U0001f4bb.example",
        "\u2603.example",
        "\u0628a.example",
        "-b\xfccher.example",
        "\u0375.example",
    ],
)
def test_a_name_that_idna_refuses_is_refused_with_its_reason(name):
    with pytest.raises(ValidationError, match="is not a domain name"):
        Domain(domain=name)


@pytest.mark.parametrize("name", ["xn--fa-hia.example", "xn--zz.example", "\uff45vil.example", "bu\u0308cher.example"])
def test_a_name_that_stays_the_same_domain_is_taken(name):
    assert Domain(domain=name).domain.isascii()


def test_a_registry_key_has_a_short_hive_and_something_below_it():
    assert RegistryKey(key=r"HKEY_CURRENT_USER\Software\Evil").key == r"HKCU\Software\Evil"
    for key in ("HKLM", "HKLM\\", r"Software\Evil", "C:\\x"):
        with pytest.raises(ValidationError):
            RegistryKey(key=key)


@pytest.mark.parametrize(
    ("path", "os"),
    [
        (r"C:\Windows\System32\evil.exe", OS.WINDOWS),
        (r"C:\Program Files\CrowdStrike\CSFalconService.exe", OS.WINDOWS),
        (r"\\server\share\evil.exe", OS.WINDOWS),
        (r"\Device\HarddiskVolume3\Windows\System32\evil.exe", OS.WINDOWS),
        (r"C:\a\..\Windows\x.exe", OS.WINDOWS),
        ("C:\\a\\b.txt:stream", OS.WINDOWS),
        (r"%TEMP%\evil.exe", OS.WINDOWS),
        (r"C:\a\*.exe", OS.WINDOWS),
        ("C:\\a\\b.exe; rm x", OS.WINDOWS),
        ('C:\\a\\b".exe', OS.WINDOWS),
        ("evil.exe", OS.WINDOWS),
        ("/System/Library/x", OS.MACOS),
        ("/etc/passwd", OS.MACOS),
        ("~/evil", OS.MACOS),
        ("/Users/a/$(id)", OS.MACOS),
        ("/Users/a/`id`", OS.MACOS),
    ],
)
def test_a_path_that_must_not_or_cannot_be_acted_on_has_a_problem(path, os):
    assert path_problem(path, os)


@pytest.mark.parametrize(
    ("path", "os"),
    [
        (EVIL, OS.WINDOWS),
        (r"\Device\HarddiskVolume3\evil.exe", OS.WINDOWS),
        (r"C:\Program Files (x86)\My App\evil, v2.exe", OS.WINDOWS),
        ("/Users/robin/Library/.evil", OS.MACOS),
    ],
)
def test_an_ordinary_path_has_none(path, os):
    assert path_problem(path, os) is None


@pytest.mark.parametrize(
    "key",
    [
        r"HKLM\SYSTEM",
        r"HKLM\Software\Microsoft",
        r"HKCU\Software",
        r"HKU\S-1-5-21-1",
        r"HKU\S-1-5-21-1\Software",
        r"HKLM\SYSTEM\CurrentControlSet\Services\CSAgent",
    ],
)
def test_a_vital_key_is_never_deleted_whole(key):
    assert registry_problem(RegistryKey(key=key))


def test_one_value_of_a_vital_key_may_be_deleted():
    run = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
    assert registry_problem(RegistryKey(key=run))
    assert registry_problem(RegistryKey(key=run, value="Evil")) is None


@pytest.mark.parametrize(
    "process",
    [
        Process(pid=4),
        Process(pid=700, image_path=r"C:\Windows\System32\lsass.exe"),
        Process(pid=700, image_path="csfalconservice.exe"),
        Process(pid=900),
    ],
)
def test_a_vital_or_unconfirmed_process_is_never_killed(process):
    assert process_problem(process)


def test_the_kernel_is_not_killed_whatever_image_it_is_said_to_be():
    said = {"image_path": EVIL, "sha256": "a" * 64}
    assert process_problem(Process(pid=4, **said)) == "kernel or init process"
    assert process_problem(Process(pid=5, **said)) is None


def test_a_system_name_in_a_strange_place_is_a_disguise():
    assert process_problem(Process(pid=700, image_path=r"C:\Users\kim\svchost.exe", sha256="a" * 64)) is None


def test_the_same_action_has_the_same_identity():
    assert identity(an_isolate()) == identity(an_isolate(an_endpoint(os=OS.UNKNOWN)))
    others = [a_release(), an_isolate(an_endpoint("OTHER")), a_kill(), a_kill(pid=9), a_hash_ban(), a_domain_ban()]
    assert len({identity(each) for each in [an_isolate(), *others]}) == len(others) + 1


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 24, 6, 0, tzinfo=MOUNTAIN), True),
        (datetime(2026, 11, 24, 5, 59, tzinfo=MOUNTAIN), False),
        (datetime(2026, 11, 24, 17, 59, tzinfo=MOUNTAIN), True),
        (datetime(2026, 11, 24, 18, 0, tzinfo=MOUNTAIN), False),
        (datetime(2026, 11, 28, 12, 0, tzinfo=MOUNTAIN), False),
        (datetime(2026, 11, 26, 12, 0, tzinfo=MOUNTAIN), False),
        (datetime(2026, 7, 15, 12, 30, tzinfo=UTC), True),
        (datetime(2026, 1, 15, 12, 30, tzinfo=UTC), False),
    ],
)
def test_business_hours_are_mountain_time_without_weekends_and_holidays(moment, is_open):
    assert is_business_hours(moment) is is_open


def test_the_federal_holidays_of_2026_and_those_that_are_observed_on_another_day():
    assert federal_holidays(2026) == {
        date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3),
        date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25),
    }  # fmt: skip
    assert date(2021, 12, 31) in federal_holidays(2021)
    assert date(2022, 1, 1) not in federal_holidays(2022)
    assert date(2023, 1, 2) in federal_holidays(2023)


def ruled(action, endpoint=None, **policy):
    return rule(action, a_policy(**policy), [endpoint or an_endpoint()], Fact(sight=Sight.ABSENT))


def test_an_endpoint_in_a_remediate_group_may_be_acted_on():
    assert ruled(an_isolate()).verdict is Verdict.ALLOW


@pytest.mark.parametrize("groups", [None, frozenset(), frozenset({"remediate"})])
def test_an_endpoint_elsewhere_may_not(groups):
    assert ruled(an_isolate(), an_endpoint(groups=groups)).verdict is Verdict.REFUSE


def test_an_endpoint_that_turns_out_to_be_a_linux_is_left_alone():
    assert ruled(an_isolate(), an_endpoint(os=OS.LINUX)).verdict is Verdict.REFUSE
    assert ruled(an_isolate(), an_endpoint(os=OS.UNKNOWN)).verdict is Verdict.ALLOW
    assert ruled(a_hash_ban(), an_endpoint(os=OS.LINUX)).verdict is Verdict.ALLOW


def test_another_customers_policy_refuses():
    assert ruled(an_isolate(), customer="globex").verdict is Verdict.REFUSE


def test_a_protected_endpoint_is_held():
    assert ruled(an_isolate(), protected_endpoints=frozenset({"fin-lt-07"})).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("action", "listed"),
    [(a_hash_ban(sha256="a" * 64), "a" * 64), (a_domain_ban("x.evil.example"), "evil.example"), (a_delete(), EVIL.upper())],
)
def test_what_the_customer_listed_is_never_touched(action, listed):
    ruling = ruled(action, never_touch=frozenset({listed}))
    assert ruling.reason.startswith("never-touch list")


def test_the_empty_file_is_never_banned():
    empty = a_hash_ban(sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert ruled(empty).reason == "hash of the empty file"


def test_a_release_needs_no_group():
    assert ruled(a_release(), an_endpoint(groups=frozenset())).verdict is Verdict.ALLOW


@pytest.mark.parametrize("error", [Denied("no"), AuthRefused("no")])
def test_what_is_refused_for_good_is_given_up(error):
    assert isinstance(after_error(error, 0, lambda: 0.5), GiveUp)


def test_nothing_leaves_a_terminal_state_but_a_failure_that_is_requeued():
    assert {state: MOVES[state] for state in TERMINAL if MOVES[state]} == {State.FAILED: frozenset({State.PENDING})}


def test_a_threat_without_its_fields_is_none():
    with pytest.raises(ValidationError):
        Threat(id="T", classification="x", url="https://x.example/")


def test_a_threat_of_which_only_id_and_severity_can_be_read_is_one():
    bare = Threat(id="T", severity="high")
    assert (bare.severity, bare.classification, bare.title, bare.url) == (Severity.HIGH, "not classified", "Threat", UNREADABLE_URL)


@pytest.mark.parametrize("kind", ["action_stopped", "delivery_failed"])
def test_nobody_publishes_what_the_ledger_tells(kind):
    payload = {
        "type": kind,
        "id": ".failed-1",
        "customer": "acme",
        "occurred_at": "2026-11-24T12:00:00Z",
        "threat_ref": "T-1",
        "reason": "x",
    }
    with pytest.raises(InvalidEvent, match="type"):
        parse_event(payload)
    assert kind not in str(event_schema())
