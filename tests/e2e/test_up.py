"""`arctl up` as an operator starts and ends it: real processes, no customers yet."""

from __future__ import annotations

import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_private import modes
from tests.e2e.test_demo import ARCTL, ROOT, environment, is_alive, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes by /proc")]


@pytest.mark.parametrize("moment", ["redis.pid", "running"])
def test_ctrl_c_ends_it_tidily_at_any_moment(tmp_path, moment):
    output = tmp_path / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [*ARCTL, "up"], cwd=ROOT, env=environment(tmp_path), stdout=stream, stderr=subprocess.STDOUT, start_new_session=True, umask=0
        )
    try:
        wait_until(lambda: f"{moment}:" in output.read_text() or list(tmp_path.rglob(moment)), process=process)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, output.read_text()
    finally:
        process.kill()
        process.wait()
    assert output.read_text().endswith("stopped\n")
    pids = {path.stem: int(path.read_text()) for path in tmp_path.rglob("*.pid")}
    assert "redis" in pids
    wait_until(lambda: not any(map(is_alive, pids.values())), seconds=30)
    assert not (tmp_path / "run.json").exists()
    assert not any({**modes(tmp_path / "log"), **modes(tmp_path / "redis")}.values())
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
