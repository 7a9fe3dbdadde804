"""Guards judge what the EDR shows, whatever the order says of it; and what protects is asked in every form it is written in."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.endpoints import OS
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.verbs import GIVING_BACK
from tests.builders import (
    EVIL,
    a_delete,
    a_domain_ban,
    a_hash_ban,
    a_key_deletion,
    a_kill,
    a_policy,
    an_action,
    an_endpoint,
    an_isolate,
    sha256,
)

MAC = an_endpoint(os=OS.MACOS)
DEVICE = r"\Device\HarddiskVolume3"
UNNAMED = a_kill(image_path=None)


def ruled(action, image="", *, endpoint=None, **policy):
    return rule(action, a_policy(**policy), [endpoint or an_endpoint()], Fact(sight=Sight.ABSENT, image=image))


@pytest.mark.parametrize("image", [r"C:\Windows\System32\lsass.exe", "lsass.exe"])
@pytest.mark.parametrize("action", [UNNAMED, a_kill(), a_kill(image_path=r"C:\Users\kim\lsass.exe")], ids=["unnamed", "other", "disguise"])
def test_a_process_that_is_seen_to_be_vital_is_never_killed(action, image):
    ruling = ruled(action, image)
    assert (ruling.verdict, ruling.reason) == (Verdict.REFUSE, "vital process lsass.exe: never killed by automation")


def test_a_disguise_that_was_seen_is_killed_like_any_other():
    for image in (r"C:\Users\kim\svchost.exe", EVIL):
        assert ruled(UNNAMED, image).verdict is Verdict.ALLOW


def test_a_process_that_is_seen_to_be_on_the_list_is_never_killed():
    for entry in ("backup.exe", "C:\\Acme\\", r"C:\Acme\backup.exe", "c:/acme"):
        assert ruled(UNNAMED, r"C:\Acme\Backup.exe", never_touch=frozenset({entry})).reason == f"never-touch list: {entry}"


def test_a_name_without_a_folder_is_that_of_the_listed_path():
    listed = frozenset({r"C:\Acme\backup.exe"})
    assert ruled(UNNAMED, "backup.exe", never_touch=listed).verdict is Verdict.REFUSE
    assert ruled(UNNAMED, r"C:\Users\kim\backup.exe", never_touch=listed).verdict is Verdict.ALLOW


def test_what_is_refused_is_refused_on_a_protected_endpoint_too():
    """An approval opens the protection alone: it must not be what is asked first."""
    policy = {"protected_endpoints": frozenset({"FIN-LT-07"}), "never_touch": frozenset({EVIL})}
    assert ruled(UNNAMED, "lsass.exe", **policy).verdict is Verdict.REFUSE
    assert ruled(a_delete(), **policy).verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("FIN-LT-07", "fin-lt-07.corp.acme.example"),
        ("FIN-LT-07", r"CORP\FIN-LT-07"),
        (r"CORP\FIN-LT-07", "FIN-LT-07"),
        (r"CORP\fin-lt-07$", "fin-lt-07.corp.acme.example"),
        ("fin-lt-07.corp.acme.example.", "FIN-LT-07.corp.acme.example"),
        ("fin-lt-07.corp.acme.example", "FIN-LT-07"),
        ("Kim's  MacBook", "kim's macbook"),
        ("FIN-*", "fin-lt-07.corp.acme.example"),
        ("fin-lt-0[5-9]", r"CORP\FIN-LT-07"),
        (r"CORP\FIN-??-07", "fin-lt-07"),
        ("*.corp.acme.example", "FIN-LT-07.corp.acme.example"),
        ("fin-*.corp.acme.example", "FIN-LT-07"),
        ("FIN-LAPTOP-ACCOUNTING", "FIN-LAPTOP-ACCO"),
        ("FIN-LAPTOP-ACCO", "fin-laptop-accounting.corp.acme.example"),
        ("*", "anything"),
        (an_endpoint().agent_id.upper(), "renamed"),
    ],
)
def test_a_protected_endpoint_is_held_in_whatever_form_it_is_written_or_shown(entry, shown):
    ruling = ruled(an_isolate(), endpoint=an_endpoint(hostname=shown), protected_endpoints=frozenset({entry}))
    assert (ruling.verdict, ruling.reason) == (Verdict.HOLD, f"protected endpoint (name {entry}): a TRE decides")


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("fin-lt-07.corp.acme.example", "fin-lt-07.lab.acme.example"),
        ("FIN-LT", "FIN-LT-07"),
        ("FIN-?", "FIN-LT-07"),
        ("*.corp.acme.example", "FIN-LT-07"),
        ("fin-*.corp.acme.example", "fin-lt-07.lab.acme.example"),
        ("FIN-LAPTOP-ACC", "FIN-LAPTOP-ACCO"),
    ],
)
def test_another_name_is_another_endpoint(entry, shown):
    action = an_isolate(an_endpoint(hostname=shown))
    assert ruled(action, endpoint=action.endpoint, protected_endpoints=frozenset({entry})).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("entry", "action"),
    [
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme", a_key_deletion(key=r"HKLM\SOFTWARE\Acme")),
        (r"Computer\HKEY_LOCAL_MACHINE\SOFTWARE\Acme", a_key_deletion(key=r"HKLM\Software\Acme\App")),
        (r"HKLM:\SOFTWARE\Acme", a_key_deletion(key=r"HKLM\Software\\Acme", value="licence")),
        (r"HKLM\SOFTWARE\Acme\App", a_key_deletion(key=r"HKLM\SOFTWARE\Acme")),
        (r"HKLM\SOFTWARE\Acme", a_key_deletion(key=r"HKLM\SOFTWARE\WOW6432Node\Acme")),
        (r"HKCU\Software\Acme", a_key_deletion(key=r"HKU\S-1-5-21-1\Software\Acme")),
        (r"HKCR\acme", a_key_deletion(key=r"HKCU\Software\Classes\acme")),
        ("updates.acme.example.", a_domain_ban("updates.acme.example")),
        ("updates.acme.example", a_domain_ban("acme.example")),
        ("Acme.Example", a_domain_ban("updates.acme.example")),
        ("bücher.example", a_domain_ban("xn--bcher-kva.example")),
        (".acme[.]example", a_domain_ban("acme.example")),
        (f"SHA256:{sha256('x').upper()}", a_hash_ban(sha256=sha256("x"))),
        (sha256("x"), a_kill(image_path=None, sha256=sha256("x"))),
        (sha256("x"), a_delete(sha256=sha256("x"))),
        ("C:\\Acme\\", a_delete(path=r"c:\acme\app\x.exe")),
        (r"C:\Acme\App\x.exe", a_delete(path=r"C:\Acme\App")),
        (r"\\?\C:\Acme", a_delete(path=r"C:\Acme\x.exe")),
        ("backup.exe", a_delete(path=r"D:\anywhere\Backup.EXE")),
        ("backup", a_kill(image_path="/opt/backup")),
        (r"C:\Acme*", a_delete(path=r"C:\Acme Tools\bin\x.exe")),
        (r"C:\Users\*\Acme", a_delete(path=r"C:\Users\kim\Acme\x.exe")),
        (r"C:\Users\*\Acme", a_delete(path=r"C:\Users\kim\AppData\Acme\x.exe")),
        (r"?:\Acme\*.exe", a_delete(path=DEVICE + r"\Acme\x.exe")),
        (r"*\Acme\*", a_delete(path=r"D:\a\b\Acme\x.exe")),
        ("back*.exe", a_delete(path=r"D:\anywhere\Backup.EXE")),
        ("/opt/acme*", a_delete(MAC, path="/opt/Acme-2/x")),
        (r"C:\Acme Tools", a_kill(image_path=r"C:\ACMETO~1\x.exe")),
        (r"C:\Acme*", a_kill(image_path=r"C:\ACMETO~1\x.exe")),
        (r"HKLM\SOFTWARE\Acme*", a_key_deletion(key=r"HKLM\SOFTWARE\WOW6432Node\Acme App\x")),
        (r"HKU\*\Software\Acme", a_key_deletion(key=r"HKCU\Software\Acme")),
        (r"HKLM\SOFTWARE\*\Guard", a_key_deletion(key=r"HKLM\SOFTWARE\Acme")),
        ("*.acme.example", a_domain_ban("updates.acme.example")),
        ("*.acme.example", a_domain_ban("acme.example")),
        ("upd*.b\u00fccher.example", a_domain_ban("updates.xn--bcher-kva.example")),
        ("/private/var/acme", a_delete(MAC, path="/var/acme/x")),
        ("/Applications/Acme.app/", a_kill(image_path="/System/Volumes/Data/Applications/Acme.app/Contents/MacOS/Acme")),
    ],
)
def test_the_listed_and_what_is_above_or_below_it_is_never_touched(entry, action):
    ruling = ruled(action, never_touch=frozenset({entry}))
    assert (ruling.verdict, ruling.reason) == (Verdict.REFUSE, f"never-touch list: {entry}")


@pytest.mark.parametrize(
    ("entry", "action"),
    [
        (r"HKLM\SOFTWARE\Acme\App", a_key_deletion(key=r"HKLM\SOFTWARE\Acme", value="Evil")),
        (r"HKLM\SOFTWARE\Acme", a_key_deletion(key=r"HKLM\SOFTWARE\AcmeEvil")),
        ("updates.acme.example", a_domain_ban("evil.acme.example")),
        ("acme.example", a_domain_ban("notacme.example")),
        (r"C:\Acme", a_delete(path=r"C:\AcmeEvil\x.exe")),
        ("backup.exe", a_delete(path=r"C:\backup.exe\evil.exe")),
        (r"C:\Acme*", a_delete(path=r"C:\Evil\Acme.exe")),
        (r"C:\Acme [x]", a_delete(path=r"C:\Acme x\evil.exe")),
        (r"HKLM\SOFTWARE\Acme*", a_key_deletion(key=r"HKLM\SOFTWARE\Evil")),
        ("*.acme.example", a_domain_ban("acme.evil.example")),
        (r"C:\Acme", a_kill(image_path=r"C:\EVILDI~1\x.exe")),
    ],
)
def test_what_lies_beside_the_listed_is_not(entry, action):
    assert ruled(action, never_touch=frozenset({entry})).verdict is Verdict.ALLOW


@pytest.mark.parametrize("verb", sorted(set(ACTIONS) - GIVING_BACK))
def test_no_verb_acts_on_what_must_not_be_touched(verb):
    action = an_action(verb)
    listed = frozenset({EVIL, sha256("evil"), "evil.example", r"HKLM\Software\Evil"})
    assert ruled(action).verdict is Verdict.ALLOW
    assert ruled(action, never_touch=listed).verdict is (Verdict.REFUSE if action.target else Verdict.ALLOW)
