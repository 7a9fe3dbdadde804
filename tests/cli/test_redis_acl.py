"""`arctl redis-acl`: what it prints is what a server takes, and no password is among it."""

from __future__ import annotations

import json
import stat

import pytest
import redis
from click.testing import CliRunner

from ar_workers.cli import arctl
from ar_workers.cli.logins import NAME, kept, made, variable
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.errors import ARError
from ar_workers.domain.redis_users import User


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("AR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AR_REDIS_URL", raising=False)


def printed(*words, status=0):
    result = CliRunner().invoke(arctl, ["redis-acl", *words])
    assert result.exit_code == status, result.output
    return result


def test_what_is_printed_a_server_reads_as_its_users(tmp_path):
    passwords = tmp_path / ".env"
    lines = printed("--make", str(passwords)).stdout
    users = tmp_path / "users.acl"
    users.touch()
    logins = kept(passwords)
    assert not [password for password in logins.values() if password in lines]
    with RedisServer(tmp_path / "redis", extra=["--aclfile", str(users)]) as server:
        users.write_text(lines)
        with redis.Redis(port=server.port) as client:
            client.acl_load()
        for user, password in logins.items():
            with redis.Redis(port=server.port, username=user, password=password) as client:
                assert client.ping()
        with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


@pytest.mark.parametrize("more", [(), ("--redis-6",), ("--db", "3")])
def test_the_commands_make_the_same_users(tmp_path, more):
    commands = printed("--make", str(tmp_path / ".env"), "--commands", *more).stdout.splitlines()
    with RedisServer(tmp_path / "redis") as server, redis.Redis(port=server.port, decode_responses=True) as client:
        *users, last = commands
        for command in users:
            assert client.execute_command(*command.split())
        assert sorted(client.acl_users()) == sorted([*User, "default"])
        assert last == "ACL SETUSER default reset off"
        assert ("&/3.celery.pidbox" in client.acl_getuser("flower")["channels"]) is ("--db" in more)


def test_without_passwords_there_are_placeholders_that_no_server_takes(tmp_path):
    result = printed(status=1)
    assert "#SHA256_OF_THE_PASSWORD_OF_DOOR" in result.stdout
    assert "no passwords of door, respond" in result.stderr
    with RedisServer(tmp_path / "redis") as server, redis.Redis(port=server.port) as client, pytest.raises(redis.ResponseError):
        client.execute_command("ACL SETUSER", *result.stdout.splitlines()[0].split()[1:])


def test_without_a_file_the_passwords_are_those_of_arctl_up(tmp_path):
    (tmp_path / "home").mkdir()
    made(tmp_path / "home" / NAME)
    assert printed().stdout == printed("--make", str(tmp_path / "home" / NAME)).stdout


def test_the_json_says_what_each_may_do(tmp_path):
    found = json.loads(printed("--make", str(tmp_path / ".env"), "--json").stdout)
    assert [each["user"] for each in found] == list(User)
    flower = next(each for each in found if each["user"] == "flower")
    assert "isolation*" in flower["reads"]
    assert not any(each.startswith("ar:") for each in (*flower["reads"], *flower["writes"]))
    assert "lpush" not in flower["commands"]


def test_passwords_are_made_once_and_others_lines_are_kept(tmp_path):
    file = tmp_path / ".env"
    file.write_text("ACME_SECRET=x\nAR_REDIS_PASSWORD_DOOR=mine\nFLOWER_BASIC_AUTH=us:ours")
    file.chmod(0o644)
    first = made(file)
    assert first[User.DOOR] == "mine"
    assert min(len(password) for user, password in first.items() if user is not User.DOOR) > 40
    assert made(file) == kept(file) == first
    lines = file.read_text().splitlines()
    assert lines[:3] == ["ACME_SECRET=x", "AR_REDIS_PASSWORD_DOOR=mine", "FLOWER_BASIC_AUTH=us:ours"]
    assert len(lines) == 2 + len(User)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(file.read_text().replace("=mine", "='mine'"))
    assert kept(file) == first


@pytest.mark.parametrize("line", ["AR_REDIS_PASSWORD_BEAT=", 'AR_REDIS_PASSWORD_BEAT=""', "AR_REDIS_PASSWORD_BEAT=  "])
def test_an_empty_password_is_refused(tmp_path, line):
    (tmp_path / ".env").write_text(f"{line}\n")
    with pytest.raises(ARError, match="AR_REDIS_PASSWORD_BEAT is empty: remove the line"):
        made(tmp_path / ".env")


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xff")
    with pytest.raises(ARError, match="cannot be read"):
        made(tmp_path / ".env")


def test_each_user_has_a_variable_of_its_own():
    assert variable(User.DOOR) == "AR_REDIS_PASSWORD_DOOR"
    assert len({variable(user) for user in User}) == len(User)
