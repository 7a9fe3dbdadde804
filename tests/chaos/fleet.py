"""Everything that runs in a storm: Redis, the simulator, workers and beats, watched, restarted, and all gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from ar_workers.bootstrap import doorbell_at
from ar_workers.cli.machine import ALONE
from ar_workers.cli.processes import Child, Crew
from ar_workers.cli.redis_server import RedisServer, free_port
from ar_workers.domain.canvas import Queue
from ar_workers.domain.errors import LedgerUnavailable
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.ingest import ingest
from tests.chaos.oracle import is_settled, judge
from tests.chaos.points import Points
from tests.chaos.tenants import customer_file
from tests.keys import PEOPLE, SEALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from ar_workers.domain.events import ThreatPublished
    from ar_workers.domain.rows import Row
    from tests.chaos.oracle import Verdict
    from tests.chaos.world import Campaign, Effect

ROOT = Path(__file__).parents[2]
QUEUES = ",".join(Queue)
#: Short waits in proportion: calls (1 + 2 s) fit into what a lease must still have, and that into the lease.
HASTE = {"CHAOS_LEASE": "6", "CHAOS_LEAST": "3.5", "CHAOS_GRACE": "1", "CHAOS_AGAIN": "3"}


class Troop:
    """Named processes, each restarted whenever it ends, with a crew of its own so that each may have its own environment."""

    folder: Path
    crews: dict[str, Crew]

    def add(self, name: str, environment: dict[str, str], *command: str) -> Child:
        """One more process."""
        self.crews[name] = Crew(environment, self.folder)
        return self.crews[name].add(name, *command)

    def child(self, name: str) -> Child:
        return self.crews[name].children[0]

    def children(self, *prefixes: str) -> list[Child]:
        return [crew.children[0] for name, crew in self.crews.items() if name.startswith(prefixes)]

    @staticmethod
    def is_ready(child: Child) -> bool:
        """Whether it takes messages, also after as many restarts as it had; its log goes on over these."""
        return child.is_alive and child.log.exists() and child.log.read_bytes().count(b" ready.") > child.restarts

    def mend(self) -> None:
        """Restart what has died."""
        for crew in self.crews.values():
            crew.mend()

    def restarts(self) -> int:
        """How often a worker ended and was started again."""
        return sum(child.restarts for child in self.children("worker"))

    def disband(self) -> None:
        """Kill every process; whatever was to be seen of them has been seen."""
        alive = [child.process for child in self.children("") if child.process and child.is_alive]
        for process in alive:
            process.kill()
        for process in alive:
            process.wait()

    def until(self, condition: Callable[[], bool], *agents: Callable[[], None], seconds: float = 60.0, mend: bool = True) -> bool:
        """Let the agents do their worst until the condition holds; False if it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for agent in agents:
                agent()
            if mend:
                self.mend()
            with contextlib.suppress(LedgerUnavailable, redis.RedisError):
                if condition():
                    return True
            time.sleep(0.05)
        return False


@dataclass
class Fleet(Troop):
    """One storm's processes. A context manager; nothing of it outlives the block, not even after Ctrl-C.

    `through_redis` and `through_edr` are ports of proxies that workers are to use instead of the real ones.
    """

    folder: Path
    campaign: Campaign
    workers: int = 2
    beats: int = 1
    #: Of each worker, as in production: more than one tenant's EDR may take.
    threads: int = 24
    speed: float = 20.0
    fsync: str = "everysec"
    settings: dict[str, str] = field(default_factory=lambda: dict(HASTE))
    per_worker: Sequence[dict[str, str]] = ()
    crews: dict[str, Crew] = field(default_factory=dict)
    through_redis: int | None = None
    through_edr: int | None = None
    redis_port: int | None = None
    edr_port: int | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.points = Points(self.folder)
        self.redis = RedisServer(self.folder / "redis", port=self.redis_port, fsync=self.fsync)
        try:
            self.redis.start()
            self._start_simulator()
            self._start_workers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.disband()
        self.redis.kill()

    @property
    def ledger(self) -> RedisLedger:
        return RedisLedger(connect(self.redis.url), seals=SEALS)

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url, decode_responses=True, socket_timeout=5)

    def add_worker(self, name: str, more: dict[str, str] | None = None, queues: str = QUEUES) -> Child:
        options = ("-P", "threads", "-c", str(self.threads), "-Q", queues, "-n", f"{name}@%h", "-l", "INFO", *ALONE)
        return self.add(name, self.environment | (more or {}), "celery", "-A", "tests.chaos.worker", "worker", *options)

    def add_beat(self, name: str) -> Child:
        options = ("-S", "tests.chaos.worker:Scheduler", "-l", "WARNING", "--pidfile=")
        return self.add(name, self.environment, "celery", "-A", "tests.chaos.worker", "beat", *options)

    def _start_simulator(self) -> None:
        world, ready = self.folder / "world.json", self.folder / "ready.json"
        world.write_text(json.dumps(self.campaign.world))
        self.journal_file = self.folder / "journal.ndjson"
        options = ("--world", world, "--speed", self.speed, "--journal", self.journal_file, "--ready-file", ready)
        ports = json.dumps({"crowdstrike": self.edr_port} if self.edr_port else {})
        more = ("--seed", str(self.campaign.seed), "--ports", ports)
        self.add("simulator", dict(os.environ), "ar_workers.simulator", *map(str, options), *more)
        self.until(ready.exists, seconds=30)
        self.addresses = json.loads(ready.read_text())
        self.environment = self._environment()

    def _environment(self) -> dict[str, str]:
        customers = self.folder / "customers"
        customers.mkdir(exist_ok=True)
        secrets = {}
        for name, vendor in self.campaign.vendors.items():
            url = f"http://127.0.0.1:{self.through_edr}" if self.through_edr else self.addresses[vendor]
            variable = f"{name.upper().replace('-', '_')}_EDR_SECRET"
            secrets[variable] = f"{name}-secret"
            (customers / f"{name}.toml").write_text(customer_file(name, vendor, url, variable))
        inboxes, mail = self.addresses["inboxes"], self.addresses["mail"].rpartition(":")
        port = self.through_redis or self.redis.port
        return {name: value for name, value in os.environ.items() if not name.startswith("AR_")} | secrets | self.settings | {
            "CHAOS_FOLDER": str(self.folder), "AR_KEYS": os.environ["AR_KEYS"], **PEOPLE, "PYTHONPATH": str(ROOT), "AR_REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "AR_CUSTOMERS": str(customers), "AR_CA_FILE": self.addresses["ca_pem"], "AR_SLACK_TOKEN": inboxes["slack"]["token"],
            "AR_SLACK_CHANNEL": inboxes["slack"]["channels"][0], "AR_SLACK_URL": self.addresses["slack"],
            "AR_PAGERDUTY_ROUTING_KEY": inboxes["pagerduty"]["routing_key"], "AR_PAGERDUTY_URL": self.addresses["pagerduty"],
            "AR_SMTP_HOST": mail[0], "AR_SMTP_PORT": mail[2], "AR_SMTP_USER": inboxes["mail"]["user"],
            "AR_SMTP_PASSWORD": inboxes["mail"]["password"], "AR_SMTP_FROM": "tre@ar.example",
        }  # fmt: skip

    def _start_workers(self) -> None:
        for number in range(self.workers):
            self.add_worker(f"worker{number}", self.per_worker[number] if number < len(self.per_worker) else None)
        for number in range(self.beats):
            self.add_beat(f"beat{number}")
        self.until(lambda: all(self.is_ready(each) for each in self.children("worker")), seconds=60)

    def publish(self, events: Sequence[ThreatPublished]) -> bool:
        """Ingest as a publisher does; False if Redis was away, and the same call again is safe."""
        with contextlib.suppress(LedgerUnavailable):
            ingest(self.ledger, doorbell_at(self.redis.url), self.campaign.with_notes(events))
            return True
        return False

    def publish_in_a_process(self, events: Sequence[ThreatPublished]) -> int:
        """The same by a process with crash points; returns its exit status, negative if it was killed."""
        path = self.folder / f"events-{events[0].id}.ndjson"
        path.write_text("\n".join(event.model_dump_json() for event in self.campaign.with_notes(events)))
        command = [sys.executable, "-m", "tests.chaos.publish", str(path)]
        return subprocess.run(command, env=self.environment, cwd=ROOT, check=False, capture_output=True, timeout=60).returncode

    def settled(self, events: Sequence[ThreatPublished]) -> Callable[[], bool]:
        """A condition: every row of these threats is settled, that of the note on one as well. It looks at a few threats per call."""
        left, ledger = deque(events), self.ledger

        def are_settled() -> bool:
            for _ in range(min(len(left), 40)):
                rows = ledger.rows(left[0].customer, left[0].threat_id)
                is_noted = any(row.verb == "email" for row in rows) or not self.campaign.note_on(left[0])
                if not rows or not is_noted or not all(map(is_settled, rows)):
                    left.rotate(-1)
                    return False
                left.popleft()
            return not left

        return are_settled

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the simulator's own door."""
        url = f"{self.addresses['control']}/_control/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", fault)

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal_file.read_text().splitlines()]

    def isolations(self, events: Sequence[ThreatPublished] | None = None) -> list[Row]:
        """Those of these threats, or of all."""
        ledger = self.ledger
        rows = [row for event in events or self.campaign.threats for row in ledger.rows(event.customer, event.threat_id)]
        return [row for row in rows if row.verb == "isolate"]

    def verdict(self, events: Sequence[ThreatPublished] | None = None) -> Verdict:
        """What the oracle says of everything that was published."""
        return self.verdict_on(events or self.campaign.threats, self.journal(), self.campaign.expected)

    def verdict_on(self, events: Sequence[ThreatPublished], journal: list[dict[str, Any]], expected: set[Effect]) -> Verdict:
        """The same of a part."""
        mailed = {event.threat_id for event in events if self.campaign.note_on(event)}
        return judge(self.ledger, journal, events, expected, mailed)


@contextlib.contextmanager
def proxied(folder: Path, target: int) -> Iterator[tuple[int, Path]]:
    """A proxy process before the port `target`: its own port, and the file that says what it does to connections."""
    port, mode = free_port(), folder / f"mode-{target}"
    folder.mkdir(parents=True, exist_ok=True)
    mode.write_text("pass")
    crew = Crew({**os.environ, "PYTHONPATH": str(ROOT)}, folder)
    crew.add(f"proxy-{target}", "tests.chaos.proxy", str(port), str(target), str(mode))
    try:
        yield port, mode
    finally:
        crew.stop()
