"""Flower shows what the workers do, and does nothing to them."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ar_workers.cli.machine import APP, flower
from ar_workers.cli.redis_server import free_port
from tests.clusters import eventually

ROOT = Path(__file__).parents[2]


def status_of(url, *, method="GET"):
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, method=method, data=b"" if method == "POST" else None), timeout=10
        ) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@pytest.fixture
def page(real_redis, redis_url, tmp_path):
    """A Flower as we start it, to whose API anybody may speak."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "AR_REDIS_URL": redis_url, "HOME": str(tmp_path), "FLOWER_UNAUTHENTICATED_API": "true"}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", *APP, *flower(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: status_of(f"http://127.0.0.1:{port}/") == 200)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


@pytest.mark.e2e
def test_flower_can_be_read_and_changes_nothing(page):
    for path in ("", "workers", "tasks", "broker", "api/workers"):
        assert status_of(page + path) == 200
    for path in (
        "task/revoke/x",
        "task/send-task/x",
        "task/apply/ar_workers.tasks.sweep",
        "task/timeout/x",
        "worker/shutdown/x",
        "worker/pool/restart/x",
        "worker/pool/shrink/x",
        "worker/queue/cancel-consumer/x?queue=isolation",
    ):
        assert status_of(f"{page}api/{path}", method="POST") == 403
