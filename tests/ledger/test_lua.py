"""The ledger's scripts as a linter reads them: no stray global, nothing shadowed, no part that nobody uses."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from ar_workers.ledger.scripting import NAMES, whole

LUACHECK = ["luacheck", "--std", "lua51", "--read-globals", "redis", "cjson", "KEYS", "ARGV", "--no-color", "--no-max-line-length"]
#: A script that uses a part need not use all of it.
UNUSED = re.compile(r"unused (?:function|variable) '(\w+)'")

pytestmark = pytest.mark.skipif(shutil.which("luacheck") is None, reason="luacheck is not installed")


@pytest.fixture(scope="module")
def warnings(tmp_path_factory):
    """What the linter says of each script as Redis runs it."""
    folder, found = tmp_path_factory.mktemp("lua"), {}
    for name in NAMES:
        (folder / f"{name}.lua").write_text(whole(name))
        said = subprocess.run([*LUACHECK, f"{name}.lua"], cwd=folder, capture_output=True, text=True, check=False).stdout
        found[name] = [line.strip() for line in said.splitlines() if re.match(rf"\s+{name}\.lua:", line)]
    return found


def test_nothing_is_wrong_but_what_a_script_leaves_unused(warnings):
    assert [line for lines in warnings.values() for line in lines if not UNUSED.search(line)] == []


def test_every_part_is_used_by_some_script(warnings):
    unused = {name: {found[1] for line in lines if (found := UNUSED.search(line))} for name, lines in warnings.items()}
    everywhere = {each for names in unused.values() for each in names}
    present = {
        each: [name for name in NAMES if re.search(rf"^local (?:function )?[^=(]*\b{each}\b", whole(name), re.MULTILINE)]
        for each in everywhere
    }
    assert [each for each in everywhere if all(each in unused[name] for name in present[each])] == []
