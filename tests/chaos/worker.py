"""`celery -A tests.chaos.worker worker`: ordinary Services with crash points around their ports, and a short lease."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.beat import Scheduler as StockScheduler
from celery.signals import worker_init

from ar_workers import bootstrap, transport
from ar_workers.celery import app
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.heartbeat import Heartbeat
from ar_workers.settings import load_settings
from bench import noop
from tests.chaos.points import Crashing, Points, Watched
from tests.keys import SEALS

POINTS = Points(Path(os.environ.get("CHAOS_FOLDER", ".")))


def seconds(name: str, default: float) -> timedelta:
    return timedelta(seconds=float(os.environ.get(name, default)))


def services() -> Any:
    """What `bootstrap` wires (or, for floods, an EDR that does nothing), wrapped."""
    url = os.environ["AR_REDIS_URL"]
    plain = noop.services(url) if os.environ.get("CHAOS_NOOP") else bootstrap.build(load_settings(os.environ))
    ledger = RedisLedger(connect(url), grace=seconds("CHAOS_GRACE", 5), least_remaining=seconds("CHAOS_LEAST", 10), seals=SEALS)
    watched, lease = Watched(ledger, POINTS, seconds("CHAOS_AGAIN", 15)), seconds("CHAOS_LEASE", 24)
    changes: dict[str, Any] = {"ledger": watched, "lease": lease, "heartbeat": Heartbeat(watched, lease)}
    if os.environ.get("CHAOS_NOOP"):
        changes |= _many_tenants(plain)
    else:
        changes |= {
            "doorbell": Crashing(plain.doorbell, "doorbell", POINTS),
            "edrs": {key: Crashing(each, "edr", POINTS) for key, each in plain.edrs.items()},
            "channels": {key: Crashing(each, "channel", POINTS) for key, each in plain.channels.items()},
        }
    return dataclasses.replace(plain, **changes)


def _many_tenants(plain: Any) -> dict[str, Any]:
    policy, edr = next(iter(plain.policies.values())), next(iter(plain.edrs.values()))
    names = os.environ["CHAOS_NOOP"].split(",")
    return {
        "policies": {name: policy.model_copy(update={"customer": name}) for name in names},
        "edrs": {(name, edr.vendor): edr for name in names},
    }


@worker_init.connect
def install(**_: Any) -> None:
    try:
        bootstrap.use(services())
    except Exception as error:
        sys.exit(f"the chaos worker is not wired: {error}")


class Channel(transport.Channel):
    """Ours, with the point at which a message is out of Redis and in nobody's hands."""

    def _hand_over(self, key: str, raw: Any) -> None:
        POINTS.hit("before:transport.hand_over")
        super()._hand_over(key, raw)
        POINTS.hit("after:transport.hand_over")


class Transport(transport.Transport):
    Channel = Channel


class Scheduler(StockScheduler):
    """Beat, with a point around each sending."""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        POINTS.hit("before:beat.send")
        answer = super().apply_async(*args, **options)
        POINTS.hit("after:beat.send")
        return answer


if os.environ.get("AR_TRANSPORT") != "stock":
    app.conf.broker_transport = f"{__name__}:Transport"
