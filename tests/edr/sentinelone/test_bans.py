"""Bans of hashes and domains by SentinelOne: one entry per OS, in the configured scope alone."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import BanHash
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, Unsupported
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.indicators import FileHash
from tests.builders import hash_of, sha256
from tests.edr.rigs.base import NEIGHBOUR
from tests.edr.rigs.sentinelone import ACCOUNT, SITE, sentinelone
from tests.edr.sentinelone.building import performed


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
        assert rig.adapter.observe(action, None).sight is Sight.PRESENT


def an_entry(rig, os, scope):
    value = hash_of("sha1", "evil")
    row = {"id": f"5{len(os)}", "type": "black_hash", "value": value, "sha256Value": None, "description": "", "osType": os, "scope": scope}
    rig.simulation.world.tenant("acme").iocs[row["id"]] = row


def test_an_entry_above_the_scope_is_so_and_one_below_it_is_not(rig):
    action = rig.action("ban_hash")
    an_entry(rig, "windows", {"siteIds": [SITE]})
    assert rig.adapter.observe(action, None).sight is Sight.ABSENT
    an_entry(rig, "windows", {"tenant": True})
    assert rig.adapter.observe(action, None).sight is Sight.PRESENT


def test_an_entry_of_another_os_is_none(rig):
    an_entry(rig, "macos", {"tenant": True})
    assert rig.adapter.observe(rig.action("ban_hash"), None).sight is Sight.ABSENT


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
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


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
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


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
        again = rig.adapter.perform(action, Fact(sight=Sight.ABSENT, handle="windows"))
        assert again.detail == {"conflict": "exists"}


def test_a_banned_domain_is_told_to_be_only_detected_until_it_expires(rig):
    action, receipt = performed(rig, "ban_domain")
    assert rig.adapter.observe(action, receipt).evidence.startswith("detect-only, SentinelOne does not block domains")
    for row in rig.simulation.world.tenant("acme").iocs.values():
        row["validUntil"] = "2020-01-01T00:00:00.000000Z"
    assert rig.adapter.observe(action, None).sight is Sight.ABSENT


def test_without_an_account_no_domain_is_banned():
    with sentinelone(config={"scope": "tenant", "account_id": None}) as rig:
        with pytest.raises(Unsupported, match="account_id"):
            rig.adapter.observe(rig.action("ban_domain"), None)
        assert rig.simulation.journal.requests() == []
