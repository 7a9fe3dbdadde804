"""One machine's processes: a Redis of its own if none is named, the workers (isolation has its own), beat and Flower."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.addresses import with_login
from ..domain.errors import ARError
from ..domain.redis_users import User
from .flower import flower, login_of, where_login_is
from .logins import NAME, made, url_of
from .private import private_folder
from .processes import Crew
from .redis_server import RedisServer, free_port
from .surroundings import of_beat, of_flower, of_worker, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Worker -> its queues and its threads. A thread waits for one EDR or provider at a time, so more of them cost little;
#: isolation and actions have more than one customer's EDR may take (`MOST_VISITS`), so that a flood leaves some.
WORKERS: dict[str, tuple[str, int]] = {
    "isolation": ("isolation", 24),
    "respond": ("respond", 4),
    "actions": ("ioc,notify", 24),
    "housekeeping": ("housekeeping", 4),
    "polling": ("polling", 16),
}
APP = ("celery", "-A", "ar_workers.celery")
#: Workers need not know of each other: the ledger tells who works on what. It saves a second at the start.
ALONE = ("--without-mingle", "--without-gossip")
START_DEADLINE = 60.0


@dataclass
class Machine:
    """Everything that runs on one machine. `folder` holds Redis's data and the logs; `redis` is None where another one is used."""

    folder: Path
    environment: dict[str, str]
    redis: RedisServer | None
    crew: Crew
    flower_port: int
    flower_login: str

    @property
    def redis_url(self) -> str:
        """Where the ledger is, for `arctl`."""
        return url_of(self.environment["AR_REDIS_URL"], User.ARCTL, self.folder)

    @property
    def flower_url(self) -> str:
        """Where operators watch the queues."""
        return f"http://127.0.0.1:{self.flower_port}/"

    @property
    def flower(self) -> str:
        """The same for people: they also need the login, and are told where it stands."""
        return f"Flower at {self.flower_url} (login in {where_login_is(self.folder, self.environment)})"

    def start(self) -> None:
        """Start the workers, beat and Flower; returns once the workers take messages."""
        for name, (queues, threads) in WORKERS.items():
            options = ("-P", "threads", "-c", str(threads), "-Q", queues, "-n", f"{name}@%h", "-E", "-l", "INFO", *ALONE)
            self.crew.add(name, *APP, "worker", *options, **of_worker(queues, self.environment, self.folder))
        self.crew.add("beat", *APP, "beat", "-l", "WARNING", "--pidfile=", **of_beat(self.environment, self.folder))
        self.crew.add("flower", *APP, *flower(self.flower_port), **of_flower(self.environment, self.folder, self.flower_login))
        self._wait_for_workers()

    def _wait_for_workers(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        for child in self.crew.children:
            while child.name in WORKERS and b" ready." not in child.log.read_bytes():
                if time.monotonic() > deadline or not child.is_alive:
                    raise ARError(f"worker {child.name} did not start: see {child.log}")
                time.sleep(0.05)

    def stop(self) -> None:
        """Workers first, so that they can still record what they did; Redis last."""
        self.crew.stop()
        if self.redis:
            self.redis.stop()


def set_up(folder: Path, environment: Mapping[str, str], *, redis_url: str | None = None) -> Machine:
    """A machine whose Redis runs already, so that it can be configured and filled before the workers start.

    Without `redis_url` it is one of its own, which nobody but its owner reaches.
    """
    logs = private_folder(private_folder(folder) / "log", with_all_in_it=True)
    login = login_of(folder, environment)
    server = None
    if redis_url is None:
        server = _own_redis(folder).start()
        redis_url = with_login(server.url, User.ARCTL, None)
    ours, crew = {**environment, "AR_REDIS_URL": redis_url}, Crew(plain(environment), logs)
    return Machine(folder=folder, environment=ours, redis=server, crew=crew, flower_port=free_port(), flower_login=login)


def _own_redis(folder: Path) -> RedisServer:
    fsync, memory = os.environ.get("AR_FSYNC", "everysec"), os.environ.get("AR_REDIS_MEMORY", "1gb")
    return RedisServer(folder / "redis", private=True, logins=made(folder / NAME), fsync=fsync, memory=memory)
