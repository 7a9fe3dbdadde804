"""Workers of the benchmark: our whole pipeline over an EDR and channels that do nothing, and bare Celery's empty tasks."""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta

import redis
from celery import Celery
from celery.signals import worker_init

from ar_workers import bootstrap
from ar_workers.celery import CeleryDoorbell, app
from ar_workers.domain.capabilities import Capabilities, Capability, Means
from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.facts import Fact, Receipt, Sight
from ar_workers.domain.indicators import HashType
from ar_workers.domain.limits import Limits, Rate
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.pipeline.heartbeat import Heartbeat
from ar_workers.pipeline.services import Services

#: Lists of the isolate requests' times, as both sides write them.
MARKS = {"ours": "bench:ours", "bare": "bench:bare"}
VERBS = ("isolate", "ban_hash", "ban_domain", "kill_process", "delete_file", "delete_registry_key")


class NoopEDR:
    """Shows the effect as soon as it was asked for, and remembers when the isolation was."""

    vendor = Vendor.CROWDSTRIKE
    hash_types = (HashType.SHA256,)
    limits = Limits(rates=(Rate(calls=10**9, per=timedelta(minutes=1)),), wish="none", source="made up")

    def __init__(self, marks: redis.Redis | None) -> None:
        self._marks = marks

    @classmethod
    def capabilities(cls) -> tuple[Capability, ...]:
        return tuple(Capability(edr=cls.vendor, verb=verb, os=OS.WINDOWS, means=Means.NATIVE) for verb in VERBS)

    def endpoint(self, agent_id: str) -> Endpoint:
        return Endpoint(edr=self.vendor, agent_id=agent_id, hostname=agent_id, os=OS.WINDOWS, groups=frozenset({"Remediate"}))

    def members(self, group):
        return iter(())

    def observe(self, action, receipt: Receipt | None) -> Fact:
        return Fact(sight=Sight.SO if receipt else Sight.NOT_SO)

    def perform(self, action, seen: Fact) -> Receipt:
        if self._marks is not None and action.verb == "isolate":
            self._marks.hset(MARKS["ours"], action.endpoint.agent_id, time.time())
        return Receipt(reference="1")


class NoopChannel:
    """Accepts everything."""

    dedupes = marks_copies = True

    def send(self, delivery, delivery_id: str, *, thread: str = "") -> Result:
        return Result(answer=Answer.ACCEPTED, reference="1")

    def reconcile(self, delivery, delivery_id: str, *, thread: str = "") -> None:
        return None


def services(url: str, *, marks: bool) -> Services:
    """The pipeline with nothing behind it."""
    edr = NoopEDR(redis.Redis.from_url(url) if marks else None)
    ledger = bootstrap.ledger_at(url)
    return Services(
        ledger=ledger,
        doorbell=CeleryDoorbell(app),
        clock=bootstrap.SystemClock(),
        random=random.random,
        policies={"acme": Policy(customer="acme", remediate_groups={edr.vendor: frozenset({"Remediate"})}, isolations_per_hour=10**9)},
        edrs={("acme", edr.vendor): edr},
        capabilities=Capabilities(edr.capabilities(), {edr.vendor: edr.hash_types}),
        channels={"slack": NoopChannel(), "pagerduty": NoopChannel()},
        tre_receivers=(Receiver(channel="slack", address="tre"), Receiver(channel="pagerduty", address="tre")),
        lease=timedelta(seconds=60),
        heartbeat=Heartbeat(ledger, timedelta(seconds=60)),
    )


@worker_init.connect
def install(**_):
    bootstrap.use(services(os.environ["AR_REDIS_URL"], marks=os.environ.get("BENCH_MARKS") == "1"))


bare = Celery("bare", broker=os.environ.get("AR_REDIS_URL"))
bare.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    task_routes={"bare.isolate": {"queue": "isolation"}, "bare.*": {"queue": "ioc"}},
)
_marks = redis.Redis.from_url(os.environ.get("AR_REDIS_URL", "redis://127.0.0.1:6379/0"))


@bare.task(name="bare.isolate")
def bare_isolate(number: int) -> None:
    if os.environ.get("BENCH_MARKS") == "1":
        _marks.hset(MARKS["bare"], number, time.time())


@bare.task(name="bare.act")
def bare_act(number: int) -> None:
    """An empty task; the last of a threat counts."""


@bare.task(name="bare.deliver")
def bare_deliver(number: int) -> None:
    """An empty task."""
