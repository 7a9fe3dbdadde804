"""README.md is true: its generated parts are up to date, and every command in it runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ar_workers.cli.docs import README, filled
from tests.builders import a_threat_published

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
COMMANDS = [line.removeprefix("$ ").partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
#: These start a machine: the end-to-end tests run them.
ELSEWHERE = {"make run", "make test", "arctl up"}
#: What has been done before: nothing can be opened that is not closed.
BEFORE = {
    "arctl resume": "arctl pause --reason drill",
    "arctl resume --customer acme": "arctl pause --customer acme --reason drill",
}


def test_the_generated_parts_are_up_to_date():
    text = README.read_text()
    assert filled(text) == text


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in ELSEWHERE])
def test_a_command_of_the_readme_runs(command, real_redis, redis_url, tmp_path):
    (tmp_path / "threats.ndjson").write_text(a_threat_published().model_dump_json() + "\n")
    environment = {"PATH": os.environ["PATH"], "AR_REDIS_URL": redis_url, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    arctl = [sys.executable, "-m", "ar_workers.cli"]
    subprocess.run([*arctl, "ingest", "threats.ndjson"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    for each in BEFORE.get(command, "").splitlines():
        subprocess.run([*arctl, *shlex.split(each)[1:]], cwd=tmp_path, env=environment, check=True, capture_output=True)
    words = shlex.split(command)
    assert words[0] == "arctl"
    result = subprocess.run([*arctl, *words[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_makefile_has_the_targets_that_the_readme_names():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make (\w+)", README.read_text())):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
