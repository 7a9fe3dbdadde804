"""An entry of `[protect]` that can never match would be a protection that is none: it is refused, with what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.guards import Verdict, rule
from ar_workers.domain.protected import host_name
from ar_workers.domain.protection import of_hash, places, protection
from tests.builders import a_delete, a_policy, an_endpoint, an_isolate


@pytest.mark.parametrize(
    "entry", ["CORP\\*", "FIN-[0*", "10.0.*.*", "^FIN", "10.0.0.7", "10.0.0.0/8", "fe80::1", "CORP\\", ".", ".corp.acme.example", "$"]
)
def test_what_names_no_endpoint_is_refused(entry):
    with pytest.raises(ValueError, match=r"(?s)'.+' .*(write|name) "):
        host_name(entry)


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        (r"C:\Temp\*.<exe>", r"\*, \? and"),
        (f"sha256:{'a' * 30}*", "each whole"),
        ("ab" * 20 + "*", "each whole"),
        ("10.0.*.*", "the domain"),
        ("b\u00fc*.example", "xn--"),
        (r"Acme*\backup.exe", "one of these"),
        ("HKL?\\Software", "one of these"),
        ("10.0.0.7", "the domain"),
        ("192.0.2.0/24", "the domain"),
        ("https://updates.acme.example/x", "its domain alone"),
        ("a" * 63, "sha256, sha1 or md5"),
        ("0" * 64, "sha256, sha1 or md5"),
        ("HKLM", "HKLM"),
        (r"HKXX\Software", "HKLM"),
        (r"%ProgramFiles%\Acme", "stands for"),
        ("~/acme", "stands for"),
        (r"C:\PROGRA~1\Acme", "long one"),
        (r"C:\Acme\..\x", "leads to"),
        (r"Acme\backup.exe", "one of these"),
        ("bin/backup", "one of these"),
        (r"\Device\HarddiskVolume3\Acme", "one of these"),
        ("acme.example:443", "one of these"),
        ("☃.example", "xn--"),
        ("...", "names nothing"),
    ],
)
def test_what_can_never_match_is_refused_with_what_to_write(entry, instead):
    with pytest.raises(ValidationError, match=instead) as raised:
        a_policy(never_touch=frozenset({entry}))
    assert entry.replace("\\", "\\\\") in str(raised.value) or entry in str(raised.value)


def test_an_empty_entry_is_refused():
    for name in ("never_touch", "protected_endpoints"):
        with pytest.raises(ValidationError):
            a_policy(**{name: frozenset({" "})})


def test_entries_are_read_once_for_a_policy():
    policy = a_policy(never_touch=frozenset({"acme.example"}))
    assert policy.protection is policy.protection
    assert protection(frozenset({"acme.example"})) is policy.protection
    assert policy.protected is policy.protected


def test_a_copy_of_a_policy_protects_what_it_says_itself():
    before = a_policy()
    assert not before.protected.entry_for(an_endpoint())
    assert before.model_copy(update={"protected_endpoints": frozenset({"fin-lt-07"})}).protected.entry_for(an_endpoint())


@given(st.text(min_size=1, max_size=30))
def test_every_entry_is_refused_or_protects_what_it_names(entry):
    try:
        found = places(entry)
    except ValueError:
        return
    assert found
    assert all(part for place in found for part in place.parts[1:])


NAMES = st.text(alphabet="abz019-", min_size=1, max_size=12)


@given(NAMES, NAMES)
def test_a_hostname_protects_itself_in_any_domain_and_no_other(entry, other):
    policy = a_policy(protected_endpoints=frozenset({entry}))

    def held(shown):
        action = an_isolate(an_endpoint(hostname=shown, agent_id="agent"))
        return rule(action, policy, [action.endpoint], Fact(sight=Sight.ABSENT)).verdict is Verdict.HOLD

    assert held(entry.upper())
    assert held(f"{entry}.corp.acme.example")
    assert held(other) is (other == entry)


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, max_size=3))
def test_a_folder_protects_what_is_in_it(folder, below):
    policy = a_policy(never_touch=frozenset({"C:\\" + "\\".join(folder)}))
    action = a_delete(path="C:\\" + "\\".join([*folder, *below]))
    assert rule(action, policy, [an_endpoint()], Fact(sight=Sight.ABSENT)).verdict is Verdict.REFUSE


@pytest.mark.parametrize("digits", [32, 40, 64], ids=["md5", "sha1", "sha256"])
def test_a_hash_of_each_kind_protects_its_file(digits):
    policy = a_policy(never_touch=frozenset({"AB" * (digits // 2)}))
    assert policy.protection.entry_against([of_hash("ab" * (digits // 2))])
