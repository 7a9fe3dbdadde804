"""The quickstart as a stranger does it: its files, its commands in their order, a real `arctl up`, against a twin of each EDR."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from ar_workers.cli.docs import ROOT
from ar_workers.simulator import Simulation, World
from tests.builders import agent_id, hash_of

from .test_demo import wait_until

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs" / "quickstart.md").read_text()
TENANT = "11111111-1111-4111-8111-111111111111"
#: EDR -> the twin's tenant, whose credentials are those of the page; the endpoint's id; what the twin's address is set by.
EDRS = {
    "crowdstrike": (
        {"credentials": [{"client_id": "the-client-id", "client_secret": "the-secret"}]},
        "AR test",
        agent_id("TEST-PC"),
        lambda text, url: text.replace("https://api.crowdstrike.com", url),
    ),
    "defender": (
        {"cid": TENANT, "credentials": [{"client_id": "the-application-id", "client_secret": "the-client-secret"}]},
        "ar-test",
        hash_of("sha1", "TEST-PC"),
        lambda text, url: f'{text}base_url = "{url}"\nlogin_url = "{url}"\n',
    ),
}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


COMMANDS = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]


@pytest.fixture(params=EDRS)
def vendor(request):
    return request.param


@pytest.fixture
def simulation(vendor):
    tenant, group, endpoint, _ = EDRS[vendor]
    found = {"agent_id": endpoint, "hostname": "TEST-PC", "groups": ["g1"], "check_in_delay": 0.2}
    world = {"tenants": {"acme": {**tenant, "vendor": vendor, "groups": [{"id": "g1", "name": group}], "endpoints": [found]}}}
    with Simulation(World.from_dict(world)) as simulation:
        yield simulation


@pytest.fixture
def stranger(vendor, simulation, tmp_path):
    """A home with the page's files in it, and `arctl` on the path. Gives what runs a command of the page there."""
    _, _, endpoint, addressed = EDRS[vendor]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "arctl").write_text(f'#!/bin/sh\nexec {sys.executable} -m ar_workers.cli "$@"\n')
    (programs / "arctl").chmod(0o755)
    (tmp_path / ".ar_workers").mkdir(mode=0o700)
    (tmp_path / ".ar_workers" / "environment").write_text(*blocks("sh"))
    customer = next(each for each in blocks("toml") if f"[edr.{vendor}]" in each)
    (tmp_path / "customer").write_text(addressed(customer, simulation.twins[vendor].url))
    event = blocks("json")[0].replace("AGENT_ID", endpoint).replace("crowdstrike", vendor)
    (tmp_path / "first.ndjson").write_text(event)
    environment = {"HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def start(command, **more):
        line = command.replace("AGENT_ID", endpoint).replace("--edr crowdstrike", f"--edr {vendor}")
        ready = "if [ -d ~/.ar_workers/customers ]; then cp -n customer ~/.ar_workers/customers/acme.toml; fi; "
        secrets = "set -a; . ~/.ar_workers/environment; set +a; "
        return subprocess.Popen(
            ["bash", "-ec", f"{ready}{secrets}{line}"], cwd=tmp_path, env=environment, stderr=subprocess.STDOUT,
            text=True, start_new_session=True, **{"stdout": subprocess.PIPE, **more},
        )  # fmt: skip

    return start


def run(stranger, command, *, status=0):
    process = stranger(command)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == status, (command, output)
    return output


def isolations(stranger):
    shown = json.loads(run(stranger, "arctl threats show FIRST-1 --json"))
    return ["would" if row["would"] else row["state"] for row in shown["rows"] if row["verb"] == "isolate"]


def test_a_stranger_isolates_a_first_endpoint(vendor, stranger, simulation, tmp_path):
    _, group, endpoint, _ = EDRS[vendor]
    up = COMMANDS.index("arctl up")
    *before, look = (command for command in COMMANDS[:up] if not command.startswith("make "))
    for command in before:
        run(stranger, command)
    # The page says so: Defender's scripts are not uploaded yet.
    said = run(stranger, look, status=int(vendor == "defender"))
    reds = [line for line in said.splitlines() if " red " in line and "│" in line]
    assert all("live response scripts" in line for line in reds)
    assert f"group {group}" in said
    assert "1 endpoint" in said
    with (tmp_path / "up.txt").open("w") as output:
        machine = stranger("exec arctl up", stdout=output)
    try:
        wait_until(lambda: "running: " in (tmp_path / "up.txt").read_text(), process=machine)
        ingest, show, *to_live, ingest_again, show_again, release, last = COMMANDS[up + 1 :]
        assert "1 accepted" in run(stranger, ingest)
        wait_until(lambda: isolations(stranger) == ["would"], process=machine)
        assert "would isolate test-pc (dry run)" in run(stranger, show).casefold()  # one of them writes names in small letters
        assert simulation.journal.effects() == []
        for command in to_live:
            run(stranger, command)
        assert "1 accepted" in run(stranger, ingest_again)
        wait_until(lambda: isolations(stranger) == ["would", "done"], process=machine)
        assert "done" in run(stranger, show_again)
        assert simulation.world.endpoint("acme", endpoint).status == "contained"
        run(stranger, release)
        wait_until(lambda: simulation.world.endpoint("acme", endpoint).status == "normal", process=machine)
        assert "FIRST-1" in run(stranger, last)
    finally:
        machine.send_signal(signal.SIGINT)
        assert machine.wait(40) == 0, (tmp_path / "up.txt").read_text()
