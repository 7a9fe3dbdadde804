"""The containers run the same workers as `arctl up`."""

from __future__ import annotations

import re
from pathlib import Path

from ar_workers.cli.flower import LOGIN, SETTINGS, flower
from ar_workers.cli.machine import WORKERS
from ar_workers.domain.backpressure import MOST_VISITS
from ar_workers.domain.canvas import Queue

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
