"""What many use honestly, or is the customer's own, is held for a person; what only looks like it is not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.guards import ALLOW, EMPTY_FILE, Guard, Verdict
from ar_workers.domain.wellknown import DomainList, HashList, WellKnown, rule_of_known
from ar_workers.lists.suffixes import public_suffixes
from tests.builders import (
    a_delete,
    a_domain_ban,
    a_hash_ban,
    a_kill,
    a_policy,
    a_quarantine,
    a_release,
    an_action,
    an_endpoint,
    hash_of,
    sha256,
)
from tests.fakes import KNOWN

UMBRELLA = "'Top 1000 websites from Cisco Umbrella'"
MAIL = {"acme.example": "receivers.soc"}


def ruled(action, *, endpoints=(), known=KNOWN, **policy):
    return rule_of_known(action, a_policy(**policy), endpoints, known)


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("co.uk", "co.uk is a public suffix (publicsuffixlist)"),
        ("github.io", "github.io is a public suffix (publicsuffixlist)"),
        ("kawasaki.jp", "kawasaki.jp is a public suffix (publicsuffixlist)"),
        ("anything.ck", "anything.ck is a public suffix (publicsuffixlist)"),
        ("xn--55qx5d.cn", "xn--55qx5d.cn is a public suffix (publicsuffixlist)"),
        ("core.windows.net", "core.windows.net is above "),
        ("microsoft.com", f"microsoft.com is on {UMBRELLA}"),
        ("www.facebook.com", "www.facebook.com is on "),
        ("login.microsoft.com", "login.microsoft.com is on "),
        ("deep.below.microsoft.com", "deep.below.microsoft.com is below microsoft.com on 'List of known microsoft domains'"),
        ("amazonaws.com", f"{UMBRELLA}"),
        ("apple.com", f"{UMBRELLA}"),
        ("ts01-b.cloudsink.net", "below cloudsink.net on 'The clouds of the EDRs (ar_workers)'"),
        ("acme.sentinelone.net", "below sentinelone.net on 'The clouds of the EDRs (ar_workers)'"),
        ("vmware.com", "vmware.com is above carbonblack.vmware.com on 'The clouds of the EDRs (ar_workers)'"),
    ],
)
def test_a_ban_of_what_many_use_waits_for_a_person_with_the_lists_name(domain, said):
    ruling = ruled(a_domain_ban(domain))
    assert (ruling.verdict, ruling.guard) == (Verdict.HOLD, Guard.WELL_KNOWN)
    assert said in ruling.reason


@pytest.mark.parametrize(
    "domain",
    [
        "evil.example",
        "evil.co.uk",
        "evil.github.io",
        "evil-microsoft.com",
        "microsoft.com.evil.example",
        "notmicrosoft.com",
        "attacker.blogspot.com",
        "x.amazonaws.com",
        "evil.azurewebsites.net",
        "www.evil.azurewebsites.net",
        "www.github.io",
        "evil.duckdns.org",
        "files.slack.com.evil.example",
    ],
)
def test_a_ban_of_what_a_stranger_may_have_registered_goes_on(domain):
    assert ruled(a_domain_ban(domain)) is ALLOW


@pytest.mark.parametrize(
    ("domain", "policy"),
    [
        ("acme.example", {"named_domains": MAIL}),
        ("vpn.acme.example", {"named_domains": MAIL}),
        ("acme.example", {"named_domains": {"mail.acme.example": "receivers.soc"}}),
        ("corp.local", {"own_domains": frozenset({"corp.local"})}),
        ("dc.corp.local", {"own_domains": frozenset({"corp.local"})}),
        ("kim.github.io", {"own_domains": frozenset({"github.io"})}),
    ],
)
def test_the_customers_own_domain_is_held_with_what_is_above_and_below_it(domain, policy):
    ruling = ruled(a_domain_ban(domain), **policy)
    assert (ruling.verdict, ruling.guard) == (Verdict.HOLD, Guard.WELL_KNOWN)
    assert f"acme's own ({'protect.own_domains' if 'own_domains' in policy else 'receivers.soc'})" in ruling.reason


def test_the_domain_of_the_threats_endpoints_is_the_customers_own():
    there = an_endpoint(hostname="FIN-LT-07.corp.acme.example")
    for domain in ("corp.acme.example", "acme.example", "dc.corp.acme.example"):
        assert "the endpoint FIN-LT-07.corp.acme.example is in it" in ruled(a_domain_ban(domain), endpoints=[there]).reason
    assert ruled(a_domain_ban("evil.example"), endpoints=[there]) is ALLOW


@pytest.mark.parametrize("hostname", ["FIN-LT-07", "kims-mac.local", "10.0.0.5", "mac.github.io", "", "a..b", "host." + "x" * 300])
def test_a_hostname_that_tells_no_domain_holds_nothing(hostname):
    assert ruled(a_domain_ban("evil.github.io"), endpoints=[an_endpoint(hostname=hostname)]) is ALLOW


def test_what_lies_beside_the_customers_own_goes_on():
    for domain in ("notacme.example", "acme.example.evil.example", "evil.example"):
        assert ruled(a_domain_ban(domain), named_domains=MAIL, own_domains=frozenset({"corp.local"})) is ALLOW


def test_mail_at_a_public_suffix_does_not_make_its_guests_the_customers():
    named = {"github.io": "receivers.soc"}
    assert ruled(a_domain_ban("evil.github.io"), named_domains=named) is ALLOW


EMPTY = {kind: hashlib.new(kind, b"").hexdigest() for kind in ("md5", "sha1", "sha256")}


@pytest.mark.parametrize("kind", EMPTY)
def test_the_empty_files_hash_of_each_kind_is_held(kind):
    assert EMPTY[kind] in EMPTY_FILE
    assert "'List of known hashes for empty files'" in ruled(a_hash_ban(**{kind: EMPTY[kind]})).reason


@pytest.mark.parametrize("kind", ["sha256", "sha1"])
def test_a_file_of_a_listed_content_is_neither_deleted_nor_quarantined_without_a_person(kind):
    for action in (a_delete(sha256=None) if kind == "sha1" else a_delete(), a_quarantine()):
        listed = action.model_copy(update={"file": action.file.model_copy(update={"sha256": None, kind: EMPTY[kind]})})
        assert (ruled(listed).verdict, ruled(listed).guard) == (Verdict.HOLD, Guard.WELL_KNOWN)
        assert ruled(action) is ALLOW


def test_one_listed_hash_of_several_is_enough():
    listed = KNOWN().hashes[-1]
    assert listed.title == "Hashes that are often included in IOC lists but are false positives."
    md5 = listed.digests[16][-1].hex()
    assert ruled(a_hash_ban(sha256=sha256("evil"), sha1=hash_of("sha1", "evil"), md5=md5)).reason == f"md5:{md5} is on '{listed.title}'"


def test_a_process_is_ended_whatever_its_image_is():
    assert ruled(a_kill(sha256=EMPTY["sha256"])) is ALLOW


def test_the_lists_are_not_read_for_what_names_neither_domain_nor_content():
    def unread():
        raise AssertionError

    for verb in set(ACTIONS) - {"ban_hash", "ban_domain", "delete_file", "quarantine_file"}:
        assert ruled(an_action(verb), known=unread) is ALLOW
    assert ruled(a_release(), known=unread) is ALLOW


def test_of_many_lists_some_are_named_and_the_others_counted():
    lists = tuple(DomainList.of(f"L{n}", ["busy.example"]) for n in range(5))
    known = WellKnown(public_suffixes(), lists)
    assert ruled(a_domain_ban("busy.example"), known=lambda: known).reason == "busy.example is on 'L0', 'L1', 'L2'; on 2 more lists"


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
ENTRY = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
NAME = st.one_of(st.sampled_from(["co.uk", "a.github.io", "www.ck", "xn--55qx5d.cn"]), st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=2, max_size=5).map(".".join)).filter(lambda name: len(name) > 3 and len(name.rpartition(".")[2]) > 1)  # fmt: skip


@given(
    domain=NAME,
    entries=st.lists(st.one_of(ENTRY, ENTRY.map(".{}".format), st.text(max_size=9))),
    own=st.sets(ENTRY),
    hostname=st.text(max_size=60),
)
def test_whatever_is_listed_and_asked_there_is_a_ruling(domain, entries, own, hostname):
    known = WellKnown(public_suffixes(), (DomainList.of("L", entries),), (HashList("H", {}),))
    policy = a_policy(own_domains=frozenset(own), named_domains=dict.fromkeys(own, "x"))
    for action in (a_domain_ban(domain), a_hash_ban(), a_delete()):
        ruling = rule_of_known(action, policy, [an_endpoint(hostname=hostname, edr=Vendor.CROWDSTRIKE)], lambda: known)
        assert (ruling.verdict is Verdict.HOLD) == bool(ruling.reason) == (ruling.guard is Guard.WELL_KNOWN)
    assert domain not in own or rule_of_known(a_domain_ban(domain), policy, [], lambda: known).verdict is Verdict.HOLD
