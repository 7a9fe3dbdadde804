"""What Defender does by a file's hash: quarantine on one machine, and bans that block everywhere."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import QuarantineFile
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import Unsupported
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import File
from tests.builders import EVIL, hash_of, sha256
from tests.edr.defender.building import NOT_SO, asked
from tests.edr.rigs.defender import defender


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
    assert rig.settled(action, None).sight is Sight.PRESENT
    assert len(rig.written()) == 1


def an_indicator(ban, **changes):
    body = {"indicatorValue": ban.hash.sha256, "indicatorType": "FileSha256", "action": "BlockAndRemediate", "rbacGroupNames": []}
    return {"id": "7", "creationTimeDateTimeUtc": "2024-01-01T00:00:00.0000000Z", **body, **changes}


@pytest.mark.parametrize(
    ("changes", "sight"),
    [
        ({}, Sight.PRESENT),
        ({"action": "Block"}, Sight.PRESENT),
        ({"action": "Audit"}, Sight.ABSENT),
        ({"action": "Allowed"}, Sight.MISMATCH),
        ({"action": "Allowed", "rbacGroupNames": ["Servers"]}, Sight.MISMATCH),
        ({"rbacGroupNames": ["Servers"]}, Sight.ABSENT),
        ({"expirationTime": "2024-01-01T00:00:00.1234567Z"}, Sight.ABSENT),
        ({"expirationTime": "2999-01-01T00:00:00.1234567Z"}, Sight.PRESENT),
        ({"indicatorType": "FileSha1"}, Sight.ABSENT),
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
    assert rig.adapter.observe(ban, None).sight is Sight.PRESENT
    assert len(rig.simulation.world.tenant("acme").iocs) == 1


@pytest.mark.parametrize(("hashes", "kind"), [({"sha1": "b" * 40, "md5": "a" * 32}, "FileSha1"), ({"md5": "a" * 32}, "FileMd5")])
def test_the_best_hash_that_is_known_is_banned(rig, hashes, kind):
    ban = rig.action("ban_hash")
    weaker = ban.model_copy(update={"hash": type(ban.hash)(**hashes)})
    asked(rig, weaker)
    assert rig.adapter.observe(weaker, None).sight is Sight.PRESENT
    assert [row["indicatorType"] for row in rig.simulation.world.tenant("acme").iocs.values()] == [kind]


def test_a_sha1_that_is_known_needs_no_lookup_and_no_path_of_ours():
    with defender(file_lookup="without_sha1") as rig:
        wish = a_quarantine_of(rig, sha1=hash_of("sha1", sha256(EVIL)))
        action = wish.model_copy(update={"file": wish.file.model_copy(update={"path": "evil.exe"})})
        assert rig.settled(action, asked(rig, action)).sight is Sight.PRESENT
        assert [effect for effect, _ in rig.effects()] == ["quarantine_file"]
