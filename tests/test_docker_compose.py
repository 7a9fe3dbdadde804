"""The containers run the same workers as `arctl up`."""

from __future__ import annotations

import re
from pathlib import Path

from ar_workers.cli.flower import LOGIN, SETTINGS, flower
from ar_workers.cli.logins import variable
from ar_workers.cli.machine import WORKERS
from ar_workers.cli.surroundings import user_of
from ar_workers.domain.addresses import parse_address
from ar_workers.domain.backpressure import MOST_VISITS
from ar_workers.domain.canvas import Queue
from ar_workers.domain.redis_users import User

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_workers_are_those_of_one_machine():
    found = {name: (queues, int(threads)) for threads, queues, name in re.findall(r"-c (\d+) -Q (\S+) -n (\w+)@", COMPOSE)}
    assert found == WORKERS


def test_one_customers_slow_edr_leaves_threads_to_the_others():
    assert WORKERS["isolation"][1] > MOST_VISITS
    assert WORKERS["actions"][1] > MOST_VISITS


def test_all_queues_are_worked_on_and_isolation_and_polling_have_their_own():
    queues = [name for names, _ in WORKERS.values() for name in names.split(",")]
    assert sorted(queues) == sorted(Queue)
    assert {"isolation", "polling"} <= {names for names, _ in WORKERS.values()}


def test_flower_only_looks_and_asks_for_a_password_that_stands_on_no_command_line():
    (command,) = re.findall(r"command: (celery .* flower .*)", COMPOSE)
    assert {"--read_only", f"--conf={SETTINGS.relative_to(ROOT)}"} <= set(command.split())
    assert {"--read_only", f"--conf={SETTINGS}"} <= set(flower(5555))
    assert "auth" not in command
    assert f"      {LOGIN}: ${{{LOGIN}:?" in COMPOSE
    assert "WORKDIR /srv/ar_workers" in DOCKERFILE
    assert "COPY ar_workers ar_workers" in DOCKERFILE


SERVICES = dict(re.findall(r"^  (\w+):\n((?:    .*\n)+)", COMPOSE.partition("\nservices:\n")[2], re.MULTILINE))


def test_each_service_signs_in_as_its_own_user_and_has_no_other_password():
    users = {
        **{name: user_of(queues) for name, (queues, _) in WORKERS.items()},
        "beat": User.BEAT,
        "flower": User.FLOWER,
        "arctl": User.ARCTL,
    }
    assert set(SERVICES) == {*users, "redis"}
    for name, user in users.items():
        assert f"AR_REDIS_URL: unix://{user}:${{{variable(user)}:?}}@/run/redis/redis.sock?db=0\n" in SERVICES[name]
        assert SERVICES[name].count("_PASSWORD_") == 1
    assert "_PASSWORD_" not in SERVICES["redis"]


def test_beat_and_flower_have_no_secret_of_a_customers():
    assert {name for name, text in SERVICES.items() if "*worker" in text} == {*WORKERS, "arctl"}
    assert "env_file" not in COMPOSE.partition("x-worker:")[0]
    assert "env_file: [{path: customers.env" in COMPOSE


def test_its_redis_is_one_on_which_we_start():
    (command,) = re.findall(r"command: redis-server (.*)", COMPOSE)
    for part in (
        "--port 0",
        "--aclfile /etc/redis/users.acl",
        "--appendonly yes",
        "--maxmemory-policy noeviction",
        "/run/redis/redis.sock",
    ):
        assert part in command
    assert "ports" not in SERVICES["redis"]
    assert parse_address("unix://door:x@/run/redis/redis.sock?db=0").hosts == ()


def test_its_first_lines_say_how_its_users_are_made():
    assert "arctl redis-acl --make /here/.env > users.acl" in COMPOSE
