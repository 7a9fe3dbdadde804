"""A pipeline, and the Redis behind it, to which somebody may write who has no key."""

from __future__ import annotations

import time
from datetime import timedelta

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.policies import Policy
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from ar_workers.seals import Seals
from tests.clocks import ManualClock, a_ledger, by_hand
from tests.fakes import FakeEDR, some_services
from tests.keys import Everybody, a_ring
from tests.pipeline.building import FIN, published

GROUPS = {Vendor.CROWDSTRIKE: frozenset({"Remediate"})}
CUSTOMERS = ("acme", "globex")
LIFE = timedelta(days=1)
LONG_AGO = timedelta(days=31).total_seconds()


def a_long_time_ago():
    return time.time() - LONG_AGO


class Scene:
    """Two customers with one EDR, whose effects are all that counts. `policy` is that of both."""

    def __init__(self, policy=None, **seals):
        self.ring, self.people, self.clock = a_ring(), Everybody(), ManualClock()
        self.edr = FakeEDR(endpoints={FIN.agent_id: FIN})
        self.ledger = a_ledger(self.clock, seals=Seals(self.ring, people=self.people, **seals))
        self.redis = self.ledger._redis
        policy = policy or Policy(customer="acme", remediate_groups=GROUPS, isolations_percent_of_group=100)
        policies = {name: policy.model_copy(update={"customer": name}) for name in CUSTOMERS}
        edrs = {(name, Vendor.CROWDSTRIKE): self.edr for name in CUSTOMERS}
        self.services = some_services(clock=self.clock, ledger=self.ledger, edr=self.edr, policies=policies, edrs=edrs)

    def ledger_with(self, ring=None, people=None, **more):
        """The same ledger, written to by somebody with other keys or another clock."""
        options = {"grace": timedelta(0), "switch_lives": timedelta(0), "watches_memory": False, "read_script": by_hand}
        return RedisLedger(self.redis, seals=Seals(ring or self.ring, people=people or self.people, **more), **options)

    def planned(self, *events, by=None):
        """Published and planned, and not yet carried out: the rows of actions by their verbs."""
        for event in events or [published()]:
            (by or self.ledger).accept([event])
            respond(self.services, [f"{event.customer}:event/{event.id}"])
        self.services.doorbell.rings.clear()
        return {row.verb: row.id for row in self.ledger.rows("acme", "THREAT-1") if row.kind == "action"}

    def key(self, row_id, customer=None):
        return f"{prefix(customer or row_id.partition(':')[0])}row:{row_id}"

    def written(self, row_id, **fields):
        """Somebody writes into a row."""
        self.redis.hset(self.key(row_id), mapping=fields)

    def work(self, *row_ids):
        execute(self.services, row_ids)

    def play(self):
        """All that is due is done, for an hour."""
        for _ in range(10):
            sweep(self.services)
            self.services.doorbell.answer(self.services)
            self.clock.advance(timedelta(minutes=6))

    @property
    def effects(self):
        return self.edr.effects

    def fate(self, row_id):
        """State and reason."""
        row = self.ledger.row(row_id)
        return str(row.state), row.reason
