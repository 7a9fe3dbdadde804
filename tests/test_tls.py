"""One Redis, sentinels and a cluster, each with TLS and a password: ledger, doorbell and a real worker; and who is not let in."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from urllib.parse import quote

import pytest
import redis

from ar_workers.brokers import broker_at
from ar_workers.celery import CeleryDoorbell, celery_at
from ar_workers.cli.machine import ALONE
from ar_workers.cli.processes import die_with_parent
from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.cli.server_binary import server_binary
from ar_workers.domain.checkups import Light
from ar_workers.domain.errors import LedgerUnavailable
from ar_workers.domain.redis_users import User
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.clients import connect
from ar_workers.ledger.posture import posture
from ar_workers.ledger.redis import RedisLedger
from tests.clusters import SERVICE, a_cluster, asked, eventually
from tests.keys import SEALS
from tests.ledger.building import an_event
from tests.ledger.conftest import QUICK
from tests.test_transport import ring
from tests.test_transport_workers import a_worker, ran
from tests.tls import FAR, Authority, a_door
from tests.users import give_users, url_of

CUSTOMERS = [f"customer-{number}" for number in range(12)]
#: Of sentinels, and of what they ask their primary as.
PASSWORD = "pass@word/of:sentinels?"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def single(authority, tmp_path_factory):
    """One server, in plain at its own port and by TLS at its door."""
    with RedisServer(tmp_path_factory.mktemp("single")) as server, a_door(server.port, authority.context()) as port:
        give_users(server.port)
        yield f"rediss://{FAR}:{port}/0?ssl_ca_certs={authority.file}"


@pytest.fixture(scope="module")
def sentinel(authority, tmp_path_factory):
    """A primary and a sentinel, which tells everybody the primary's door."""
    folder = tmp_path_factory.mktemp("sentinel")
    with ExitStack() as stack:
        primary = stack.enter_context(RedisServer(folder / "primary"))
        asked(primary.port, "ACL SETUSER", "sentinel", "on", f">{PASSWORD}", "allchannels", "+@all")
        give_users(primary.port)
        door = stack.enter_context(a_door(primary.port, authority.context()))
        port = a_sentinel(folder, door, stack)
        at = stack.enter_context(a_door(port, authority.context()))
        more = f"sentinel_password={quote(PASSWORD, safe='')}&ssl_ca_certs={authority.file}"
        yield f"rediss+sentinel://{FAR}:{at}/{SERVICE}?{more}"


def a_sentinel(folder, primary, stack):
    port, config = free_port(), folder / "sentinel.conf"
    lines = [
        f"port {port}", "bind 127.0.0.1", f'requirepass "{PASSWORD}"', f"sentinel monitor {SERVICE} 127.0.0.1 {primary} 1",
        f"sentinel auth-user {SERVICE} sentinel", f'sentinel auth-pass {SERVICE} "{PASSWORD}"',
    ]  # fmt: skip
    config.write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [server_binary().path, str(config), "--sentinel"],
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - as the embedded Redis
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    with redis.Redis(port=port, password=PASSWORD, decode_responses=True) as client:
        eventually(lambda: is_well(client))
    return port


def is_well(client):
    try:
        return client.sentinel_masters()[SERVICE]["flags"] == "master" or client.sentinel_masters()[SERVICE]["is_master"]
    except redis.RedisError:
        return False


@pytest.fixture(scope="module")
def cluster(authority, tmp_path_factory):
    """Three servers that tell everybody their doors."""
    with ExitStack() as stack:
        servers = stack.enter_context(a_cluster(tmp_path_factory.mktemp("cluster")))
        doors = [stack.enter_context(a_door(server.port, authority.context())) for server in servers]
        for server, door in zip(servers, doors, strict=True):
            asked(server.port, "CONFIG", "SET", "cluster-announce-port", door)
        for server in servers:
            eventually(lambda server=server: sorted(announced(server.port)) == sorted(doors))
            give_users(server.port)
        yield f"rediss+cluster://{FAR}:{doors[0]},{FAR}:{doors[1]}?ssl_ca_certs={authority.file}"


def announced(port):
    return [int(node[1]) for _, _, node, *_ in asked(port, "CLUSTER", "SLOTS")]


@pytest.fixture(params=["single", "sentinel", "cluster"])
def url(request):
    """Without a login."""
    return request.getfixturevalue(request.param)


def accepted(url):
    with connect(url, patience=1) as client:
        return RedisLedger(client, **QUICK, seals=SEALS).accept([an_event(customer=name) for name in CUSTOMERS])


def test_the_ledger_is_written_by_whoever_has_a_login(url):
    assert set(accepted(url_of(User.DOOR, url))) <= {Acceptance.NEW, Acceptance.DUPLICATE}
    assert accepted(url_of(User.DOOR, url)) == [Acceptance.DUPLICATE] * len(CUSTOMERS)


def test_with_tls_a_password_and_a_user_of_its_own_a_server_beyond_this_machine_is_well(url):
    checks = {check.name: check for check in posture(url_of(User.DOOR, url), "AR_REDIS_URL", is_ledger=True)}
    assert {name for name, check in checks.items() if check.light is not Light.OK} == set()
    assert set(checks) == {"redis login", "redis tls", "redis strangers", "redis appendonly", "redis maxmemory-policy"}


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda url: url,
        lambda url: url_of(User.DOOR, url, {User.DOOR: "wrong"}),
        lambda url: url_of(User.DOOR, url.partition("ssl_ca_certs")[0].rstrip("?&")),
    ],
    ids=["without a login", "with a wrong password", "by an authority that we do not know"],
)
def test_nobody_else_is_let_in_or_believed(url, spoiled):
    with pytest.raises((redis.RedisError, LedgerUnavailable)):
        accepted(spoiled(url))


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["single", "sentinel"])
def test_a_real_worker_takes_what_was_rung(request, real_redis, redis_url, tmp_path, kind):
    url = request.getfixturevalue(kind)
    with a_worker(url_of(User.EXECUTE, url), redis_url, tmp_path / "log", options=ALONE):
        CeleryDoorbell(celery_at(url_of(User.RESPOND, url))).ring([ring("1")])
        eventually(lambda: ran(real_redis) == ["acme:1"])


@pytest.mark.parametrize("kind", ["single", "sentinel"])
def test_no_password_is_given_to_a_broker_without_a_good_certificate(request, kind):
    """Kombu by itself takes any."""
    url = url_of(User.RESPOND, request.getfixturevalue(kind)).partition("ssl_ca_certs")[0].rstrip("?&")
    with celery_at(url).connection_for_write() as connection, pytest.raises(Exception, match=r"certificate|CERTIFICATE|No master"):
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=5)


def test_what_an_address_says_of_tls_is_said_to_kombu_of_each_kind():
    for url in ("rediss://h/0?ssl_ca_certs=/ca.pem", "rediss+sentinel://h/main?ssl_ca_certs=/ca.pem"):
        assert broker_at(url)["broker_use_ssl"] == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"}
    assert broker_at("rediss://u:p@h:1/2?ssl_ca_certs=/ca.pem")["broker_url"] == "rediss://u:p@h:1/2"
    assert broker_at("redis://h/0")["broker_use_ssl"] is False
