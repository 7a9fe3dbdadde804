"""Each process gets its own login, the keys of its role, and no secret of another's."""

from __future__ import annotations

import pytest

from ar_workers.cli.flower import LOGIN
from ar_workers.cli.logins import NAME, made
from ar_workers.cli.machine import WORKERS
from ar_workers.cli.surroundings import of_beat, of_flower, of_worker, plain, user_of
from ar_workers.domain.errors import ARError, KeyUnusable
from ar_workers.domain.redis_users import User
from ar_workers.domain.seals import Role
from ar_workers.seals import keyring_of, seals_of
from ar_workers.seals.folder import FolderKeyring
from tests.cli.test_private import is_private

SECRETS = {"ACME_FALCON_CLIENT_SECRET": "acme-canary", "AR_SLACK_TOKEN": "slack-canary", "AWS_SECRET_ACCESS_KEY": "cloud-canary"}


@pytest.fixture
def surroundings(tmp_path):
    """Of an `arctl up` whose operator has set all that can be set."""
    FolderKeyring(tmp_path / "keys", makes_keys=True).make()
    made(tmp_path / NAME)
    return {
        "PATH": "/bin", "HOME": "/root", "AR_HOME": str(tmp_path), "AR_REDIS_URL": "unix://arctl@/srv/redis.sock?db=0",
        "AR_BROKER_URL": "rediss://arctl@broker:1/0", "FLOWER_MAX_TASKS": "10", LOGIN: "us:flower-canary", **SECRETS,
    }  # fmt: skip


def each_process(surroundings, folder):
    return {
        **{name: of_worker(queues, surroundings, folder) for name, (queues, _) in WORKERS.items()},
        "beat": of_beat(surroundings, folder),
        "flower": of_flower(surroundings, folder, "us:flower-canary"),
    }


USERS = {
    "isolation": User.EXECUTE, "respond": User.RESPOND, "actions": User.EXECUTE, "housekeeping": User.HOUSEKEEPING, "polling": User.DOOR,
    "beat": User.BEAT, "flower": User.FLOWER,
}  # fmt: skip


def test_each_process_signs_in_as_its_own_user_at_the_ledger_and_at_the_broker(surroundings, tmp_path):
    logins = made(tmp_path / NAME)
    for name, told in each_process(surroundings, tmp_path).items():
        user = USERS[name]
        assert told["AR_REDIS_URL"] == f"unix://{user}:{logins[user]}@/srv/redis.sock?db=0"
        assert told["AR_BROKER_URL"] == f"rediss://{user}:{logins[user]}@broker:1/0"
        assert [other for other in User if logins[other] in str(told)] == [user]


def test_only_workers_have_customers_secrets_and_only_flower_has_flowers(surroundings, tmp_path):
    for name, told in each_process(surroundings, tmp_path).items():
        canaries = {key for key, value in told.items() if "canary" in value}
        assert canaries == ({LOGIN} if name == "flower" else set() if name == "beat" else set(SECRETS))
        assert told["PATH"] == "/bin"
    assert "canary" not in str(plain(surroundings))
    assert of_flower(surroundings, tmp_path, "us:x")["FLOWER_MAX_TASKS"] == "10"


KEYS = {"isolation": set(), "respond": {Role.RESPOND}, "actions": set(), "housekeeping": {Role.AUDIT}, "polling": {Role.DOOR}}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_the_private_keys_of_its_role_alone(surroundings, tmp_path, name):
    told = of_worker(WORKERS[name][0], surroundings, tmp_path)
    seals = seals_of(told)
    seals.check(*KEYS[name])
    for role in set(Role) - KEYS[name]:
        with pytest.raises(KeyUnusable):
            seals.check(role)
    assert is_private(tmp_path / "keys.of")


def test_a_key_that_is_rotated_counts_for_the_worker_at_once(surroundings, tmp_path):
    ring = keyring_of(of_worker("respond", surroundings, tmp_path))
    before = ring.own_id(Role.RESPOND)
    FolderKeyring(tmp_path / "keys", makes_keys=False).rotate(Role.RESPOND)
    assert keyring_of(of_worker("respond", surroundings, tmp_path)).own_id(Role.RESPOND) != before


def test_the_keys_are_those_of_the_folder_that_the_operator_names(surroundings, tmp_path):
    FolderKeyring(tmp_path / "elsewhere", makes_keys=True).make()
    told = of_worker("respond", {**surroundings, "AR_KEYS": str(tmp_path / "elsewhere")}, tmp_path)
    assert keyring_of(told).own_id(Role.RESPOND) == keyring_of({"AR_KEYS": str(tmp_path / "elsewhere")}).own_id(Role.RESPOND)


def test_an_address_with_a_login_of_its_own_is_everybodys_as_it_is(surroundings, tmp_path):
    theirs = "rediss://us:ours@redis.example:6379/0"
    for told in each_process({**surroundings, "AR_REDIS_URL": theirs}, tmp_path).values():
        assert told["AR_REDIS_URL"] == theirs


def test_an_address_that_wants_a_password_that_nobody_has_made_is_told(surroundings, tmp_path):
    (tmp_path / NAME).unlink()
    with pytest.raises(ARError, match=r"names arctl and no password.*arctl redis-acl --make"):
        of_beat(surroundings, tmp_path)


def test_queues_of_two_users_are_no_workers():
    with pytest.raises(ValueError, match="too many"):
        user_of("respond,isolation")
