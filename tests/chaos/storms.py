"""R2, R3, R19: processes and Redis die again and again under load. And the same storm over plain Celery chains."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.fleet import HASTE, Fleet
from tests.chaos.killer import WEIGHTS, Killer, RedisKiller, Roller, reclaims
from tests.chaos.report import Outcome, asked_after, of, percentile, seen_after
from tests.chaos.world import OTHERS, Campaign

if TYPE_CHECKING:
    from pathlib import Path

    from ar_workers.domain.rows import Row
    from tests.chaos.oracle import Verdict

#: The waits of the full form: production's own.
SLOW = {"CHAOS_LEASE": "24", "CHAOS_LEAST": "10", "CHAOS_GRACE": "5", "CHAOS_AGAIN": "15"}

#: Seconds until what is not settled counts as lost; how long it took is a figure of its own.
PATIENCE = 900
#: So many that what a vendor allows a tenant is not what a storm is slowed down by.
MANY = ("acme", "globex", "umbrella", "tyrell", "cyberdyne", "soylent")
#: A vendor slow enough that whoever dies has something in hand.
SLUGGISH = {"action": "delay", "vendor": "crowdstrike", "probability": 0.3, "seconds": 0.3, "label": "sluggish"}


@dataclass
class Publisher:
    """Publishes `batch` threats every so many seconds, and again what Redis was not there to accept."""

    fleet: Fleet
    batch: int
    every: float = 1.0
    at: int = 0
    _next: float = 0.0

    def __call__(self) -> None:
        events = self.fleet.campaign.threats[self.at : self.at + self.batch]
        if events and time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every
            self.at += len(events) if self.fleet.publish(events) else 0

    def is_done(self) -> bool:
        return self.at >= len(self.fleet.campaign.threats)


def kill_storm(  # noqa: PLR0913 - a storm is many numbers
    folder: Path,
    seed: int,
    *,
    threats: int,
    strikes: int,
    workers: int,
    batch: int,
    settings: dict[str, str],
    weights: tuple[float, float, float] = WEIGHTS,
) -> Outcome:
    """R2. `weights` are the shares of SIGKILL, freezes and SIGTERM."""
    campaign = Campaign(seed, MANY, others=OTHERS, noted=4)
    campaign.add(threats)
    with Fleet(folder, campaign, workers=workers, beats=2, settings=settings) as fleet:
        fleet.fault(**SLUGGISH)
        killer = Killer(fleet, seed, most=strikes, longest_freeze=1.5 * float(settings["CHAOS_LEASE"]), weights=weights)
        publisher = Publisher(fleet, batch)
        fleet.until(lambda: publisher.is_done() and killer.done >= strikes, killer, publisher, seconds=60 + 4 * strikes + threats)
        killer.stop()
        calm = time.monotonic()
        fleet.until(fleet.settled(campaign.threats), seconds=PATIENCE)
        rest = time.monotonic() - calm
        verdict, gaps = fleet.verdict(), reclaims(folder, killer.kills)
    slowest = percentile(gaps, 0.99)
    return of(
        "R2", f"kill storm, {len(campaign.expected)} actions, {workers} workers", seed, verdict, timely=slowest <= 30 and rest <= 60,
        figure="0 lost, 0 doubled; re-claim p99 <= 30 s; settled <= 60 s after the last kill",
        strikes=killer.done, kills=len(killer.kills), reclaimed=len(gaps), reclaim_p99=slowest, settled_after=rest,
    )  # fmt: skip


def redis_storm(folder: Path, seed: int, *, threats: int, kills: int, pauses: tuple[float, float], batch: int, outage: float) -> Outcome:
    """R3: nobody restarts a worker by hand."""
    campaign = Campaign(seed)
    campaign.add(threats)
    with Fleet(folder, campaign, settings=HASTE) as fleet:
        killer, publisher = RedisKiller(fleet, seed, pauses=pauses, most=kills), Publisher(fleet, batch)
        fleet.until(lambda: publisher.is_done() and killer.done >= kills, killer, publisher, seconds=120 + kills * 45 + threats, mend=False)
        killer.back()
        if outage:
            fleet.redis.kill()
            time.sleep(outage)
            fleet.redis.start()
        calm = time.monotonic()
        fleet.until(fleet.settled(campaign.threats), seconds=PATIENCE, mend=False)
        rest = time.monotonic() - calm
        ended = [child.name for child in fleet.children("worker", "beat") if not child.is_alive]
        verdict = fleet.verdict()
    outcome = of(
        "R3", f"Redis killed and restarted, {len(campaign.expected)} actions", seed, verdict, also=not ended, timely=rest <= 60,
        figure="0 lost, 0 doubled, no manual restart; consumption resumes <= 60 s",
        kills=killer.done, ended=len(ended), settled_after=rest,
    )  # fmt: skip
    outcome.evidence += f"\nended: {ended}" if ended else ""
    return outcome


def rolling_restarts(folder: Path, seed: int, *, threats: int, restarts: int, batch: int) -> Outcome:
    """R19: one worker after the other is asked to stop while it works, and started again; the next one once all are ready. What it costs
    is told by a calm run before.
    """
    calm, _, _ = _isolations(folder / "calm", seed, threats=max(1, threats // 2), restarts=0, batch=batch)
    rows, verdict, done = _isolations(folder / "storm", seed, threats=threats, restarts=restarts, batch=batch)
    seen_calm, seen = (percentile(seen_after(each), 0.99) for each in (calm, rows))
    return of(
        "R19", f"rolling restarts under load, {threats} threats", seed, verdict, timely=seen - seen_calm <= 10,
        figure="0 lost, 0 doubled; isolation p99 later by <= 10 s", restarts=done, asked_p99=percentile(asked_after(rows), 0.99),
        calm_p99=seen_calm, seen_p99=seen, extra_p99=seen - seen_calm,
    )  # fmt: skip


def _isolations(folder: Path, seed: int, *, threats: int, restarts: int, batch: int) -> tuple[list[Row], Verdict, int]:
    """What became of the isolations of a run, what the oracle says of all of it, and how many restarts there were."""
    campaign = Campaign(seed)
    campaign.add(threats)
    with Fleet(folder, campaign, settings=HASTE) as fleet:
        fleet.fault(**SLUGGISH)
        roller = Roller(fleet, restarts)
        publisher = Publisher(fleet, batch, every=2.0)
        fleet.until(lambda: publisher.is_done() and roller.done >= restarts, roller, publisher, seconds=60 + 10 * restarts + threats)
        fleet.until(fleet.settled(campaign.threats), seconds=PATIENCE)
        return fleet.isolations(), fleet.verdict(), roller.done
