"""The POSIX script that customers upload, run for real; the Windows one is only compared with it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ar_workers.edr.sentinelone as package
from ar_workers.domain.endpoints import OS
from ar_workers.edr.sentinelone.remoteops import KILL, order_word
from tests.builders import a_delete, a_kill, sha256

from ..unread import LISTED, READABLE, UNREADABLE, a_file, as_nobody

SCRIPTS = Path(package.__file__).parent / "scripts"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def run(word):
    done = subprocess.run(["sh", str(SCRIPTS / "respond.sh"), word], capture_output=True, text=True, timeout=30, check=False)
    return json.loads(done.stdout)


def as_a_word(**wish):
    """An order that the sender would refuse to write."""
    return base64.urlsafe_b64encode(json.dumps({"order": "o", **wish}, separators=(",", ":")).encode()).decode().rstrip("=")


def order(action):
    found = run(order_word(action, OS.LINUX, "the-order"))
    assert found["ar_workers"] == "the-order"
    return found["outcome"]


def content(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "évil (1) #x.bin"
    path.write_text("evil")
    return path


@pytest.fixture
def program(tmp_path):
    """A process of an image of its own."""
    image = tmp_path / "evil"
    shutil.copy(shutil.which("sleep"), image)
    child = subprocess.Popen([image, "60"])
    yield child, image
    child.kill()
    child.wait()


def test_a_confirmed_file_is_deleted_once(file):
    action = a_delete(path=str(file), sha256=content(file))
    assert (order(action), file.exists(), order(action)) == ("done", False, "absent")


def test_another_file_at_the_path_stays(file):
    assert (order(a_delete(path=str(file), sha256=sha256("other"))), file.exists()) == ("mismatch", True)


def test_a_link_and_a_folder_stay(tmp_path, file):
    link = tmp_path / "link"
    link.symlink_to(file)
    for path in (link, tmp_path):
        assert (order(a_delete(path=str(path), sha256=None)), path.exists()) == ("mismatch", True)


def test_a_confirmed_process_is_killed(program):
    child, image = program
    assert order(a_kill(pid=child.pid, image_path=str(image), sha256=content(image))) == "done"
    assert child.wait(5) == -9
    assert order(a_kill(pid=child.pid, image_path=str(image), sha256=content(image))) == "absent"


def test_a_hash_outweighs_a_name(program):
    child, image = program
    assert order(a_kill(pid=child.pid, image_path="/tmp/other", sha256=content(image))) == "done"


def test_a_file_that_is_known_by_its_sha1_alone_is_confirmed_by_it(file):
    right = hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert (order(a_delete(path=str(file), sha256=None, sha1="a" * 40)), file.exists()) == ("mismatch", True)
    assert (order(a_delete(path=str(file), sha256=None, sha1=right)), file.exists()) == ("done", False)


@pytest.mark.parametrize(
    "wrong",
    [{"image_path": "/tmp/other", "sha256": None}, {"sha256": sha256("other")}, {"started_at": "2020-01-01T00:00:00Z"}],
    ids=["path", "hash", "start"],
)
def test_a_process_that_is_not_confirmed_lives(program, wrong):
    child, image = program
    process = {"pid": child.pid, "image_path": str(image), "sha256": content(image)} | wrong
    assert (order(a_kill(**process)), child.poll()) == ("mismatch", None)


def test_a_start_time_alone_confirms(program):
    child, _ = program
    started = subprocess.run(
        ["ps", "-p", str(child.pid), "-o", "lstart="],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    at = subprocess.run(["date", "-u", "-d", started.stdout, "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True, check=True)
    assert order(a_kill(pid=child.pid, image_path=None, sha256=None, started_at=at.stdout.strip())) == "done"


@pytest.mark.parametrize(
    ("mode", "wish"), [(UNREADABLE, {"sha256": sha256("evil")}), (UNREADABLE, {"sha1": "a" * 40}), (READABLE, {"sha256": sha256("evil")})]
)
def test_a_file_that_cannot_be_read_or_deleted_is_neither_gone_nor_another(mode, wish):
    with a_file(mode) as path:
        word = as_a_word(verb="delete_file", path=str(path), **wish)
        printed = as_nobody(path, ["sh", "-s", "--", word], SCRIPTS / "respond.sh", LISTED)
    assert json.loads(printed)["outcome"] == "locked"


def test_what_is_the_systems_is_spared():
    found = run(as_a_word(verb="delete_file", path=f"/proc/{os.getpid()}/status"))
    assert (found["outcome"], found["detail"]) == ("mismatch", "a system or sensor file: never touched by automation")


def test_what_lies_in_a_folder_that_cannot_be_read_is_not_gone(file):
    word = order_word(a_delete(path=str(file), sha256=content(file)), OS.LINUX, "the-order")
    assert json.loads(as_nobody(file, ["sh", "-s", "--", word], SCRIPTS / "respond.sh"))["outcome"] == "locked"
    gone = order_word(a_delete(path="/tmp/no-such-folder/evil", sha256=sha256("evil")), OS.LINUX, "the-order")
    assert json.loads(as_nobody(file, ["sh", "-s", "--", gone], SCRIPTS / "respond.sh"))["outcome"] == "absent"


@pytest.mark.parametrize(
    "nonsense",
    [{"verb": KILL, "pid": "1", "path": "x"}, {"verb": "rm"}, {"verb": KILL, "pid": "$(id)"}, {"verb": "kill_process", "pid": "2"}],
)
def test_an_order_that_makes_no_sense_does_nothing(nonsense):
    assert run(as_a_word(**nonsense))["outcome"] in {"mismatch", "failed"}


def test_both_scripts_know_the_words_of_the_adapter():
    windows = (SCRIPTS / "respond.ps1").read_text()
    assert all(f"'{verb}'" in windows for verb in (KILL, "delete_file", "delete_registry_key"))
    assert all(f"Say '{word}'" in windows for word in ("done", "absent", "mismatch", "locked", "vital", "failed"))


def test_a_vital_process_lives_whatever_confirms_it(tmp_path):
    image = tmp_path / "sshd"
    shutil.copy(shutil.which("sleep"), image)
    with subprocess.Popen([image, "60"]) as child:
        found = run(order_word(a_kill(pid=child.pid, image_path=None, sha256=content(image)), OS.LINUX, "the-order"))
        alive = child.poll() is None
        child.kill()
    assert (found["outcome"], found["detail"], alive) == ("vital", "sshd", True)


def test_the_word_for_a_kill_is_none_that_scripts_of_earlier_versions_know():
    """They would kill without judging whom; to what they do not know they answer that it failed."""
    assert KILL not in {"kill_process", "delete_file", "delete_registry_key"}
    for script in ("respond.sh", "respond.ps1"):
        text = (SCRIPTS / script).read_text()
        assert not re.search(r"^ *'?kill_process'?[) ]* *\{? ?(?:kill_process|Stop)", text, re.MULTILINE)
