"""The same storm over plain Celery: chains and groups with late acknowledgement, as the manual advises, and no ledger.

`celery -A tests.chaos.plain worker`. Each task has its effect (a line in a list that nobody kills) and returns.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis
from celery import Celery, chain, group

from ar_workers.cli.redis_server import RedisServer
from tests.chaos.fleet import ROOT, Troop
from tests.chaos.killer import Killer
from tests.chaos.report import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from ar_workers.cli.processes import Crew

TASKS = 7
#: Redelivery of what a dead worker held; Celery's default is an hour, in which nothing would be seen.
VISIBLE = 10
EFFECTS = os.environ.get("CHAOS_EFFECTS", "redis://127.0.0.1:6379/0")

app = Celery("plain", broker=os.environ.get("AR_REDIS_URL"), set_as_current=False)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_transport="kombu.transport.redis:Transport",
    broker_transport_options={"visibility_timeout": VISIBLE, "unacked_restore_interval": 1},
)


@app.task(name="plain.act")
def act(name: str) -> None:
    with redis.Redis.from_url(EFFECTS) as client:
        time.sleep(random.uniform(0.05, 0.15))  # the vendor's work
        client.rpush("effects", name)
        time.sleep(random.uniform(0.05, 0.15))  # its answer


@dataclass
class PlainFleet(Troop):
    """Workers of plain Celery, and chains that are published at a steady rate. The effects are in a Redis of their own."""

    folder: Path
    crews: dict[str, Crew] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    published: int = 0
    _next: float = 0.0

    def publish(self, threats: int, batch: int) -> None:
        """As many chains as are due by now."""
        if self.published >= threats or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 1
        for number in range(self.published, min(self.published + batch, threats)):
            names = [f"{number}/{each}" for each in range(TASKS)]
            chain(act.si(names[0]), group(act.si(name) for name in names[1:])).apply_async()
            self.wanted |= set(names)
        self.published = min(self.published + batch, threats)


def storm(folder: Path, seed: int, *, threats: int, strikes: int, workers: int, batch: int) -> Outcome:
    """As many threats and strikes as R2, at the same rate, by the same killer."""
    fleet = PlainFleet(folder)
    with RedisServer(folder / "broker") as broker, RedisServer(folder / "effects") as effects:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AR_REDIS_URL": broker.url, "CHAOS_EFFECTS": effects.url}
        app.conf.broker_url = broker.url
        try:
            for number in range(workers):
                options = ("-c", "4", "-n", f"worker{number}@%h", "-l", "INFO")
                fleet.add(f"worker{number}", environment, "celery", "-A", "tests.chaos.plain", "worker", *options)
            fleet.until(lambda: all(fleet.is_ready(each) for each in fleet.children("worker")))
            killer = Killer(fleet, seed, most=strikes)
            found = _rage(fleet, killer, effects.url, threats=threats, batch=batch, strikes=strikes)
        finally:
            fleet.disband()
    lost, doubled = len(fleet.wanted - set(found)), sum(number > 1 for number in found.values())
    counts = {"lost": lost, "doubled": doubled, "strikes": killer.done, "kills": len(killer.kills)}
    what = f"the same storm on plain Celery (acks_late, reject_on_worker_lost), {len(fleet.wanted)} actions"
    return Outcome("R2*", what, seed, "for comparison", sound=True, counts=counts)


def _rage(fleet: PlainFleet, killer: Killer, url: str, *, threats: int, batch: int, strikes: int) -> Counter[str]:
    """The storm, and then patience until nothing comes any more; how often each effect happened."""
    with redis.Redis.from_url(url, decode_responses=True) as kept:

        def is_over() -> bool:
            return killer.done >= strikes and fleet.published >= threats

        fleet.until(is_over, killer, lambda: fleet.publish(threats, batch), seconds=60 + 4 * strikes + threats)
        killer.stop()
        last, seen = time.monotonic(), -1
        while time.monotonic() - last < 3 * VISIBLE:
            fleet.until(lambda: False, seconds=1)
            length = kept.llen("effects")
            last, seen = (time.monotonic(), length) if length != seen else (last, seen)
        return Counter(kept.lrange("effects", 0, -1))
