"""An unsafe set-up is refused by every role, with the reason and the fix; `arctl doctor` shows the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from ar_workers.bootstrap import Live, ledger_at
from ar_workers.celery import celery_at
from ar_workers.cli import EXIT_SETTINGS, arctl
from ar_workers.cli.flower import LOGIN, flower
from ar_workers.cli.machine import ALONE, APP
from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.domain.checkups import Light
from ar_workers.domain.errors import InvalidSettings, LedgerUnavailable
from ar_workers.domain.kept import is_kept
from ar_workers.domain.redis_users import User
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.checkup import checkup
from ar_workers.ledger.posture import _far, keeping, posture
from ar_workers.posture import flower_checks, refuse_unsafe, release_checks
from ar_workers.settings import load_settings, load_system
from tests.builders import a_threat_published
from tests.tls import FAR, Authority, a_door
from tests.users import LOGINS, give_users, url_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class Stage:
    """A server that is well, at its port and, by TLS, at its door: each test spoils one thing."""

    def __init__(self, server, door, ca):
        self.server, self.door, self.ca = server, door, ca

    @property
    def near(self):
        return f"redis://127.0.0.1:{self.server.port}/0"

    @property
    def plain(self):
        return url_of(User.DOOR, f"redis://{FAR}:{self.server.port}/0")

    def far(self, query=""):
        return f"rediss://{FAR}:{self.door}/0?ssl_ca_certs={self.ca}{query}"

    def set(self, name, value):
        with redis.Redis(port=self.server.port) as client:
            client.config_set(name, value)

    def system(self, url, **more):
        return load_system({"AR_REDIS_URL": url, **more})


@pytest.fixture
def stage(authority, tmp_path):
    with RedisServer(tmp_path / "redis") as server, a_door(server.port, authority.context()) as door:
        give_users(server.port, ends_default=False)
        with redis.Redis(port=server.port) as client:
            client.config_set("requirepass", LOGINS[User.ARCTL])
        yield Stage(server, door, authority.file)


@pytest.fixture
def opened(authority, tmp_path):
    """The same, and whoever reaches it comes in."""
    with RedisServer(tmp_path / "redis") as server, a_door(server.port, authority.context()) as door:
        give_users(server.port, ends_default=False)
        yield Stage(server, door, authority.file)


def refusal(system, *more, **options):
    with pytest.raises(InvalidSettings) as raised:
        refuse_unsafe(system, *more, **options)
    *problems, way_out = raised.value.problems
    assert "--insecure-dev" in way_out
    assert all(": " in problem for problem in problems)
    return problems


def lets_pass(system, *more, **options):
    """A machine of development."""
    refuse_unsafe(system.model_copy(update={"insecure_dev": True}), *more, **options)


ADDRESSES = {
    "no TLS": (lambda stage: stage.plain, "redis tls: AR_REDIS_URL has no TLS", "use `rediss`"),
    "any certificate": (
        lambda stage: url_of(User.DOOR, stage.far("&ssl_cert_reqs=none")), "redis tls: AR_REDIS_URL takes any certificate", "leave out",
    ),
    "a certificate of any name": (
        lambda stage: url_of(User.DOOR, stage.far("&ssl_check_hostname=false")), "redis tls: AR_REDIS_URL takes any certificate", "leave out",
    ),
    "no password": (lambda stage: stage.far(), "redis login: AR_REDIS_URL has no password", "`arctl redis-acl`"),
    "the default user": (
        lambda stage: stage.far().replace("//", "//:secret@"), "redis login: AR_REDIS_URL signs in as `default`", "`arctl redis-acl`",
    ),
    "open to everybody": (
        lambda stage: url_of(User.DOOR, stage.far()), "redis strangers: 127.1 lets in whoever reaches it", "ends `default`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("url", "reason", "fix"), ADDRESSES.values(), ids=ADDRESSES)
def test_a_redis_beyond_this_machine_is_refused_with(opened, url, reason, fix):
    system = opened.system(url(opened))
    problems = refusal(system)
    (problem,) = (each for each in problems if each.startswith(reason))
    assert fix in problem
    assert not any(password in "\n".join(problems) for password in (*LOGINS.values(), "secret"))
    lets_pass(system)
    assert reason.partition(":")[0] in {check.name for check in checkup(system.redis_url) if check.light is Light.RED}


FORGETFUL = {
    "AOF off": ("appendonly", "no", "redis appendonly: no: a restart would forget accepted events: set `appendonly yes`"),
    "an evicting policy": ("maxmemory-policy", "allkeys-lru", "redis maxmemory-policy: allkeys-lru: rows would be dropped"),
    "another evicting policy": ("maxmemory-policy", "volatile-ttl", "redis maxmemory-policy: volatile-ttl: rows would be dropped"),
}


@pytest.mark.parametrize(("name", "value", "reason"), FORGETFUL.values(), ids=FORGETFUL)
def test_wherever_it_is_a_redis_is_refused_with(opened, name, value, reason):
    opened.set(name, value)
    system = opened.system(opened.near)
    (problem,) = refusal(system)
    assert problem.startswith(reason)
    lets_pass(system)


def an_app(**settings):
    celery = celery_at("redis://127.0.0.1:1/0")
    celery.conf.update(settings)
    return celery


@pytest.mark.parametrize(
    "settings",
    [
        {"accept_content": ["json", "pickle"]},
        {"accept_content": ["application/x-python-serialize"]},
        {"accept_content": ["json", "yaml"]},
        {"task_serializer": "pickle"},
        {"result_accept_content": ["pickle"]},
        {"event_serializer": "pickle"},
    ],
)
def test_pickle_is_refused(opened, settings):
    system = opened.system(opened.near)
    (problem,) = refusal(system, celery=an_app(**settings))
    assert problem.startswith("celery: speaks ")
    assert 'accept_content = ["json"]' in problem
    lets_pass(system, celery=an_app(**settings))


@pytest.mark.parametrize("logins", [[], [""], ["us"], ["us:"], [":ours"], ["us:ours", "others:"]])
def test_flower_without_a_password_is_refused(opened, logins):
    (problem,) = refusal(opened.system(opened.near), *flower_checks(logins))
    assert problem.startswith("flower: shows customers and endpoints to everybody")
    assert "set FLOWER_BASIC_AUTH=user:password" in problem
    lets_pass(opened.system(opened.near), *flower_checks(logins))


@pytest.mark.parametrize("old", [{"celery": "5.6.3"}, {"kombu": "5.6.2"}, {"celery": "4.4"}])
def test_a_celery_that_loses_its_connection_is_refused(old):
    (check,) = (check for check in release_checks({"celery": "5.7.0", "kombu": "5.7.0", **old}) if check.light is Light.RED)
    assert check.name in old
    assert "5.7 or newer" in check.fix


def test_what_is_safe_is_not_refused(stage):
    refuse_unsafe(stage.system(url_of(User.DOOR, stage.far())), *flower_checks(["us:ours"]))
    assert {check.light for check in release_checks()} <= {Light.OK}


def test_on_this_machine_neither_tls_nor_a_password_is_wanted(opened, tmp_path):
    refuse_unsafe(opened.system(opened.near))
    refuse_unsafe(opened.system(opened.near.replace("127.0.0.1", "localhost")))
    with RedisServer(tmp_path / "own", private=True, logins=LOGINS) as server:
        refuse_unsafe(opened.system(server.url))


def test_of_a_broker_beside_the_ledger_the_way_is_looked_at_and_not_what_it_keeps(opened, monkeypatch, tmp_path):
    with RedisServer(tmp_path / "broker") as broker:
        opened.set("appendonly", "no")
        monkeypatch.setenv("AR_BROKER_URL", opened.near)
        refuse_unsafe(opened.system(broker.url))
        monkeypatch.setenv("AR_BROKER_URL", opened.plain)
        assert any(each.startswith("redis tls: AR_BROKER_URL has no TLS") for each in refusal(opened.system(broker.url)))


def test_a_broker_that_is_away_keeps_nobody_from_the_ledger(opened, monkeypatch):
    monkeypatch.setenv("AR_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")
    refuse_unsafe(opened.system(opened.near))
    opened.set("appendonly", "no")
    assert refusal(opened.system(opened.near))[0].startswith("redis appendonly")


def test_sentinels_on_this_machine_that_lead_elsewhere_are_seen_through():
    """By what they answer: the address in the URL says nothing of the primary's."""
    assert _far([("127.0.0.1", 1), ("10.0.0.7", 6379)]) == "10.0.0.7"
    assert _far([("127.0.0.1", 1), ("::1", 1), ("localhost", 1), ("127.8.8.8", 1)]) is None
    for host in ("localhost.example", "127.1", "0.0.0.0", "redis", "", "::", "::ffff:10.0.0.1", "169.254.1.1"):
        assert _far([(host, 1)]) == host


def test_what_a_managed_redis_does_not_tell_is_warned_of_and_not_refused(stage):
    untold = {check.name: check.light for check in keeping([{"redis_version": "7.2.0"}])}
    assert untold == {"redis appendonly": Light.WARN, "redis maxmemory-policy": Light.WARN}
    with redis.Redis(port=stage.server.port, password=LOGINS[User.ARCTL]) as client:
        client.execute_command("ACL SETUSER", "door", "-info")
    system = stage.system(url_of(User.DOOR, stage.far()))
    assert {check.name: check.light for check in posture(system.redis_url, "AR_REDIS_URL", is_ledger=True)}["redis info"] is Light.WARN
    refuse_unsafe(system)


def test_what_the_address_alone_shows_is_refused_while_the_server_is_away():
    away = load_system({"AR_REDIS_URL": f"redis://:x@{FAR}:{free_port()}/0"})
    assert {each.partition(":")[0] for each in refusal(away)} == {"redis login", "redis tls"}
    with pytest.raises(LedgerUnavailable):
        refuse_unsafe(load_system({"AR_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}))
    with pytest.raises(LedgerUnavailable):
        lets_pass(away)


def test_what_is_unsafe_later_is_not_worked_with_until_it_is_mended(opened, tmp_path):
    """A worker waits for a Redis that is away, and looks at it once it answers."""
    opened.set("appendonly", "no")
    keys = os.environ["AR_KEYS"]
    ledger = Live({"AR_REDIS_URL": opened.near, "AR_HOME": str(tmp_path), "AR_KEYS": keys}).services().ledger
    with pytest.raises(InvalidSettings, match="redis appendonly"):
        ledger.accept([a_threat_published(id="e1")])
    assert ledger_at(opened.near).customers() == []
    opened.set("appendonly", "yes")
    assert ledger.accept([a_threat_published(id="e1")]) == [Acceptance.NEW]


@pytest.mark.parametrize(
    ("mode", "group", "kept"),
    [
        (0o600, 4711, True), (0o400, 4711, True), (0o440, 7, True), (0o640, 7, True), (0o440, 4711, False), (0o640, 4711, False),
        (0o444, 7, False), (0o604, 7, False), (0o460, 7, False), (0o620, 7, False), (0o602, 7, False), (0o601, 7, False),
    ],
)  # fmt: skip
def test_a_secret_is_its_owners_alone_or_also_the_processs_groups_to_read(mode, group, kept):
    assert is_kept(mode, group, {7, 8}) is kept


@pytest.mark.parametrize(("mode", "is_taken"), [(0o600, True), (0o440, True), (0o444, False), (0o660, False)])
def test_a_secret_that_others_may_read_is_refused_as_kubernetes_mounts_it_is_not(tmp_path, mode, is_taken):
    secret = tmp_path / "token"
    secret.write_text("xoxb-1")
    secret.chmod(mode)
    environ = {"AR_HOME": str(tmp_path), "AR_SLACK_TOKEN_FILE": str(secret), "AR_SLACK_CHANNEL": "C1"}
    if is_taken:
        assert load_settings(environ).system.slack_token
    else:
        with pytest.raises(InvalidSettings, match=f"{secret} can be read or changed by others; chmod 600 it"):
            load_settings(environ)


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_credential_is_refused(tmp_path, empty):
    folder = tmp_path / "customers"
    folder.mkdir()
    (folder / "acme.toml").write_text('mode = "live"\n[edr.crowdstrike]\nremediate_groups = ["A"]\nclient_secret = "env:ACME_SECRET"\n')
    with pytest.raises(InvalidSettings, match=r"acme.toml: edr.crowdstrike.client_secret: ACME_SECRET is empty"):
        load_settings({"AR_HOME": str(tmp_path), "ACME_SECRET": empty})
    for name in ("AR_SLACK_TOKEN", "AR_PAGERDUTY_ROUTING_KEY", "AR_SMTP_PASSWORD"):
        with pytest.raises(InvalidSettings, match=f"{name}: is empty; unset it, or set it"):
            load_system({"AR_HOME": str(tmp_path), name: empty}, strictly=True)


@pytest.fixture
def unsafe(opened, monkeypatch, tmp_path):
    """What the commands find."""
    monkeypatch.setenv("AR_REDIS_URL", opened.plain)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    monkeypatch.setenv("AR_CUSTOMERS", str(tmp_path))
    (tmp_path / "acme.toml").write_text('mode = "live"\n')
    return opened


def test_nothing_is_accepted_on_an_unsafe_set_up_and_the_kill_switch_closes_all_the_same(unsafe, tmp_path, monkeypatch):
    events = tmp_path / "events.ndjson"
    events.write_text(a_threat_published(id="e1").model_dump_json())
    for command in (["ingest", str(events)], ["poll", "--refused", "--again"]):
        refused = CliRunner().invoke(arctl, command)
        assert isinstance(refused.exception, InvalidSettings), refused.output
    assert ledger_at(unsafe.near).customers() == []
    monkeypatch.setenv("AR_REDIS_URL", url_of(User.ARCTL, f"redis://{FAR}:{unsafe.server.port}/0"))
    assert CliRunner().invoke(arctl, ["pause", "--reason", "stop"]).exit_code == 0
    assert CliRunner().invoke(arctl, ["resume"]).exit_code == 0
    monkeypatch.setenv("AR_INSECURE_DEV", "1")
    assert CliRunner().invoke(arctl, ["ingest", str(events)]).exit_code == 0


def test_doctor_shows_the_same_and_warns_of_a_machine_of_development(unsafe, monkeypatch):
    monkeypatch.setenv("AR_REDIS_URL", url_of(User.ARCTL, f"redis://{FAR}:{unsafe.server.port}/0"))
    monkeypatch.setenv("AR_INSECURE_DEV", "1")
    monkeypatch.setenv("AR_BROKER_URL", f"redis://{FAR}:{unsafe.server.port}/1")
    said = CliRunner().invoke(arctl, ["doctor", "--patience", "20"])
    assert said.exit_code == 1
    for part in ("redis tls", "redis strangers", "AR_INSECURE_DEV", "AR_BROKER_URL has no TLS"):
        assert part in said.output


def started(stage, *command, url=None, **more):
    """How a process ends that a person starts."""
    folder = stage.ca.parent
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "AR_HOME": str(folder / "home"), "AR_KEYS": os.environ["AR_KEYS"],
        "AR_REDIS_URL": url or stage.plain, **more,
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stderr


ROLES = {
    **{queue: (*APP, "worker", "-P", "threads", "-c", "1", "-Q", queue, *ALONE) for queue in ("respond", "isolation", "polling")},
    "beat": (*APP, "beat", "--pidfile="),
    "flower": (*APP, *flower(free_port())),
    "arctl up": ("ar_workers.cli", "up"),
}


@pytest.mark.e2e
@pytest.mark.parametrize("role", ROLES)
def test_no_role_starts_on_an_unsafe_set_up(opened, role):
    status, said = started(opened, *ROLES[role], **{LOGIN: "us:ours"})
    assert status == (EXIT_SETTINGS if role == "arctl up" else 1)
    assert "redis tls: AR_REDIS_URL has no TLS, and 127.1 is not this machine" in said
    assert "AR_INSECURE_DEV=1" in said
    assert LOGINS[User.DOOR] not in said
    assert "Traceback" not in said
