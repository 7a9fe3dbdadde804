"""The ledger's scripts as Redis runs them: no stray global, nothing shadowed, nothing that nobody uses."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources

import pytest

from ar_workers.ledger.scripting import NAMES, whole

LUACHECK = ["luacheck", "--std", "lua51", "--read-globals", "redis", "cjson", "KEYS", "ARGV", "--no-color", "--no-max-line-length"]
#: What a line of a part names.
NAMED = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)
UNUSED = re.compile(r"unused (?:function|variable) '(\w+)'")


@pytest.fixture(scope="module")
def warnings(tmp_path_factory):
    """What the linter says of each script as Redis runs it."""
    if shutil.which("luacheck") is None:
        pytest.skip("luacheck is not installed")
    folder, found = tmp_path_factory.mktemp("lua"), {}
    for name in NAMES:
        (folder / f"{name}.lua").write_text(whole(name))
        said = subprocess.run([*LUACHECK, f"{name}.lua"], cwd=folder, capture_output=True, text=True, check=False).stdout
        found[name] = [line.strip() for line in said.splitlines() if re.match(rf"\s+{name}\.lua:", line)]
    return found


def test_nothing_is_wrong_but_what_stands_beside_what_a_script_uses(warnings):
    assert [line for lines in warnings.values() for line in lines if not UNUSED.search(line)] == []


def test_of_every_part_each_name_is_used_by_some_script():
    scripts = "".join(map(whole, NAMES))
    folder = resources.files("ar_workers.ledger").joinpath("scripts", "parts")
    names = {each for part in folder.iterdir() for each in NAMED.findall(part.read_text())}
    assert {"enter", "blast_radius", "leave_lane"} < names
    assert [each for each in names if not re.search(rf"^local (?:function )?[^=(]*\b{each}\b", scripts, re.MULTILINE)] == []


def test_a_script_that_needs_little_has_little():
    assert "redis.call('ZPOPMIN'" in whole("conclude")
    assert "redis.call('ZPOPMIN'" not in whole("now")
    assert "CAP_OF" not in whole("renew")
