"""The Redis or Valkey that arctl starts."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from ar_workers.cli.redis_server import LONGEST, RedisServer
from ar_workers.domain.errors import ARError
from ar_workers.ledger.clients import connect
from tests.cli.test_private import is_private


def test_it_answers_and_keeps_its_data_over_a_crash(tmp_path):
    with RedisServer(tmp_path, fsync="always") as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("k", "v")
            first = server.pid
            server.kill()
            server.start()
            assert client.get("k") == b"v"
        assert server.pid != first
    assert not server.is_alive


def test_it_evicts_nothing_and_listens_on_loopback_only(tmp_path):
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("appendonly")["appendonly"] == "yes"


def test_one_that_does_not_start_says_where_its_log_is(tmp_path):
    with pytest.raises(ARError, match=r"redis\.log"):
        RedisServer(tmp_path, extra=["--no-such-option", "1"]).start()


@pytest.fixture
def private(tmp_path):
    """In a folder with a name that its settings and its address must quote."""
    folder = tmp_path / 'a "private" place'
    folder.mkdir()
    with RedisServer(folder, private=True) as server:
        yield server


def test_a_private_one_has_no_port_and_wants_its_password(private, tmp_path):
    with redis.Redis.from_url(private.url, decode_responses=True) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("dir")["dir"] == str(tmp_path / 'a "private" place')
    socket = tmp_path / 'a "private" place' / "redis.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    with redis.Redis(unix_socket_path=str(socket)) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with pytest.raises(ARError, match="no port"):
        _ = private.port


def test_the_password_of_a_private_one_stands_in_no_command_line_and_no_file_that_others_read(private, tmp_path):
    password = private.url.split(":")[2].split("@")[0]
    assert len(password) >= 40
    assert password not in Path(f"/proc/{private.pid}/cmdline").read_text()
    folder = tmp_path / 'a "private" place'
    assert is_private(folder)
    assert [each.name for each in folder.rglob("*") if each.is_file() and password in each.read_text("latin-1")] == ["arctl.conf"]


def test_a_private_one_that_crashed_is_found_at_the_same_place(private):
    client = connect(private.url)
    client.set("k", "v")
    private.kill()
    private.start()
    assert client.get("k") == "v"


def test_a_socket_for_which_the_folder_is_too_long_is_elsewhere_and_gone_afterwards(tmp_path):
    folder = tmp_path / ("long" * 25)
    with RedisServer(folder, private=True) as server, redis.Redis.from_url(server.url) as client:
        socket = Path(client.connection_pool.connection_kwargs["path"])
        assert len(os.fsencode(socket)) <= LONGEST
        assert folder not in socket.parents
        assert is_private(socket.parent)
        assert client.ping()
    assert not socket.parent.exists()


def test_no_room_for_a_socket_anywhere_is_told(tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(ARError, match="set AR_HOME to a shorter one"):
        RedisServer(folder / "redis", private=True).start()
    assert [each.name for each in folder.iterdir()] == ["redis"]


def test_the_logs_of_earlier_starts_are_kept(tmp_path):
    for _ in range(2):
        with RedisServer(tmp_path):
            pass
    assert "eady to" in (tmp_path / "redis.log").read_text()
    assert "eady to" in (tmp_path / "redis.log.1").read_text()


STRANGER = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(type(error).__name__)
for path in sys.argv[1:]:
    try:
        open(path).close()
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_gets_no_connection_and_reads_no_file(private, tmp_path):
    for each in (tmp_path, *list(tmp_path.parents)[:-1]):
        if each != Path("/tmp"):
            each.chmod(0o755)  # pytest's own folders: what is between is no wall of ours
    folder = tmp_path / 'a "private" place'
    command = ["/usr/bin/python3", "-c", STRANGER, str(folder / "redis.sock"), str(folder / "arctl.conf"), str(folder / "redis.log")]
    said = subprocess.run(command, user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, check=True, cwd="/")
    assert said.stdout.split() == ["PermissionError"] * 4
