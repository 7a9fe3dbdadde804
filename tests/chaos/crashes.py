"""R1: every named crash point, one after the other, on one fleet that is busy all the time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.chaos.fleet import Fleet
from tests.chaos.points import MOST_HITS, POINTS
from tests.chaos.report import Outcome, of
from tests.chaos.world import OTHERS, Campaign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ar_workers.domain.events import ThreatPublished

#: Threats to pass a point with.
EACH = 2
#: What lets a point be passed at all. The twins act and hold their answer back, so that `during:` strikes after the effect
#: and before the answer; slow looks outlast the claim's clearance of a write; slower ones let a heart beat within a visit.
HELD_BACK = {"action": "hang_after", "seconds": 1.0, "first": MOST_HITS}
ASKED_LATE = {"action": "delay", "vendor": "crowdstrike", "method": "GET", "path": "/devices/*", "seconds": 0.4}
SLOW_VISITS = {"action": "delay", "vendor": "crowdstrike", "method": "GET", "path": "/devices/*", "seconds": 1.5}
CONDITIONS = {
    "before:ledger.begin": ASKED_LATE,
    "after:ledger.begin": ASKED_LATE,
    "before:ledger.renew": SLOW_VISITS,
    "after:ledger.renew": SLOW_VISITS,
    "during:edr.perform": HELD_BACK | {"vendor": "crowdstrike", "method": "POST", "path": "*/devices-actions/*"},
    "during:channel.send": HELD_BACK | {"vendor": "slack", "path": "*chat.postMessage"},
}


def sweep(folder: Path, seed: int, *, rounds: int, points: Mapping[str, tuple[str, ...]] = POINTS) -> Outcome:
    """Crash at each point `rounds` times, at its first or second passing, and then see what is left."""
    chance = random.Random(f"crashes/{seed}")
    names = [(role, name) for role, names in points.items() for name in names] * rounds
    chance.shuffle(names)
    campaign = Campaign(seed, others=OTHERS, noted=2)
    campaign.add(EACH * len(names))
    with Fleet(folder, campaign) as fleet:
        missed = []
        for number, (role, name) in enumerate(names):
            events = campaign.threats[number * EACH : (number + 1) * EACH]
            if not _crash(fleet, role, name, events, hits=chance.randint(1, EACH) if rounds > 1 else 1):
                missed.append(name)
        fleet.points.disarm()
        fleet.control("DELETE", "faults")
        fleet.until(fleet.settled(campaign.threats), seconds=60 + 2 * rounds)
        crashes = len(fleet.points.crashes())
        verdict = fleet.verdict()
    outcome = of("R1", f"crash-point sweep, {len(set(names))} points", seed, verdict, also=not missed, crashes=crashes, missed=len(missed))
    outcome.evidence += f"\nnever passed: {missed}" if missed else ""
    return outcome


def _crash(fleet: Fleet, role: str, name: str, events: list[ThreatPublished], *, hits: int) -> bool:
    """Whether some process died at the point."""
    before = len(fleet.points.crashes())
    if name in CONDITIONS:
        fleet.control("DELETE", "faults")
        fleet.fault(times=20, **CONDITIONS[name])
    if role == "publisher":
        fleet.points.arm(name)
        while fleet.publish_in_a_process(events) != 0:
            """Killed: it publishes the same again."""
    else:
        fleet.until(lambda: any(each.is_alive for each in fleet.children("worker")))
        fleet.points.arm(name, hits)
        fleet.publish(events)
    return fleet.until(lambda: len(fleet.points.crashes()) > before, seconds=20)
