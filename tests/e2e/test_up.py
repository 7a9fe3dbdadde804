"""`arctl up` as an operator starts and ends it: real processes, no customers yet."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ar_workers.cli import EXIT_NO_LEDGER
from ar_workers.cli.logins import kept, made
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.redis_users import User
from tests.cli.test_machine import status_of
from tests.cli.test_private import modes
from tests.cli.test_surroundings import USERS
from tests.e2e.test_demo import ARCTL, ROOT, environment, is_alive, wait_until
from tests.tls import FAR
from tests.users import give_users, refused, url_of

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes by /proc")]


@contextmanager
def up(folder, *options, **more):
    """A running `arctl up` and the file with its output."""
    output = folder / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [*ARCTL, "up", *options], cwd=ROOT, env=environment(folder) | more, stdout=stream, stderr=subprocess.STDOUT,
            start_new_session=True, umask=0,
        )  # fmt: skip
    try:
        yield process, output
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(40)


def ends(folder, **more):
    """How another `arctl up` ends, and what it says."""
    ended = subprocess.run(
        [*ARCTL, "up"], check=False, cwd=ROOT, env=environment(folder) | more, capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("moment", ["redis.pid", "running"])
def test_ctrl_c_ends_it_tidily_at_any_moment(tmp_path, moment):
    with up(tmp_path) as (process, output):
        wait_until(lambda: f"{moment}:" in output.read_text() or list(tmp_path.rglob(moment)), process=process)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, output.read_text()
    assert output.read_text().endswith("stopped\n")
    pids = {path.stem: int(path.read_text()) for path in tmp_path.rglob("*.pid")}
    assert "redis" in pids
    wait_until(lambda: not any(map(is_alive, pids.values())), seconds=30)
    assert not (tmp_path / "run.json").exists()
    assert 'role = "admin"' in (tmp_path / "people.toml").read_text()
    assert (tmp_path / ".config" / "ar_workers" / "person.key").exists()
    assert not any({**modes(tmp_path / "log"), **modes(tmp_path / "redis")}.values())
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def listens_on_tcp(pid):
    """Ports of this process, by /proc."""
    own = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    lines = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in own]


def command_lines():
    """All that every user of this machine reads by `ps`."""
    lines = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(each.read_text(errors="replace"))
    return "\n".join(lines)


def test_flower_asks_for_a_password_that_is_kept_and_that_no_other_user_reads(tmp_path):
    with up(tmp_path) as (process, output):
        wait_until(lambda: "running:" in output.read_text(), process=process)
        flower = json.loads((tmp_path / "run.json").read_text())["flower"]
        file = tmp_path / "flower.password"
        assert f"running: Flower at {flower} (login in {file})" in output.read_text()
        login = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        wait_until(lambda: status_of(flower) == 401)
        assert status_of(flower, login=login) == 200
        shown = command_lines()
        assert f"--port={flower.rpartition(':')[2].strip('/')}" in shown
        assert login.partition(":")[2] not in shown + output.read_text()
        environments = {path.stem: Path(f"/proc/{path.read_text()}/environ").read_text() for path in (tmp_path / "log").glob("*.pid")}
        assert [name for name, told in environments.items() if login in told] == ["flower"]
        passwords = kept(tmp_path / "redis.env")
        assert stat.S_IMODE((tmp_path / "redis.env").stat().st_mode) == 0o600
        assert not [password for password in passwords.values() if password in shown + output.read_text()]
        theirs = {name: [user for user, password in passwords.items() if password in told] for name, told in environments.items()}
        assert theirs == {name: [user] for name, user in USERS.items()}
    with up(tmp_path) as (process, output):
        wait_until(lambda: "started" in output.read_text(), process=process)
    assert file.read_text().strip() == login


def test_its_redis_is_on_no_port_a_second_one_says_who_has_it_and_the_next_keeps_the_logs(tmp_path):
    with up(tmp_path) as (process, output):
        wait_until(lambda: "running:" in output.read_text(), process=process)
        assert listens_on_tcp(int((tmp_path / "redis" / "redis.pid").read_text())) == []
        assert ends(tmp_path) == (1, f"arctl: {tmp_path} is in use by `arctl up`, process {process.pid}\n")
    before = (tmp_path / "log" / "isolation.log").read_text()
    assert "ready." in before
    with up(tmp_path) as (process, output):
        wait_until(lambda: list(tmp_path.rglob("isolation.log.1")), process=process)
    assert (tmp_path / "log" / "isolation.log.1").read_text() == before


def test_a_redis_that_is_named_is_used_and_none_started(tmp_path, redis_url):
    with up(tmp_path, AR_REDIS_URL=redis_url) as (process, output):
        wait_until(lambda: "running:" in output.read_text(), process=process)
        listed = subprocess.run(
            [*ARCTL, "threats", "--json"], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=True
        )
        assert listed.stdout.strip() == "[]"
    assert f"the ledger is AR_REDIS_URL, {redis_url}: no Redis is started" in output.read_text()
    assert not (tmp_path / "redis").exists()


def test_each_signs_in_as_itself_at_a_redis_of_ones_own_and_an_unsafe_one_is_for_development(tmp_path):
    logins = made(tmp_path / "redis.env")
    with RedisServer(tmp_path / "own") as server:
        give_users(server.port, logins)
        url = f"redis://arctl@{FAR}:{server.port}/0"
        assert "redis tls: AR_REDIS_URL has no TLS" in ends(tmp_path, AR_REDIS_URL=url)[1]
        with up(tmp_path, "--insecure-dev", AR_REDIS_URL=url) as (process, output):
            wait_until(lambda: "running:" in output.read_text(), process=process)
            listed = subprocess.run(
                [*ARCTL, "threats", "--json"],
                cwd=ROOT, env=environment(tmp_path) | {"AR_REDIS_URL": url}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert listed.stdout.strip() == "[]"
            wait_until(lambda: "let pass by AR_INSECURE_DEV: redis tls" in (tmp_path / "log" / "isolation.log").read_text())
        assert refused(url_of(User.ARCTL, server.url, logins)) == []


def test_a_redis_that_is_named_and_away_ends_it_and_leaves_nothing(tmp_path):
    status, said = ends(tmp_path, AR_REDIS_URL="redis://:canary@127.0.0.1:1/0")
    assert status == EXIT_NO_LEDGER
    assert "AR_REDIS_URL does not answer" in said
    assert "canary" not in said
    assert not list(tmp_path.rglob("*.pid"))


def test_it_says_who_is_in_dry_run_and_warns_of_files_that_say_no_mode(tmp_path):
    folder = tmp_path / "customers"
    folder.mkdir()
    for name, text in {"acme": 'mode = "dry_run"', "globex": "", "hooli": 'mode = "live"'}.items():
        (folder / f"{name}.toml").write_text(text)
    with up(tmp_path, AR_CUSTOMERS=str(folder)) as (process, output):
        wait_until(lambda: "redis" in output.read_text() or "started" in output.read_text(), process=process)
    said = output.read_text()
    assert "acme is in dry run: nothing is asked of its EDRs until `arctl customers live acme`" in said
    assert f'warning: {folder}/globex.toml says no mode, and is live: write mode = "live" at its top' in said
    assert "hooli.toml" not in said
