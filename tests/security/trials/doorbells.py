"""S1: messages to a real worker are replayed, mutated, swapped and made up; what was ordered is done once, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ar_workers.cli.machine import ALONE
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.canvas import Queue
from ar_workers.domain.indicators import IOC, FileHash, Process
from ar_workers.domain.states import TERMINAL, State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from tests.builders import an_endpoint, sha256
from tests.chaos.poison import message, readable_junk, unreadable_junk
from tests.pipeline.building import published
from tests.security.trials import worker
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import redis

    from ar_workers.domain.events import ThreatPublished
    from ar_workers.pipeline.services import Services
    from tests.security.trials.outcome import Outcome

ROOT = Path(__file__).parents[3]
QUEUES = tuple(map(str, Queue))
OURS = tuple(
    f"ar_workers.tasks.{name}"
    for name in ("respond", "isolate", "act", "deliver", "sweep", "compact", "remind", "end_pauses", "poll", "poll_feed", "recheck_edr")
)
STRANGE = ("celery.chain", "celery.group", "celery.chord", "celery.map", "celery.starmap", "celery.accumulate", "os.system", "")
THREATS, PER_PUSH = 12, 500
#: Seconds for the worker's start, and in which something must have become less.
PATIENCE = 120.0
#: What the worker's log says of a message that it does not take.
REFUSALS = ("is no message", "Received unregistered task", "raised unexpected")


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return rung(folder, seed, how_many)


def rung(folder: Path, seed: int, how_many: int, *, is_open: bool = False) -> Outcome:
    """Half of the forgeries come before what is honest, and half behind it. `is_open`: the ledger believes every doorbell."""
    chance = random.Random(f"doorbells/{seed}")
    with RedisServer(folder / "redis", fsync="no") as server:
        services = worker.services(server.url)
        client: redis.Redis = services.ledger._redis
        services.ledger.pause("globex", "*", "nothing of globex may happen")
        orders = Orders(services, THREATS)
        forger = Forger(chance, {queue: client.lrange(queue, 0, -1) for queue in QUEUES}, orders.names)
        for number in range(0, how_many, PER_PUSH):
            forged = [forger.message() for _ in range(min(PER_PUSH, how_many - number))]
            for queue, raw in forged:
                (client.lpush if chance.random() < 0.5 else client.rpush)(queue, raw)
        with _worker(folder, server.url, is_open=is_open) as process:
            _until(lambda: sum(client.llen(queue) for queue in QUEUES), process)
            if not is_open:  # it leaves rows behind for which nobody will ring
                orders.carry_out(process)
        asked, sent = (client.lrange(key, 0, -1) for key in (worker.EFFECTS, worker.SENT))
    log = (folder / "worker.log").read_text()
    refused = sum(log.count(each) for each in REFUSALS)
    through = orders.judged(asked, sent)
    assert is_open or orders.expected <= set(asked), f"ordered and not done: {sorted(orders.expected - set(asked))[:5]}"
    note = f"the rest came to nothing; {len(orders.expected):,} orders were carried out once each"
    return counted(how_many, refused, through, note)


class Orders:
    """Threats of two customers, planned, and rung for: those of one are paused, and one endpoint is protected."""

    def __init__(self, services: Services, number: int) -> None:
        self._services = services
        events = [_threat(f"{customer}-{n}", customer, f"PC-{n}") for customer in ("acme", "globex") for n in range(number)]
        events.append(_threat("acme-dc", "acme", worker.PROTECTED))
        ingest(services.ledger, services.doorbell, events)
        for event in events:
            respond(services, [f"{event.customer}:event/{event.id}"])
        self._events = events
        rows = self._rows()
        self.names = [row.id for row in rows] + [f"{event.customer}:event/{event.id}" for event in events]
        self.expected = {
            row.id for row in rows if row.kind == "action" and row.customer == "acme" and worker.PROTECTED not in (row.lane or "")
        }

    def carry_out(self, process: subprocess.Popen[bytes]) -> None:
        """Ring for what is left, as beat would, until all that may be done is. Raises AssertionError if it is not."""

        def left() -> int:
            found = [row for row in self._rows() if row.customer == "acme" and row.state not in TERMINAL | {State.HELD}]
            if found:
                sweep(self._services)
            return len(found)

        _until(left, process)
        _until(lambda: sum(self._services.ledger._redis.llen(queue) for queue in QUEUES), process)

    def judged(self, asked: Sequence[str], sent: Sequence[str]) -> list[str]:
        """What was asked for and not ordered, or twice."""
        strange = [f"not ordered: {each}" for each in asked if each not in self.expected]
        doubled = [f"{number} times: {each}" for found in (asked, sent) for each, number in Counter(found).items() if number > 1]
        return strange + doubled

    def _rows(self) -> list[Any]:
        ledger = self._services.ledger
        return [row for event in self._events for row in ledger.rows(event.customer, event.threat_id)]


def _threat(name: str, customer: str, hostname: str) -> ThreatPublished:
    hashed = IOC(indicator=FileHash(sha256=sha256(name)), confirmed_malicious=True, safe_to_act=True)
    process = Process(pid=4711, sha256=sha256("b"))
    kill = IOC(indicator=process, confirmed_malicious=True, safe_to_act=True, agent_id=hostname)
    threat = published().threat.model_copy(update={"id": name})
    return published(id=name, customer=customer, threat=threat, endpoints=(an_endpoint(hostname, agent_id=hostname),), iocs=(hashed, kill))


class Forger:
    """Somebody who may push into the queues, and has seen what stands there."""

    def __init__(self, chance: random.Random, seen: dict[str, list[str]], names: list[str]) -> None:
        self._chance, self._names = chance, names
        self._seen = [(queue, raw) for queue, found in seen.items() for raw in found]

    def message(self) -> tuple[str, str | bytes]:
        """A queue, and what is pushed there."""
        return self._chance.choice(self._ways)(self)

    def _ids(self) -> list[Any]:
        made = [f"acme:isolate:{self._chance.getrandbits(64):016x}", "acme:event/none", "../acme:isolate:1", "", "*"]
        names = self._chance.choices(self._names, k=self._chance.choice((1, 1, 2, 5, 20)))
        return [self._chance.choice((name, name, name, f"{name}.2", name.replace("acme", "globex"), *made)) for name in names]

    def _replayed(self) -> tuple[str, str]:
        return self._chance.choice(self._seen)

    def _elsewhere(self) -> tuple[str, str]:
        return self._chance.choice(QUEUES), self._replayed()[1]

    def _mutated(self) -> tuple[str, bytes]:
        queue, text = self._replayed()
        raw = bytearray(text.encode())
        for _ in range(self._chance.randint(1, 6)):
            at = self._chance.randrange(len(raw))
            raw[at : at + self._chance.randrange(2)] = self._chance.choice((b"", b'"', b"0", b"{", b",", self._chance.randbytes(1)))
        return queue, bytes(raw)

    def _body_mutated(self) -> tuple[str, str]:
        queue, text = self._replayed()
        document = json.loads(text)
        body = bytearray(base64.b64decode(document["body"]))
        body[self._chance.randrange(len(body))] = self._chance.randrange(256)
        return queue, json.dumps(document | {"body": base64.b64encode(body).decode()})

    def _task_swapped(self) -> tuple[str, str]:
        queue, text = self._replayed()
        document = json.loads(text)
        document["headers"]["task"] = self._chance.choice(OURS + STRANGE)
        return queue, json.dumps(document)

    def _made_up(self) -> tuple[str, str]:
        return self._chance.choice(QUEUES), message("x", self._chance.choice(OURS), self._ids())

    def _with_more(self) -> tuple[str, str]:
        """What Celery would do behind or beside a task: another signature, by whatever way."""
        another = {"task": self._chance.choice(OURS + STRANGE), "args": self._ids(), "kwargs": {}, "immutable": True}
        another |= {
            "options": {"queue": self._chance.choice(QUEUES)},
            "subtask_type": self._chance.choice((None, "group", "pipelined_group")),
        }
        embed: dict[str, Any] = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))
        embed[self._chance.choice(("callbacks", "errbacks", "chain"))] = [another]
        named = self._chance.choice(({}, {}, {"action_ids": self._ids()}, {"customer": "globex"}))
        body = base64.b64encode(json.dumps([self._ids(), named, embed]).encode()).decode()
        return self._chance.choice(QUEUES), message("x", self._chance.choice(OURS), [], body=body)

    def _junk(self) -> tuple[str, str | bytes]:
        queue = self._chance.choice(QUEUES)
        return queue, self._chance.choice([*unreadable_junk(self._chance, 0), *readable_junk(self._chance, queue)])

    _ways: tuple[Callable[[Forger], tuple[str, Any]], ...] = (
        _replayed, _elsewhere, _mutated, _body_mutated, _task_swapped, _made_up, _with_more, _junk,
    )  # fmt: skip


@contextmanager
def _worker(folder: Path, url: str, *, is_open: bool) -> Iterator[subprocess.Popen[bytes]]:
    """One process with one thread, so that what was taken first has come to its end first."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AR_")}
    variables |= {"AR_KEYS": os.environ["AR_KEYS"], "AR_REDIS_URL": url, "AR_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    variables["TRIAL"] = "open" if is_open else "closed"
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.security.trials.worker",
        "worker",
        "-P",
        "solo",
        "-Q",
        ",".join(QUEUES),
        "-l",
        "WARNING",
    ]
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen([*command, *ALONE], env=variables, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
    assert process.returncode == 0, "the worker did not end in order"


def _until(left: Callable[[], int], process: subprocess.Popen[bytes]) -> None:
    """Wait until nothing is left. Raises AssertionError if a worker has died, or it has not become less for long."""
    least, deadline = left(), time.monotonic() + PATIENCE
    while least:
        assert process.poll() is None, "the worker has ended"
        assert time.monotonic() < deadline, f"it does not come to an end: {least} are left"
        time.sleep(0.05)
        now = left()
        if now < least:
            least, deadline = now, time.monotonic() + PATIENCE
