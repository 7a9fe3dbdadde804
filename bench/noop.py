"""Workers of the benchmark: our whole pipeline over an EDR and channels that do nothing, or that take their time.

`python -m celery -A bench.noop` reads: BENCH_CUSTOMERS (how many), BENCH_EDR_MS (how long each call of an EDR takes),
BENCH_FLOOD_MS (the same for the customer `flood`), BENCH_MARKS=1 (write down when each isolation was asked for),
BENCH_OFF (see `bench.switches`).
"""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from pathlib import Path

import redis
from celery.signals import worker_init

from ar_workers import bootstrap, receivers
from ar_workers.celery import CeleryDoorbell, app
from ar_workers.domain.capabilities import Capabilities, Capability, Means
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.indicators import HashType
from ar_workers.domain.limits import Limits, Rate
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.lists import NAME, Shelf
from ar_workers.pipeline.heartbeat import Heartbeat
from ar_workers.pipeline.services import Services
from bench import switches
from bench.peers.stage import Tally
from bench.threats import GROUP

MARKS = "bench:isolated"
FLOOD = "flood"
VERBS = ("isolate", "ban_hash", "ban_domain", "kill_process", "delete_file", "delete_registry_key")
#: Calls of the EDR by one action: look, read the endpoint anew, ask, look.
CALLS_PER_ACTION = 4


class NoopEDR:
    """Shows the effect as soon as it was asked for."""

    vendor = Vendor.CROWDSTRIKE
    hash_types = (HashType.SHA256,)
    limits = Limits(rates=(Rate(calls=10**9, per=timedelta(minutes=1)),), on_429="none", source="made up")

    def __init__(self, seconds: float, tally: Tally | None, marks: redis.Redis | None) -> None:
        self._seconds, self._tally, self._marks = seconds, tally, marks

    @classmethod
    def capabilities(cls) -> tuple[Capability, ...]:
        return tuple(Capability(edr=cls.vendor, verb=verb, os=OS.WINDOWS, means=Means.NATIVE) for verb in VERBS)

    def endpoint(self, agent_id: str) -> Endpoint:
        self._take_time()
        return Endpoint(edr=self.vendor, agent_id=agent_id, hostname=agent_id, os=OS.WINDOWS, groups=frozenset({GROUP}))

    def members(self, group):
        return iter(())

    def observe(self, action, receipt: Receipt | None) -> Fact:
        self._take_time()
        return Fact(sight=Sight.PRESENT if receipt else Sight.ABSENT)

    def perform(self, action, seen: Fact) -> Receipt:
        if self._marks is not None and action.verb == "isolate":
            self._marks.hset(MARKS, action.endpoint.agent_id, time.time())
        self._take_time()
        if self._tally:
            self._tally.add()
        return Receipt(reference="1")

    def _take_time(self) -> None:
        if self._seconds:
            time.sleep(self._seconds)


class NoopChannel:
    """Accepts everything."""

    dedupes = marks_copies = True

    def __init__(self, tally: Tally | None) -> None:
        self._tally = tally

    def send(self, delivery, delivery_id: str, *, thread: str = "") -> Result:
        if self._tally:
            self._tally.add()
        return Result(answer=Answer.ACCEPTED, reference="1")

    def reconcile(self, delivery, delivery_id: str, *, thread: str = "") -> None:
        return None


def customers() -> list[str]:
    return ["acme", *(f"acme{number}" for number in range(1, int(os.environ.get("BENCH_CUSTOMERS", "1")))), FLOOD]


def services(url: str, doorbell=None, *, tally: Tally | None = None) -> Services:
    """The pipeline with nothing behind it."""
    marks = redis.Redis.from_url(url) if os.environ.get("BENCH_MARKS") == "1" else None
    usual, flooded = (float(os.environ.get(f"BENCH_{name}_MS", "0")) / 1000 for name in ("EDR", "FLOOD"))
    edrs = {(name, NoopEDR.vendor): NoopEDR(flooded if name == FLOOD else usual, tally, marks) for name in customers()}
    groups = {NoopEDR.vendor: frozenset({GROUP})}
    ledger = bootstrap.ledger_at(url)
    return Services(
        ledger=ledger,
        doorbell=doorbell or CeleryDoorbell(app),
        clock=bootstrap.SystemClock(),
        random=random.random,
        policies={
            name: Policy(
                customer=name, remediate_groups=groups, isolations_per_hour=10**9, bans_per_day=10**9, isolations_percent_of_group=100
            )
            for name in customers()
        },
        edrs=edrs,
        capabilities=Capabilities(NoopEDR.capabilities(), {NoopEDR.vendor: NoopEDR.hash_types}),
        channels={("tre", "slack"): NoopChannel(tally), ("tre", "pagerduty"): NoopChannel(tally)},
        tre_receivers=receivers.TRE_RECEIVERS,
        lease=timedelta(seconds=60),
        heartbeat=Heartbeat(ledger, timedelta(seconds=60)),
        well_known=Shelf(Path(os.environ.get("AR_HOME", "/nowhere")) / NAME),
        compact_after=timedelta(hours=float(os.environ.get("AR_COMPACT_HOURS", "72"))),
    )


@worker_init.connect
def install(**_) -> None:
    os.environ.setdefault("BENCH_REDIS_URL", os.environ["AR_REDIS_URL"])
    bootstrap.use(services(os.environ["AR_REDIS_URL"], tally=Tally()))


switches.throw(os.environ.get("BENCH_OFF", ""))
