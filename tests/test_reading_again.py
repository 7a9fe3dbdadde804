"""Customers' files and secrets are read again when they change: all or nothing, and what has not changed stays as it was."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from ar_workers import bootstrap, tasks
from ar_workers.bootstrap import LOOK_AGAIN_AFTER, LOOK_EVERY, Live
from ar_workers.cli import arctl
from ar_workers.domain.errors import InvalidSettings

FALCON = """
[edr.crowdstrike]
base_url = "http://127.0.0.1:1"
client_id = "env:{name}_ID"
client_secret = "env:{name}_SECRET"
remediate_groups = ["Remediate"]
"""
RECEIVER = """
[receivers.chat]
channel = "slack"
to = "C0123456"
token = "env:ACME_SLACK_TOKEN"
"""
ACME, GLOBEX = ("acme", "crowdstrike"), ("globex", "crowdstrike")


class Time:
    """Seconds that only grow, and the wall's, moved by hand."""

    def __init__(self):
        self.passed = 0.0

    def monotonic(self):
        return self.passed

    def now(self):
        return time.time() + self.passed


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def environ(real_redis, redis_url, tmp_path):
    folder = tmp_path / "customers"
    folder.mkdir()
    for name in ("acme", "globex"):
        write(folder, name)
    found = {"AR_REDIS_URL": redis_url, "AR_CUSTOMERS": str(folder), "AR_HOME": str(tmp_path), "ACME_SLACK_TOKEN": "xoxb-1"}
    for name in ("ACME", "GLOBEX"):
        secret = tmp_path / f"{name}.secret"
        secret.write_text("canary-secret-1")
        secret.chmod(0o600)
        found |= {f"{name}_ID": "the-client", f"{name}_SECRET_FILE": str(secret)}
    return found


@pytest.fixture
def folder(environ, tmp_path):
    return tmp_path / "customers"


@pytest.fixture
def live(environ, clock):
    return Live(environ, monotonic=clock.monotonic, now=clock.now)


def write(folder, name, more=""):
    (folder / f"{name}.toml").write_text(FALCON.format(name=name.upper()) + more)


def later(live, clock, seconds=2 * LOOK_EVERY):
    """The services after so long."""
    clock.passed += seconds
    return live.services()


def secret_of(services, key=ACME):
    return services.edrs[key]._edr._api._config.client_secret.get_secret_value()


def test_what_has_not_changed_is_the_same_for_ever(live, clock):
    before = live.services()
    assert later(live, clock, 3600) is before


def test_a_changed_file_holds_after_some_seconds(live, clock, folder):
    write(folder, "acme", "[protect]\nendpoints = ['DC-01']")
    assert later(live, clock).policies["acme"].protected_endpoints == {"DC-01"}


def test_a_file_that_comes_or_goes_is_a_customer_that_comes_or_goes(live, clock, folder):
    (folder / "globex.toml").rename(folder / "initech.toml")
    services = later(live, clock)
    assert set(services.policies) == {"acme", "initech"}
    assert set(services.edrs) == {ACME, ("initech", "crowdstrike")}
    (folder / "acme.toml").unlink()
    (folder / "initech.toml").unlink()
    assert later(live, clock).policies == {}


def test_a_mode_that_was_changed_by_the_command_holds_after_some_seconds(live, clock, folder, environ, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    before = live.services()
    assert not before.policies["acme"].is_dry
    assert CliRunner().invoke(arctl, ["customers", "dry-run", "acme", "--yes"]).exit_code == 0
    after = later(live, clock)
    assert (after.policies["acme"].is_dry, after.policies["globex"].is_dry) == (True, False)
    assert after.edrs[ACME] is before.edrs[ACME]
    assert CliRunner().invoke(arctl, ["customers", "live", "acme", "--yes"]).exit_code == 0
    assert not later(live, clock).policies["acme"].is_dry


def test_only_what_changed_is_made_anew(live, clock, folder):
    write(folder, "globex", RECEIVER)
    before = later(live, clock)
    write(folder, "acme", "connect_timeout = 1.0")
    after = later(live, clock)
    assert after.edrs[ACME] is not before.edrs[ACME]
    assert after.edrs[GLOBEX] is before.edrs[GLOBEX]
    assert after.channels["globex", "chat"] is before.channels["globex", "chat"]
    assert (after.ledger, after.heartbeat, after.doorbell) == (before.ledger, before.heartbeat, before.doorbell)


def test_a_policy_alone_makes_no_adapter_anew(live, clock, folder):
    before = live.services()
    write(folder, "acme", "[automations.ioc_response]\nfile_response = 'quarantine'")
    after = later(live, clock)
    assert after.policies["acme"] != before.policies["acme"]
    assert after.edrs[ACME] is before.edrs[ACME]


def test_a_rotated_secret_is_picked_up_and_only_its_adapter_made_anew(live, clock, environ):
    before = live.services()
    assert secret_of(before) == "canary-secret-1"
    Path(environ["ACME_SECRET_FILE"]).write_text("canary-secret-2")
    after = later(live, clock)
    assert (secret_of(after), secret_of(after, GLOBEX)) == ("canary-secret-2", "canary-secret-1")
    assert after.edrs[GLOBEX] is before.edrs[GLOBEX]


def test_a_secret_that_was_replaced_by_another_of_its_length_and_time_is_seen(live, clock, environ, tmp_path):
    path, new = environ["ACME_SECRET_FILE"], tmp_path / "new"
    new.write_text("canary-secret-9")
    new.chmod(0o600)
    old = Path(path).stat()
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.rename(path)
    assert secret_of(later(live, clock)) == "canary-secret-9"


def test_a_secret_of_the_tres_is_picked_up_likewise(environ, clock, tmp_path):
    token = tmp_path / "token"
    token.write_text("xoxb-1")
    token.chmod(0o600)
    live = Live({**environ, "AR_SLACK_TOKEN_FILE": str(token), "AR_SLACK_CHANNEL": "C1234567"}, monotonic=clock.monotonic, now=clock.now)
    before = live.services().channels["tre", "slack"]
    token.write_text("xoxb-2")
    assert later(live, clock).channels["tre", "slack"] is not before


@pytest.mark.parametrize(
    "wrong", ["flavour = 1", "client_id = ", "[protect]\nendpoints = ['10.0.0.1']", RECEIVER.replace("C0123456", "chat")]
)
def test_a_set_with_one_problem_changes_nothing_at_all_and_is_told_once(live, clock, folder, caplog, wrong):
    before = live.services()
    write(folder, "globex", "[protect]\nendpoints = ['DC-01']")
    write(folder, "acme", wrong)
    for _ in range(5):
        assert later(live, clock, 2 * LOOK_AGAIN_AFTER) is before
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "acme.toml: " in said
    assert "canary-" not in caplog.text
    write(folder, "acme", "connect_timeout = 1.0")
    assert later(live, clock, 2 * LOOK_AGAIN_AFTER).policies["globex"].protected_endpoints == {"DC-01"}


def test_a_secret_that_cannot_be_read_changes_nothing_until_it_can(live, clock, environ):
    before = live.services()
    Path(environ["ACME_SECRET_FILE"]).chmod(0o644)
    assert later(live, clock) is before
    Path(environ["ACME_SECRET_FILE"]).chmod(0o600)
    assert later(live, clock, 2 * LOOK_AGAIN_AFTER).edrs == before.edrs


def test_a_folder_that_is_gone_changes_nothing(live, clock, folder, caplog):
    before = live.services()
    shutil.rmtree(folder)
    assert later(live, clock) is before
    assert f"{folder} is not there" in caplog.text


def test_a_file_that_is_still_being_written_is_left_until_it_is_whole(environ, clock, folder):
    live = Live(environ, monotonic=clock.monotonic, now=time.time)
    write(folder, "acme", "[protect]\nendpoints = ['DC-01']")
    before = later(live, clock)
    assert before.policies["acme"].protected_endpoints == frozenset()
    write(folder, "acme", "[protect]\nendpoints = ['DC-01', 'DC-02']")
    assert later(live, clock) is before
    assert later(live, clock).policies["acme"].protected_endpoints == {"DC-01", "DC-02"}


def test_who_has_rested_goes_by_the_files_of_now_from_its_first_task_on(live, clock, folder):
    """All that come at once wait for the look: none goes by files of an hour ago."""
    write(folder, "acme", "[protect]\nendpoints = ['DC-01']")
    clock.passed += 3600
    found, gate = [], threading.Barrier(8)

    def task():
        gate.wait()
        found.append(live.services().policies["acme"].protected_endpoints)

    threads = [threading.Thread(target=task) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [{"DC-01"}] * 8


def test_between_two_looks_nothing_is_asked_of_the_file_system(live, folder):
    before = live.services()
    shutil.rmtree(folder)
    assert live.services() is before


def test_whoever_began_ends_with_what_it_began_with(live, clock, folder):
    begun = live.services()
    (folder / "acme.toml").unlink()
    assert "acme" not in later(live, clock).policies
    assert "acme" in begun.policies
    assert ACME in begun.edrs


def test_a_new_customers_allowance_is_known_at_once(live, clock, folder, environ, real_redis):
    environ |= {"INITECH_ID": "the-client-3", "INITECH_SECRET": "canary-3"}
    write(folder, "initech")
    later(live, clock)
    assert real_redis.hget("ar:{initech}:remote:crowdstrike", "rates")
    assert not real_redis.exists("ar:{acme}:remote:crowdstrike")


def test_the_tasks_of_a_process_go_by_it(environ, folder, clock, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bootstrap._Process, "services", None)
    monkeypatch.setattr(bootstrap._Process, "live", Live(os.environ, monotonic=clock.monotonic, now=clock.now))
    assert set(tasks.services().policies) == {"acme", "globex"}
    (folder / "globex.toml").unlink()
    clock.passed += 2 * LOOK_EVERY
    assert set(tasks.services().policies) == {"acme"}


def test_a_start_with_a_problem_is_refused_as_ever(environ, folder):
    write(folder, "acme", "flavour = 1")
    with pytest.raises(InvalidSettings):
        Live(environ)
