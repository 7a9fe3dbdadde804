"""S6: a kill switch is closed, or cannot be read any more, while four workers are busy; what is asked afterwards is not begun."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import redis

from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import ARError
from ar_workers.domain.indicators import IOC, FileHash
from ar_workers.domain.policies import Policy
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.switches import key_of
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from tests.builders import an_endpoint, sha256
from tests.fakes import FakeEDR, some_services
from tests.keys import SEALS
from tests.pipeline.building import published
from tests.security.forging import CUSTOMERS, GROUPS
from tests.security.trials.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ar_workers.domain.events import ThreatPublished
    from ar_workers.pipeline.services import Services

WORKERS, THREATS = 4, 40
#: Seconds after which nothing may begin any more, and for which work goes on to show it.
LATEST, GOES_ON = 1.0, 1.4
#: Seconds of one call.
SLOW = 0.004


@dataclass
class Effect:
    customer: str
    verb: str
    #: By one monotonic clock: when the worker last asked the ledger, and when the EDR was asked.
    allowed_at: float
    at: float


class Asking:
    """A ledger, and when each thread last asked it for a row or a word."""

    def __init__(self, ledger: RedisLedger) -> None:
        self._ledger, self.asked = ledger, threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def claim(self, *arguments: Any, **options: Any) -> Any:
        self.asked.at = time.monotonic()
        return self._ledger.claim(*arguments, **options)

    def begin(self, *arguments: Any, **options: Any) -> Any:
        self.asked.at = time.monotonic()
        return self._ledger.begin(*arguments, **options)


@dataclass
class WatchedEDR(FakeEDR):
    """Takes a while, and keeps when it was asked for what."""

    asked: Any = None
    slow: float = SLOW
    seen: list[Effect] = field(default_factory=list)

    def endpoint(self, agent_id: str) -> Any:
        return an_endpoint(agent_id, agent_id=agent_id)

    def perform(self, action: Any, seen: Any) -> Any:
        self.seen.append(Effect(action.customer, action.verb, self.asked.at, time.monotonic()))
        time.sleep(self.slow)
        return super().perform(action, seen)


#: How everything stops -> the customer and the verb that alone are meant, or all.
FLIPS = {
    "everyone": ("", ""),
    "a customer": ("acme", ""),
    "a verb of everyone's": ("", "ban_hash"),
    "a verb of a customer's": ("acme", "isolate"),
    "everyone's switch is spoiled": ("", ""),
    "a customer's switch is spoiled": ("acme", ""),
}


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return flipped(RedisLedger, folder, seed, how_many)


def flipped(
    kind: type[RedisLedger], folder: Path, seed: int, how_many: int, *, flips: Sequence[str] = tuple(FLIPS), slow: float = SLOW
) -> Outcome:
    """So many flips, of each kind in turn, over a ledger of this kind and EDRs that are so slow."""
    chance, through, late, held = random.Random(f"switches/{seed}"), [], 0.0, 0
    with RedisServer(folder / "redis", fsync="no") as server:
        for number in range(how_many):
            connect(server.url).flushall()
            floor = Floor(kind, server.url, number, slow)
            found = floor.flipped(flips[number % len(flips)], chance.uniform(0.03, 0.2))
            through += found.through
            late, held = max(late, found.last), held + found.held
    note = f"{held:,} actions stayed undone; the last began {late:.2f} s after its flip (the worker had asked before or at once)"
    return Outcome(how_many, how_many - len(through), len(through), note, "\n".join(through[:20]))


@dataclass
class Found:
    """What was begun too late, when the last began after the flip in seconds, and how many rows stayed undone."""

    through: list[str]
    last: float
    held: int


class Floor:
    """Four workers with a ledger each over one Redis, and threats of two customers."""

    def __init__(self, kind: type[RedisLedger], url: str, number: int, slow: float) -> None:
        self._client = connect(url)
        self._workers = [self._worker(kind, url, slow) for _ in range(WORKERS)]
        first, _ = self._workers[0]
        events = [_threat(customer, f"{number}-{n}") for customer in CUSTOMERS for n in range(THREATS)]
        first.ledger.accept(events)
        for event in events:
            respond(first, [f"{event.customer}:event/{event.id}"])
        rows = [row for event in events for row in first.ledger.rows(event.customer, event.threat_id) if row.kind == "action"]
        self._rows = {row.id: row for row in rows}

    @staticmethod
    def _worker(kind: type[RedisLedger], url: str, slow: float) -> tuple[Services, WatchedEDR]:
        ledger = Asking(kind(connect(url, patience=0), seals=SEALS, watches_memory=False))
        edr = WatchedEDR(asked=ledger.asked, slow=slow)
        policy = Policy(
            customer="acme", remediate_groups=GROUPS, isolations_per_hour=10_000, isolations_percent_of_group=100, bans_per_day=10_000
        )
        policies = {name: policy.model_copy(update={"customer": name}) for name in CUSTOMERS}
        edrs = {(name, Vendor.CROWDSTRIKE): edr for name in CUSTOMERS}
        return some_services(ledger=ledger, edr=edr, policies=policies, edrs=edrs), edr

    def flipped(self, how: str, after: float) -> Found:
        """Work begins, so many seconds later something is flipped, and work is asked for on and on."""
        until: list[float] = []
        threads = [threading.Thread(target=self._work, args=(services, place, until)) for place, (services, _) in enumerate(self._workers)]
        for thread in threads:
            thread.start()
        time.sleep(after)
        _flip(self._client, self._workers[0][0], how)
        at = time.monotonic()
        until.append(at + GOES_ON)
        for thread in threads:
            thread.join()
        customer, verb = FLIPS[how]
        effects = [each for _, edr in self._workers for each in edr.seen]
        meant = [each for each in effects if customer in {"", each.customer} and verb in {"", each.verb}]
        through = [f"{how}: {each.verb} of {each.customer}, {each.at - at:.2f} s after it" for each in meant if _is_late(each, at)]
        wanted = [row for row in self._rows.values() if customer in {"", row.customer} and verb in {"", row.verb}]
        undone = len(wanted) - len(meant)
        assert through or undone > 0, "everything was done before the flip, which shows nothing"
        return Found(through, max((each.at - at for each in meant), default=0.0), undone)

    def _work(self, services: Services, place: int, until: list[float]) -> None:
        """Rings for every row, again and again, each worker from another one on."""
        names = list(self._rows)
        names = names[place * len(names) // WORKERS :] + names[: place * len(names) // WORKERS]
        while not until or time.monotonic() < until[0]:
            for name in names:
                with contextlib.suppress(ARError, redis.RedisError):
                    execute(services, [name])
                if until and time.monotonic() > until[0]:
                    return


def _is_late(effect: Effect, flip: float) -> bool:
    """Who asks after the flip may be told by what was read a moment before; a second later nobody is. Who had asked before it, and was
    kept from the processor for a second, is no fault of the switch.
    """
    return effect.at > flip + LATEST and effect.allowed_at > flip


def _flip(client: redis.Redis, services: Services, how: str) -> None:
    pause: Callable[..., Any] = services.ledger.pause
    match how:
        case "everyone":
            pause(None, "*", "stop")
        case "a customer":
            pause("acme", "*", "stop")
        case "a verb of everyone's":
            pause(None, "verb:ban_hash", "stop")
        case "a verb of a customer's":
            pause("acme", "verb:isolate", "stop")
        case "everyone's switch is spoiled":
            client.set(key_of(None), "x")
        case "a customer's switch is spoiled":
            client.set(key_of("acme"), "x")


def _threat(customer: str, name: str) -> ThreatPublished:
    hashed = IOC(indicator=FileHash(sha256=sha256(f"{customer}{name}")), confirmed_malicious=True, safe_to_act=True)
    threat = published().threat.model_copy(update={"id": f"T-{name}"})
    return published(
        id=f"e{name}", customer=customer, threat=threat, endpoints=(an_endpoint(name, agent_id=f"{customer}{name}"),), iocs=(hashed,)
    )
