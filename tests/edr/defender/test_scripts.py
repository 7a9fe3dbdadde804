"""The scripts that Defender's live response runs; the shell script is run for real, on this machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ar_workers.domain.facts import Sight
from ar_workers.edr.defender.live import SCRIPTS, Script, argument, outcome
from tests.builders import sha256

from ..unread import LISTED, READABLE, UNREADABLE, a_file, as_nobody

SHELL_SCRIPT = Path(__file__).parents[3] / "ar_workers" / "edr" / "defender" / "scripts" / "ar_workers.sh"


@pytest.mark.parametrize("name", sorted(set(SCRIPTS.values())))
def test_the_scripts_know_every_field_and_verb_that_is_sent(name):
    text = Script.named(name).content.decode()
    words = ["kill_process", "delete_file", "pid", "path", "sha256", "started", "verb", "mark"]
    assert [word for word in words if word not in text] == []


def run_shell(verb, **values):
    """The real script, in a real shell."""
    done = subprocess.run(
        ["/bin/bash", SHELL_SCRIPT, argument(verb, "m1", **values)], capture_output=True, text=True, check=True, timeout=60
    )
    return outcome({"exit_code": 0, "script_output": done.stdout}, "m1")


def a_victim(path):
    """A process of our own, whose image is a copy that nobody else runs."""
    path.write_bytes(Path("/bin/sleep").read_bytes())
    path.chmod(0o755)
    return subprocess.Popen([path, "600"])


def file_hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_shell_script_deletes_the_file_that_is_meant(tmp_path):
    evil = tmp_path / "evil '$(touch x)'; é"
    evil.write_text("evil")
    assert run_shell("delete_file", path=str(evil), sha256=sha256("other")).sight is Sight.MISMATCH
    assert evil.exists()
    assert run_shell("delete_file", path=str(evil), sha256=sha256("evil")).evidence == "done: deleted"
    assert not evil.exists()
    assert run_shell("delete_file", path=str(evil), sha256=sha256("evil")).evidence == "absent: no file at that path"
    assert list(tmp_path.iterdir()) == []


def test_the_shell_script_follows_no_link(tmp_path):
    (tmp_path / "real").mkdir()
    evil = tmp_path / "real" / "evil"
    evil.write_text("evil")
    (tmp_path / "link").symlink_to(evil)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    for path in (tmp_path / "link", tmp_path / "folder" / "evil", tmp_path / "real"):
        assert run_shell("delete_file", path=str(path), sha256="").sight is Sight.MISMATCH
    assert evil.exists()


def test_the_shell_script_kills_the_process_that_is_meant(tmp_path):
    image = tmp_path / "evil one"
    victim = a_victim(image)
    try:
        meant = {"pid": str(victim.pid), "path": str(image), "sha256": file_hash(image), "started": str(int(datetime.now(UTC).timestamp()))}
        for wrong in ({"path": "/bin/other", "sha256": ""}, {"sha256": sha256("other")}, {"started": "1000000000"}):
            assert run_shell("kill_process", **(meant | wrong)).sight is Sight.MISMATCH
        assert victim.poll() is None
        assert run_shell("kill_process", **(meant | {"path": "/bin/other"})).evidence == "done: killed", "a hash outweighs a name"
        assert victim.wait(timeout=10) == -9
        assert run_shell("kill_process", **meant).evidence == "absent: no such process"
    finally:
        victim.kill()
        victim.wait()


def test_the_shell_script_lets_a_vital_process_live_whatever_confirms_it(tmp_path):
    victim = a_victim(tmp_path / "sshd")
    try:
        for confirmed in ({"sha256": file_hash(tmp_path / "sshd")}, {"started": str(int(datetime.now(UTC).timestamp()))}):
            fact = run_shell("kill_process", pid=str(victim.pid), **{"path": "", "sha256": "", "started": "", **confirmed})
            assert (fact.sight, fact.evidence) == (Sight.MISMATCH, "vital process sshd: never killed by automation")
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (UNREADABLE, "evil", "the file is locked or cannot be read"),
        (READABLE, "evil", "it cannot be deleted"),
        (UNREADABLE, "", "it cannot be deleted"),
    ],
)
def test_the_shell_script_calls_what_cannot_be_read_or_deleted_locked(mode, content, said):
    with a_file(mode) as path:
        word = argument("delete_file", "m1", path=str(path), sha256=content and sha256(content))
        printed = as_nobody(path, ["/bin/bash", "-s", "--", word], SHELL_SCRIPT, LISTED)
    assert outcome({"exit_code": 0, "script_output": printed}, "m1").evidence == f"locked: {said}"


def test_the_shell_script_spares_what_is_the_systems():
    status = f"/proc/{os.getpid()}/status"
    assert run_shell("delete_file", path=status, sha256="").evidence == "mismatch: a system or sensor file: never touched by automation"


def test_the_shell_script_calls_nothing_gone_that_lies_in_a_folder_that_cannot_be_read(tmp_path):
    evil = tmp_path / "evil"
    evil.write_text("evil")
    for path, sight in ((evil, Sight.LOCKED), (Path("/tmp/no-such-folder/evil"), Sight.PRESENT)):
        word = argument("delete_file", "m1", path=str(path), sha256=sha256("evil"))
        said = as_nobody(evil, ["/bin/bash", "-s", "--", word], SHELL_SCRIPT)
        assert outcome({"exit_code": 0, "script_output": said}, "m1").sight is sight


@pytest.mark.parametrize("pid", ["", "0", "1", "-1", "12 34", "1;2"])
def test_the_shell_script_kills_no_other_pid(pid):
    assert run_shell("kill_process", pid=pid, path="/x", sha256="", started="").evidence.startswith("failed: no pid")
