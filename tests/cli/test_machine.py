"""Flower shows what the workers do to whoever knows its login, and does nothing to them."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ar_workers.cli.flower import LOGIN, LOGIN_FILE, flower, login_of, where_login_is
from ar_workers.cli.machine import APP
from ar_workers.cli.redis_server import free_port
from ar_workers.domain.errors import ARError
from tests.clusters import eventually

ROOT = Path(__file__).parents[2]
CANARY = "arctl:a-canary-of-a-password"


def signed_in(request, login):
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    return request


def status_of(url, *, method="GET", login=None):
    try:
        request = signed_in(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None), login)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


#: What an operator's surroundings might have: none of it opens anything.
LOOSENED = {"FLOWER_UNAUTHENTICATED_API": "true", "FLOWER_READ_ONLY": "false"}


def command(port):
    return [sys.executable, "-m", *APP, *flower(port)]


@pytest.fixture
def page(real_redis, redis_url, tmp_path):
    """A Flower as we start it."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "AR_REDIS_URL": redis_url, "HOME": str(tmp_path), LOGIN: CANARY, **LOOSENED}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command(port), cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: status_of(f"http://127.0.0.1:{port}/healthcheck") == 200)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()
    assert CANARY.partition(":")[2] not in (tmp_path / "log").read_text()


def routes():
    """Every address that Flower answers at, also those of later versions."""
    from flower.urls import handlers

    patterns = [each[0] if isinstance(each, tuple) else each.regex.pattern.removesuffix("$") for each in handlers]
    return [
        pattern.removeprefix("/").removesuffix("?").replace("(.+)", "x").replace("(.*)", "x") for pattern in patterns if pattern != ".*"
    ]


def statuses(page, method, login=None):
    return {route: status_of(page + route, method=method, login=login) for route in routes()}


#: Where nothing of ours is: what says that it lives, its own files, and forms that are not used.
OPEN = {"healthcheck", "static/x", "login/", "logout"}


@pytest.mark.e2e
def test_flower_can_be_read_with_its_password_and_changes_nothing(page):
    for path in ("", "workers", "tasks", "broker", "api/workers", "metrics"):
        assert status_of(page + path, login=CANARY) == 200
    changing = {route: status for route, status in statuses(page, "POST", CANARY).items() if status != 405}
    assert changing.pop("tasks/datatable") == 400  # it reads, and misses what to read
    assert changing.pop("login/") == 404  # there is no form to sign in
    assert set(changing.values()) == {403}
    assert {name for name in changing if name.startswith("api/worker/")} >= {
        "api/worker/shutdown/x", "api/worker/pool/restart/x", "api/worker/pool/grow/x", "api/worker/pool/shrink/x",
        "api/worker/pool/autoscale/x", "api/worker/queue/add-consumer/x", "api/worker/queue/cancel-consumer/x",
    }  # fmt: skip
    assert {name for name in changing if name.startswith("api/task/")} >= {
        "api/task/revoke/x", "api/task/send-task/x", "api/task/apply/x", "api/task/async-apply/x", "api/task/timeout/x",
        "api/task/rate-limit/x", "api/task/abort/x",
    }  # fmt: skip


@pytest.mark.e2e
@pytest.mark.parametrize("login", [None, "arctl:", "arctl:wrong", "a-canary-of-a-password"])
def test_without_the_password_flower_shows_nothing_and_does_nothing(page, login):
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert {status for route, status in statuses(page, method, login).items() if route not in OPEN} <= {401, 405}
    assert statuses(page, "GET", login)["metrics"] == statuses(page, "POST", login)["api/worker/shutdown/x"] == 401


@pytest.mark.e2e
@pytest.mark.parametrize("login", [{}, {LOGIN: ""}])
def test_flower_does_not_start_without_a_password(tmp_path, login):
    environment = {"PATH": os.environ["PATH"], "AR_REDIS_URL": "redis://127.0.0.1:1/0", "HOME": str(tmp_path), **LOOSENED, **login}
    ended = subprocess.run(command(free_port()), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "set FLOWER_BASIC_AUTH=user:password" in ended.stderr


def test_a_login_is_made_once_kept_for_its_owner_alone_and_each_folder_has_its_own(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    before = os.umask(0)
    try:
        made = login_of(tmp_path / "one", {})
    finally:
        os.umask(before)
    file = tmp_path / "one" / LOGIN_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == made == login_of(tmp_path / "one", {LOGIN: ""})
    assert login_of(tmp_path / "two", {}) != made
    assert len(made.partition(":")[2]) >= 32
    assert where_login_is(tmp_path / "one", {}) == str(file)


def test_a_login_of_the_operators_own_is_taken_and_written_nowhere(tmp_path):
    assert login_of(tmp_path, {LOGIN: "us:ours"}) == "us:ours"
    assert where_login_is(tmp_path, {LOGIN: "us:ours"}) == LOGIN
    assert list(tmp_path.iterdir()) == []


def test_a_login_that_was_written_by_hand_is_taken_and_narrowed(tmp_path):
    file = tmp_path / LOGIN_FILE
    file.write_text("us:our own: é\n".replace(" ", "-"))
    file.chmod(0o644)
    assert login_of(tmp_path, {}) == "us:our-own:-é"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [b"", b"password\n", b"us:\n", b":ours\n", b"us:ours,b:c\n", b"us:one\nus:two\n", b"us:\xff\n"])
def test_a_file_with_no_login_in_it_is_told_without_its_words(tmp_path, text):
    (tmp_path / LOGIN_FILE).write_bytes(text)
    with pytest.raises(ARError, match="remove it, and a new one is made") as told:
        login_of(tmp_path, {})
    assert "ours" not in str(told.value)
