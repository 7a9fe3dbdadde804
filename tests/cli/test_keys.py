"""`arctl keys`: what it lists, and what it makes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ar_workers.cli import arctl
from ar_workers.cli.connection import open_ledger
from ar_workers.domain.errors import KeyUnusable
from ar_workers.domain.seals import Role
from ar_workers.seals import keyring_of
from tests.builders import a_threat_published


def run(*words, status=0):
    result = CliRunner().invoke(arctl, words)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.delenv("AR_KEYS")
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    return tmp_path / "keys"


def listed():
    return [(each["role"], each["id"], bool(each["private"]), each["until"] is None) for each in json.loads(run("keys", "show", "--json"))]


def test_where_there_are_no_keys_a_look_makes_none(folder):
    result = CliRunner().invoke(arctl, ["keys", "show"])
    assert isinstance(result.exception, KeyUnusable)
    assert not folder.exists()


def test_the_first_rotation_makes_a_key_of_every_role(folder):
    assert "door, respond, audit were made" in run("keys", "rotate")
    assert [(role, is_here, is_newest) for role, _, is_here, is_newest in listed()] == [(role, True, True) for role in Role]
    assert str(folder / "trusted.json") in run("keys", "show")


def test_a_new_key_stands_before_the_one_that_it_replaces(folder):
    run("keys", "rotate")
    before = {role: name for role, name, *_ in listed()}
    assert "seals from now on" in run("keys", "rotate", "door")
    door, *_ = after = [each for each in listed() if each[0] == "door"]
    assert door[1] != before["door"]
    assert [each[1:] for each in after] == [(door[1], True, True), (before["door"], False, False)]
    assert len(listed()) == len(Role) + 1


def test_of_a_revoked_key_nothing_is_left(folder):
    run("keys", "rotate")
    before = {name for _, name, *_ in listed()}
    assert "refused" in run("keys", "rotate", "--revoke")
    assert before & {name for _, name, *_ in listed()} == set()


def test_a_private_half_that_is_elsewhere_is_said_to_be(folder):
    run("keys", "rotate")
    (folder / "respond.key").unlink()
    assert [is_here for role, _, is_here, _ in listed()] == [True, False, True]


def test_a_role_that_there_is_not_is_refused(folder):
    assert "did you mean door?" in run("keys", "rotate", "dor", status=2)


def test_who_has_no_key_is_told_which_file_he_lacks(folder, redis_url, monkeypatch):
    monkeypatch.setenv("AR_REDIS_URL", redis_url)
    keyring_of({"AR_HOME": str(folder.parent)}).make()
    (folder / "door.key").unlink()
    with pytest.raises(KeyUnusable, match=r"door\.key cannot be read .*arctl keys rotate"):
        open_ledger().accept([a_threat_published()])


def test_no_private_key_is_shown(folder):
    run("keys", "rotate")
    secrets = ["".join((folder / f"{role}.key").read_text().splitlines()[1:-1]) for role in Role]
    shown = run("keys", "show") + run("keys", "show", "--json") + run("keys", "rotate")
    assert [each for each in secrets if each in shown] == []
