"""Keys in files: made once, kept from others, replaced without a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.errors import KeyUnusable
from ar_workers.domain.seals import SEALED_FOR, Role
from ar_workers.seals import Seals, keyring_of
from ar_workers.seals.folder import NAME, FolderKeyring
from tests.keys import Everybody

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Time:
    """Both clocks of a keyring, moved by hand."""

    def __init__(self):
        self.passed = 0.0

    def __call__(self):
        return self.passed

    def now(self):
        return AT + timedelta(seconds=self.passed)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def ring(tmp_path, time):
    return a_ring(tmp_path, time)


def a_ring(folder, time, *, makes_keys=True):
    return FolderKeyring(folder / "keys", makes_keys=makes_keys, now=time.now, monotonic=time)


def is_believed(ring, signed, role=Role.DOOR):
    return ring.is_signed(role, signed.key_id, b"said", signed.signature)


def test_keys_are_made_when_they_are_first_needed_and_are_their_owners_alone(ring):
    signed = ring.sign(Role.DOOR, b"said")
    assert is_believed(ring, signed) is True
    assert ring.folder.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in ring.folder.iterdir()}
    assert files == dict.fromkeys((*(f"{role}.key" for role in Role), NAME), 0o600)


def test_a_key_is_known_by_what_it_signs_in_its_role_alone(ring):
    signed = ring.sign(Role.DOOR, b"said")
    assert ring.is_signed(Role.DOOR, signed.key_id, b"said otherwise", signed.signature) is False
    assert ring.is_signed(Role.RESPOND, signed.key_id, b"said", signed.signature) is None
    assert ring.is_signed(Role.DOOR, "0" * 16, b"said", signed.signature) is None


def test_many_who_make_keys_at_once_have_the_same(tmp_path, time):
    rings = [a_ring(tmp_path, time) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        signed = list(pool.map(lambda each: each.sign(Role.RESPOND, b"said"), rings))
    assert len({each.key_id for each in signed}) == 1
    assert all(is_believed(ring, each, Role.RESPOND) for ring in rings for each in signed)


def test_processes_that_make_keys_at_once_have_the_same(tmp_path):
    program = "import os; from ar_workers.seals import keyring_of; print(keyring_of(os.environ).sign('door', b'said').key_id)"
    environment = {name: value for name, value in os.environ.items() if name != "AR_KEYS"} | {"AR_HOME": str(tmp_path)}
    each = [subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in each}) == 1


def test_keys_that_were_half_made_are_made_whole(ring, tmp_path, time):
    before = ring.sign(Role.DOOR, b"said").key_id
    (ring.folder / NAME).unlink()
    (ring.folder / "respond.key").unlink()
    assert a_ring(tmp_path, time).sign(Role.DOOR, b"said").key_id == before


def test_no_keys_are_made_in_a_folder_that_a_person_fills(tmp_path, time):
    ring = keyring_of({"AR_KEYS": str(tmp_path / "keys")})
    with pytest.raises(KeyUnusable, match=r"trusted.json cannot be read .*Copy it from the machine that has the keys; .*arctl keys rotate"):
        ring.check()
    assert not (tmp_path / "keys").exists()


def test_who_only_carries_out_needs_no_private_key(ring, tmp_path, time):
    signed = ring.sign(Role.DOOR, b"said")
    for role in Role:
        ring.path(role).unlink()
    worker = a_ring(tmp_path, time)
    worker.check()
    assert is_believed(worker, signed)
    with pytest.raises(
        KeyUnusable, match=r"door.key cannot be read .*may not speak as `door`.*copy it; if it is lost, `arctl keys rotate`"
    ):
        worker.check(Role.DOOR)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o602, 0o666])
def test_a_private_key_that_others_can_reach_is_not_used(ring, mode):
    ring.check(*Role)
    ring.path(Role.DOOR).chmod(mode)
    with pytest.raises(KeyUnusable, match="door.key can be read or changed by others: chmod 600 it"):
        ring.sign(Role.DOOR, b"said")
    ring.sign(Role.RESPOND, b"said")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_private_key_of_its_owner_or_of_the_processes_group_is_used(ring, mode):
    ring.check(*Role)
    ring.path(Role.DOOR).chmod(mode)
    ring.sign(Role.DOOR, b"said")


def test_a_private_key_of_another_group_is_not_used(ring):
    ring.check(*Role)
    if os.geteuid() != 0:
        pytest.skip("only root gives a file to another group")
    path = ring.path(Role.DOOR)
    os.chown(path, -1, max({*os.getgroups(), os.getegid()}) + 1000)
    path.chmod(0o440)
    with pytest.raises(KeyUnusable, match="can be read"):
        ring.sign(Role.DOOR, b"said")


def test_trusted_keys_that_others_can_change_are_not_trusted(ring, tmp_path, time):
    ring.check(*Role)
    (ring.folder / NAME).chmod(0o666)
    with pytest.raises(KeyUnusable, match="trusted.json can be written by others"):
        a_ring(tmp_path, time).check()


@pytest.mark.parametrize("text", ["", "{}[", '{"door": [{}]}', '{"cook": []}'])
def test_trusted_keys_that_cannot_be_read_change_nothing_for_who_has_read_them(ring, tmp_path, time, text, caplog):
    signed = ring.sign(Role.DOOR, b"said")
    (ring.folder / NAME).write_text(text)
    time.passed += 3
    assert is_believed(ring, signed)
    assert "the keys of before count" in caplog.text
    with pytest.raises(KeyUnusable, match="is not valid"):
        a_ring(tmp_path, time).check()


@pytest.mark.parametrize("field", ["id", "public"])
def test_a_trusted_key_has_its_own_id(ring, tmp_path, time, field):
    ring.check(*Role)
    found = json.loads((ring.folder / NAME).read_text())
    found["door"][0][field] = found["respond"][0][field]
    (ring.folder / NAME).write_text(json.dumps(found))
    with pytest.raises(KeyUnusable, match="the id is another key's"):
        a_ring(tmp_path, time).check()


@pytest.mark.parametrize("data", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_by_its_name_and_not_by_what_it_says(ring, data):
    ring.check()
    ring.path(Role.DOOR).write_bytes(data)
    with pytest.raises(KeyUnusable) as error:
        ring.sign(Role.DOOR, b"said")
    assert "door.key is no Ed25519 key" in str(error.value)
    assert "AAAA" not in str(error.value)


def test_a_key_that_nobody_trusts_does_not_sign(ring, tmp_path, time):
    ring.check(*Role)
    other = a_ring(tmp_path / "other", time)
    other.check(*Role)
    ring.path(Role.DOOR).write_bytes(other.path(Role.DOOR).read_bytes())
    with pytest.raises(KeyUnusable, match=r"door.key is a key that .*trusted.json does not name for door"):
        ring.sign(Role.DOOR, b"said")


def test_a_new_key_signs_at_once_and_the_old_one_is_trusted_while_its_words_may_live(ring, tmp_path, time):
    reader = a_ring(tmp_path, time)
    before = ring.sign(Role.DOOR, b"said")
    assert is_believed(reader, before)
    fresh = ring.rotate(Role.DOOR)
    after = ring.sign(Role.DOOR, b"said")
    assert (after.key_id, is_believed(ring, after), is_believed(ring, before)) == (fresh.id, True, True)
    time.passed += 0.3  # an unknown key is looked for at once
    assert is_believed(reader, after)
    time.passed += SEALED_FOR.total_seconds() - 1
    assert is_believed(reader, before)
    time.passed += 2
    assert (is_believed(reader, before), is_believed(reader, after)) == (None, True)


def test_a_key_that_is_revoked_is_not_believed_any_more(ring, time):
    before = ring.sign(Role.DOOR, b"said")
    ring.rotate(Role.DOOR, revokes=True)
    assert is_believed(ring, before) is None
    assert [len(keys) for keys in ring.trusted().values()] == [1] * len(Role)


def test_another_process_signs_with_the_new_key_within_seconds(ring, tmp_path, time):
    other = a_ring(tmp_path, time)
    before = other.sign(Role.DOOR, b"said").key_id
    fresh = ring.rotate(Role.DOOR)
    time.passed += 3
    assert before != other.sign(Role.DOOR, b"said").key_id == fresh.id


def test_keys_are_replaced_one_after_the_other_and_none_is_lost(ring):
    ring.check(*Role)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ring.rotate(Role.DOOR), range(8)))
    assert {each.id for each in made} < {each.id for each in ring.trusted()[Role.DOOR]}
    assert is_believed(ring, ring.sign(Role.DOOR, b"said"))


def test_of_long_replaced_keys_nothing_is_kept(ring, time):
    ring.check(*Role)
    ring.rotate(Role.DOOR)
    time.passed += SEALED_FOR.total_seconds() + 1
    ring.rotate(Role.DOOR)
    assert len(ring.trusted()[Role.DOOR]) == 2


def test_no_seal_tells_a_secret(ring):
    seals = Seals(ring, people=Everybody())
    private = "".join(ring.path(Role.DOOR).read_text().splitlines()[1:-1]) if ring.sign(Role.DOOR, b"") else ""
    assert private[-20:] not in seals.events([("acme", "e1", "{}")])[0] + (ring.folder / NAME).read_text()


def test_the_key_of_people_of_versions_before_is_read_over(ring, tmp_path, time):
    ring.check(*Role)
    found = json.loads((ring.folder / NAME).read_text())
    (ring.folder / NAME).write_text(json.dumps(found | {"decide": found["door"]}))
    assert set(a_ring(tmp_path, time).trusted()) == set(Role)
