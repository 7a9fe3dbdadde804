"""R10 and R11: a flood of events, and one event over and over."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ar_workers.bootstrap import doorbell_at
from ar_workers.domain.events import parse_event
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from tests.chaos.fleet import HASTE, Fleet
from tests.chaos.report import Outcome, percentile
from tests.chaos.world import Campaign
from tests.fakes import some_services
from tests.keys import SEALS

if TYPE_CHECKING:
    import redis

PUBLISHERS, BATCH = 8, 100
#: Events a second that a flood brings: twice what has to be taken.
PACE, WAVE = 1_000, 200


def one_event_again(client: redis.Redis, url: str, seed: int, *, times: int) -> Outcome:
    """R11: the same event by eight publishers, its fields in another order each time."""
    campaign = Campaign(seed, tenants=["acme"])
    event = campaign.add(1)[0]
    ledger, document = RedisLedger(connect(url), seals=SEALS), event.model_dump(mode="json")
    ledger.accept([event])
    respond(some_services(ledger=ledger), [f"acme:event/{event.id}"])
    rows = len(ledger.rows("acme", event.threat_id))
    before, started = client.info("memory")["used_memory"], time.perf_counter()
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        answers = [each for found in pool.map(lambda n: _published(ledger, document, n), range(times // BATCH)) for each in found]
    took = time.perf_counter() - started
    growth = client.info("memory")["used_memory"] - before
    respond(some_services(ledger=ledger), [f"acme:event/{event.id}"])
    new = answers.count(Acceptance.NEW)
    same = len(ledger.rows("acme", event.threat_id)) == rows
    counts = {"sent": len(answers), "new": new, "conflicts": answers.count(Acceptance.CONFLICT), "rows": rows, "growth_kib": growth // 1024}
    passed = same and set(answers) == {Acceptance.DUPLICATE} and growth <= 2**20
    rate = len(answers) / took
    figure = "1 set of actions; Redis grows <= 1 MiB; >= 2 000/s"
    return Outcome("R11", f"one event {times} times", seed, figure, passed, {**counts, "per_second": rate}, timely=rate >= 2000)


def _published(ledger: RedisLedger, document: dict[str, Any], number: int) -> list[Acceptance]:
    chance = random.Random(number)
    return ledger.accept([parse_event(json.loads(_shuffled(document, chance))) for _ in range(BATCH)])


def _shuffled(document: dict[str, Any], chance: random.Random) -> str:
    names = list(document)
    chance.shuffle(names)
    return json.dumps({name: document[name] for name in names})


def flood(folder: Path, seed: int, *, events: int, tenants: int) -> Outcome:
    """R10: unique events of many tenants, nine tenths of them of one, over an EDR that answers at once."""
    names = [f"t{number:02}" for number in range(tenants)]
    chance = random.Random(f"flood/{seed}")
    campaign = Campaign(seed, tenants=names, iocs=0)
    settings = {**HASTE, "CHAOS_NOOP": ",".join(names), "CHAOS_LEASE": "24", "CHAOS_LEAST": "10", "AR_COMPACT_HOURS": "0"}
    with Fleet(folder, campaign, settings=settings, fsync="always") as fleet:
        wave = [_renamed(event, chance.choice(names[1:]) if chance.random() < 0.1 else names[0]) for event in campaign.add(events)]
        started = time.perf_counter()
        ledger = fleet.ledger
        doorbell = doorbell_at(fleet.redis.url)
        accepted = 0
        for at in range(0, events, WAVE):
            time.sleep(max(0.0, started + at / PACE - time.perf_counter()))
            accepted += ingest(ledger, doorbell, wave[at : at + WAVE]).count(Acceptance.NEW)
        rate = accepted / (time.perf_counter() - started)
        settled = fleet.until(fleet.settled(wave), seconds=300 + events / 20)
        used = fleet.client.info("memory")["used_memory_peak"] / 2**20
        rss = max(_rss(child.process.pid) for child in fleet.children("worker") if child.process)
        small = [_wait(ledger, event) for event in wave if event.customer != names[0]]
        doubled = sum(len(ledger.rows(event.customer, event.threat_id)) != 3 for event in chance.sample(wave, min(2000, events)))
    p95 = percentile(small, 0.95)
    sound = accepted == events and settled and not doubled and rss <= 200 and used <= 512
    counts = {
        "accepted": accepted,
        "settled": settled,
        "wrong": doubled,
        "per_second": rate,
        "rss_mib": rss,
        "redis_mib": used,
        "small_p95": p95,
    }
    figure = "0 lost; >= 500/s; RSS <= 200 MiB; Redis <= 512 MiB; small tenants' p95 <= 5 s"
    return Outcome("R10", f"{events} events, {tenants} tenants", seed, figure, sound, counts, timely=rate >= 500 and p95 <= 5)


def _renamed(event: Any, customer: str) -> Any:
    return event.model_copy(update={"customer": customer})


def _wait(ledger: RedisLedger, event: Any) -> float:
    record = ledger.threat(event.customer, event.threat_id)
    rows = [row for row in ledger.rows(event.customer, event.threat_id) if row.verb == "isolate" and row.settled_at]
    return (rows[0].settled_at - record.accepted_at).total_seconds() if rows and record else float("inf")


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
