"""What is kept of customers on a machine is its owner's alone, whatever the umask is and whatever was there before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

import pytest
import redis

from ar_workers.cli.connection import leave_word
from ar_workers.cli.private import private_file, private_folder
from ar_workers.cli.processes import Crew
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.errors import ARError
from tests.clusters import eventually


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder):
    """How wide each thing is: 0 is its owner's alone."""
    found = {}
    for each in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # a server's temporary file may have gone since it was listed
            found[str(each.relative_to(folder.parent))] = stat.S_IMODE(each.stat().st_mode) & 0o077
    return found


def is_private(folder):
    return not any(modes(folder).values())


def test_the_folder_of_one_machine_and_its_word_are_private(tmp_path, monkeypatch, umask):
    monkeypatch.setenv("AR_HOME", str(tmp_path / "home"))
    leave_word(tmp_path / "home", "redis://:secret@127.0.0.1:1/0", "")
    assert is_private(tmp_path / "home")


def test_what_was_there_before_and_wider_is_narrowed(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "run.json").touch()
    for each in (home, home / "run.json"):
        each.chmod(0o777)
    monkeypatch.setenv("AR_HOME", str(home))
    leave_word(tmp_path / "home", "redis://127.0.0.1:1/0", "")
    assert is_private(home)


def test_all_that_redis_keeps_is_private_also_what_was_there_before(tmp_path, umask):
    folder = tmp_path / "redis"
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "redis.log").touch()
    for each in (folder, folder / "appendonlydir", folder / "redis.log"):
        each.chmod(0o777)
    with RedisServer(folder, fsync="always") as server, redis.Redis.from_url(server.url) as client:
        client.set("k", "v")
        client.bgrewriteaof()
        assert (folder / "redis.pid").exists()
        assert modes(folder)
        assert is_private(folder)


def test_a_child_its_log_and_what_it_makes_are_private(tmp_path, umask, monkeypatch):
    (tmp_path / "made.py").write_text("import pathlib, time; pathlib.Path('made').write_text('x'); time.sleep(30)")
    (tmp_path / "made.py").chmod(0o600)
    crew = Crew({**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    monkeypatch.chdir(tmp_path)
    try:
        crew.add("child", "made")
        eventually((tmp_path / "made").exists)
    finally:
        crew.stop()
    assert {"child.log", "child.pid", "made"} <= {each.name for each in tmp_path.iterdir()}
    assert [each.name for each in tmp_path.iterdir() if each.name != "__pycache__" and each.stat().st_mode & 0o077] == []


def test_a_folder_that_everybody_shares_is_left_as_it_is(tmp_path):
    tmp_path.chmod(0o1777)
    with pytest.raises(ARError, match="name a folder of its own"):
        private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ARError, match="cannot be kept from others"):
        private_folder(tmp_path / "file" / "folder")


def test_what_a_link_points_to_is_not_touched(tmp_path):
    other = tmp_path / "other"
    other.touch()
    other.chmod(0o644)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "link").symlink_to(other)
    private_folder(tmp_path / "home", with_all_in_it=True)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_a_file_is_narrowed_before_it_is_written(tmp_path):
    (tmp_path / "word").touch(mode=0o666)
    with private_file(tmp_path / "word", "w") as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
