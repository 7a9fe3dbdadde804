"""The whole machine as a person starts it: real processes, real Redis, pretend vendors."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from ar_workers.celery import celery_at
from ar_workers.cli.logins import kept
from ar_workers.domain.redis_users import User
from tests.cli.test_machine import signed_in
from tests.cli.test_private import is_private
from tests.users import refused

ROOT = Path(__file__).parents[2]
ARCTL = [sys.executable, "-m", "ar_workers.cli"]
CANARIES = ("acme-secret", "globex-secret", "xoxb-simulated", "simulated-routing-key-0123456789")

pytestmark = pytest.mark.e2e


def environment(folder):
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "AR_HOME": str(folder), "AR_LEASE_SECONDS": "30"}


@contextmanager
def demo(folder, *options, more=MappingProxyType({})):
    """A running `arctl demo` in a session of its own."""
    output = (folder / "output.txt").open("w")
    process = subprocess.Popen(
        [*ARCTL, "demo", "--folder", str(folder / "demo"), *options],
        cwd=ROOT, env=environment(folder) | more, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, umask=0,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(40)
        output.close()


def said(folder):
    return (folder / "output.txt").read_text()


def wait_until(condition, *, seconds=90.0, process=None):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        assert process is None or process.poll() is None, "it ended early"
        time.sleep(0.05)


def pids(folder):
    return {path.stem: int(path.read_text()) for path in (folder / "demo").rglob("*.pid")}


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def journal(folder):
    """Whatever is whole: the last line may still be written."""
    *lines, _ = (folder / "demo" / "journal.ndjson").read_text().split("\n")
    return [json.loads(line) for line in lines]


def effects(folder):
    return [each for each in journal(folder) if each["kind"] == "effect" and each["changed"]]


def messages(folder):
    return [(each["vendor"], each["channel"], each["subject"]) for each in journal(folder) if each["kind"] == "message"]


def assert_nothing_is_doubled(folder):
    done = [(each["tenant"], each["verb"], each["target"]) for each in effects(folder)]
    assert len(done) == len(set(done)) == 16
    told = [each for each in messages(folder) if each[0] == "slack"]
    assert len(told) == len(set(told))


def test_workers_killed_in_the_middle_of_their_work_change_nothing_about_the_outcome(tmp_path):
    with demo(tmp_path) as process:
        wait_until((tmp_path / "demo" / "journal.ndjson").exists, process=process)
        wait_until(lambda: len(effects(tmp_path)) >= 2, process=process)
        before = pids(tmp_path)
        for name in ("actions", "isolation"):
            os.kill(before[name], signal.SIGKILL)
        assert process.wait(120) == 0, said(tmp_path)
    assert "every outcome is the expected one" in said(tmp_path)
    assert "Slack, " in said(tmp_path)
    assert "Not contained after" in said(tmp_path)
    assert "Contained now: LAB-LT-02 · globex" in [subject for vendor, _, subject in messages(tmp_path) if vendor == "slack"]
    assert "mail to soc@acme.example" in said(tmp_path)
    assert_nothing_is_doubled(tmp_path)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes by /proc")
@pytest.mark.parametrize("moment", ["redis.pid", "isolation.pid", "journal.ndjson"])
def test_ctrl_c_at_any_point_leaves_no_process_behind(tmp_path, moment):
    with demo(tmp_path, "--keep") as process:
        wait_until(lambda: list((tmp_path / "demo").rglob(moment)), process=process)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 130
    assert pids(tmp_path)
    assert [name for name, pid in pids(tmp_path).items() if is_alive(pid)] == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes by /proc")
def test_arctl_killed_outright_leaves_no_process_behind(tmp_path):
    with demo(tmp_path) as process:
        wait_until(lambda: list((tmp_path / "demo").rglob("isolation.pid")), process=process)
        process.kill()
        process.wait(10)
    wait_until(lambda: not [pid for pid in pids(tmp_path).values() if is_alive(pid)], seconds=30)


def fetched(url, login):
    with urllib.request.urlopen(signed_in(urllib.request.Request(url), login), timeout=10) as reply:
        return reply.read().decode("utf-8", "replace")


def asked_of_workers(url):
    """All that a worker answers to whoever reaches the broker."""
    inspect = celery_at(url).control.inspect(timeout=3)
    answers = [inspect.stats(), inspect.conf(), inspect.report(), inspect.active_queues(), inspect.registered()]
    assert all(answers)
    return str(answers)


def test_a_kept_demo_is_found_by_the_command_that_it_names_and_shows_no_secret(tmp_path):
    more = {"AR_REDIS_URL": "redis://127.0.0.1:1/0", "AR_BROKER_URL": "redis://127.0.0.1:1/0", "AR_SLACK_TOKEN": "not-the-demos"}
    with demo(tmp_path, "--keep", more=more) as process:
        wait_until(lambda: said(tmp_path).endswith("arctl threats\n"), process=process)
        command = said(tmp_path).splitlines()[-1].strip()
        assert command == f"env -u AR_REDIS_URL -u AR_BROKER_URL AR_HOME={tmp_path / 'demo'} arctl threats"
        assert not (tmp_path / "run.json").exists()
        word = json.loads((tmp_path / "demo" / "run.json").read_text())
        assert is_private(tmp_path / "demo")
        listed = subprocess.run(
            command.replace("arctl threats", shlex.join([*ARCTL, "threats", "--json"])),
            shell=True, cwd=ROOT, env=environment(tmp_path) | more, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert len(json.loads(listed.stdout)) == 9
        workers = [f"worker/{name}" for name in celery_at(word["redis_url"]).control.inspect(timeout=3).ping()]
        assert len(workers) == 5
        login = (tmp_path / "demo" / "flower.password").read_text().strip()
        assert f"login in {tmp_path / 'demo' / 'flower.password'}" in said(tmp_path)
        wait_until(
            lambda: fetched(word["flower"] + "workers?refresh=1", login) and "housekeeping" in fetched(word["flower"] + "broker", login)
        )
        pages = "".join(fetched(word["flower"] + page, login) for page in ("", "broker", "tasks", "workers", *workers))
        answers = asked_of_workers(word["redis_url"])
        assert refused(word["redis_url"]) == []  # each process did its whole work as its own user
        rows = "".join(path.read_text("latin-1") for path in (tmp_path / "demo" / "redis").rglob("*.aof"))
    logs = "".join(path.read_text(errors="replace") for path in (tmp_path / "demo").rglob("*.log*"))
    everything = pages + answers + rows + logs + said(tmp_path) + listed.stdout
    passwords = list(kept(tmp_path / "demo" / "redis.env").values())
    assert len(passwords) == len(User)
    assert min(map(len, passwords)) > 40
    assert [canary for canary in (*CANARIES, *passwords, login.partition(":")[2]) if canary in everything] == []
    assert "Unable to get queues" not in logs
    assert "THREAT-1042" in rows
    assert "Traceback" not in logs
    inboxes = messages(tmp_path)
    assert ("mail", "soc@acme.example", "[Active Remediation] HIGH threat THREAT-1042: Malicious Software (Ransomware)") in inboxes
    assert {vendor for vendor, _, _ in inboxes} == {"slack", "pagerduty", "mail"}


def test_a_second_demo_in_the_same_folder_says_who_has_it(tmp_path):
    with demo(tmp_path) as process:
        wait_until((tmp_path / "demo" / "redis" / "redis.pid").exists, process=process)
        second = subprocess.run(
            [*ARCTL, "demo", "--folder", str(tmp_path / "demo")],
            check=False,
            cwd=ROOT,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
        )
        process.send_signal(signal.SIGINT)
        process.wait(40)
    assert second.returncode == 1
    assert second.stderr == f"arctl: {tmp_path / 'demo'} is in use by `arctl demo`, process {process.pid}\n"
