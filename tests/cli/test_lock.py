"""One machine per folder."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ar_workers.cli.lock import locked
from ar_workers.domain.errors import ARError
from tests.cli.test_private import is_private

HOLDS = """
import sys, time
from pathlib import Path
from ar_workers.cli.lock import locked
with locked(Path(sys.argv[1]), "arctl up"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_has_it_and_the_next_gets_it(tmp_path):
    with (
        locked(tmp_path / "home", "arctl up"),
        pytest.raises(ARError, match=rf"is in use by `arctl up`, process {os.getpid()}$"),
        locked(tmp_path / "home", "arctl demo"),
    ):
        raise AssertionError
    with locked(tmp_path / "home", "arctl demo"):
        assert "demo" in (tmp_path / "home" / "lock").read_text()
    assert is_private(tmp_path / "home")


def test_a_process_that_was_killed_has_it_no_more(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ARError, match=f"process {holder.pid}$"), locked(tmp_path, "arctl up"):
        raise AssertionError
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locked(tmp_path, "arctl up"):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()
