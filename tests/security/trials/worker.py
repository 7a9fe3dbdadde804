"""`celery -A tests.security.trials.worker worker`: our tasks over EDRs and channels that write down in Redis whatever they are asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ar_workers import bootstrap
from ar_workers.celery import CeleryDoorbell, app, celery_at
from ar_workers.domain.actions import identity
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.policies import Policy
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import prefix
from tests.builders import an_endpoint
from tests.fakes import FakeChannel, FakeEDR, some_services
from tests.keys import SEALS
from tests.security.forging import CUSTOMERS, GROUPS

if TYPE_CHECKING:
    from ar_workers.domain.endpoints import Endpoint
    from ar_workers.pipeline.services import Services

#: Lists of rows' ids: what the EDRs were asked for, and what was sent.
EFFECTS, SENT = "trial:effects", "trial:sent"
PROTECTED = "DC-1"


@dataclass
class ForgetfulEDR(FakeEDR):
    """Shows an effect to nobody but who has its receipt: that nothing is asked twice is the ledger's work alone."""

    redis: Any = None
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    def endpoint(self, agent_id: str) -> Endpoint:
        return an_endpoint(agent_id, edr=Vendor.CROWDSTRIKE, agent_id=agent_id)

    def observe(self, action: Any, receipt: Any) -> Fact:
        return Fact(sight=Sight.PRESENT if receipt else Sight.ABSENT)

    def perform(self, action: Any, seen: Fact) -> Any:
        self.redis.rpush(EFFECTS, identity(action))
        return super().perform(action, seen)


@dataclass
class MarkingChannel(FakeChannel):
    redis: Any = None

    def send(self, delivery: Any, delivery_id: str, *, thread: str = "") -> Any:
        self.redis.rpush(SENT, delivery_id)
        return super().send(delivery, delivery_id, thread=thread)


class CredulousLedger(RedisLedger):
    """An open guard: whatever is rung for is to be done, though it was done."""

    def claim(self, row_ids: Any, **options: Any) -> Any:
        for row_id in row_ids:
            key = f"{prefix(row_id.partition(':')[0])}row:{row_id}"
            if self._redis.hget(key, "state") == "done":
                self._redis.hset(key, mapping={"state": "pending", "next_at": "0", "receipt": ""})
        return super().claim(row_ids, **options)


def services(url: str, *, is_open: bool = False) -> Services:
    """Two customers over the Redis at `url`."""
    client = connect(url)
    ledger = (CredulousLedger if is_open else RedisLedger)(client, seals=SEALS)
    policy = Policy(
        customer="acme",
        remediate_groups=GROUPS,
        protected_endpoints=frozenset({PROTECTED}),
        isolations_per_hour=10_000,
        isolations_percent_of_group=100,
    )
    return some_services(
        ledger=ledger,
        doorbell=CeleryDoorbell(celery_at(url)),
        policies={name: policy.model_copy(update={"customer": name}) for name in CUSTOMERS},
        edrs={(name, Vendor.CROWDSTRIKE): ForgetfulEDR(redis=client) for name in CUSTOMERS},
        channels={name: MarkingChannel(redis=client) for name in ("slack", "pagerduty", "email")},
        sleep=lambda _: None,
    )


if "TRIAL" in os.environ:
    bootstrap.use(services(os.environ["AR_REDIS_URL"], is_open=os.environ["TRIAL"] == "open"))

__all__ = ["app"]
