"""R1: every named crash point, one after the other, on one fleet that is busy all the time. R2: what wakes up too late."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

from tests.chaos.fleet import Fleet
from tests.chaos.oracle import Verdict
from tests.chaos.points import MOST_HITS, POINTS
from tests.chaos.report import Outcome, of
from tests.chaos.world import OTHERS, Campaign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ar_workers.domain.events import ThreatPublished

#: Threats to pass a point with.
EACH = 2
#: A new fleet after so many rounds: one that crashes every second for half an hour sets some rows aside as poison, as it should.
ROUNDS_EACH = 6
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
    """Crash at each point `rounds` times, and see what is left; every so often on a new fleet."""
    verdict, crashes, missed = Verdict(), 0, list[str]()
    for fleet, first in enumerate(range(0, rounds, ROUNDS_EACH)):
        some = min(ROUNDS_EACH, rounds - first)
        found, died, never = _on_one_fleet(folder / f"fleet{fleet}", seed + 1000 * fleet, some, points)
        verdict.add(found)
        crashes, missed = crashes + died, missed + never
    number = sum(map(len, points.values()))
    outcome = of("R1", f"crash-point sweep, {number} points", seed, verdict, also=not missed, crashes=crashes, missed=len(missed))
    outcome.evidence += f"\nnever passed: {missed}" if missed else ""
    return outcome


def _on_one_fleet(folder: Path, seed: int, rounds: int, points: Mapping[str, tuple[str, ...]]) -> tuple[Verdict, int, list[str]]:
    """At each point `rounds` times, at its first or second passing: the verdict, the crashes, and the points not passed in time."""
    chance = random.Random(f"crashes/{seed}")
    names = [(role, name) for role, names in points.items() for name in names] * rounds
    chance.shuffle(names)
    campaign = Campaign(seed, others=OTHERS, noted=2)
    campaign.add(EACH * len(names))
    missed = []
    with Fleet(folder, campaign) as fleet:
        for number, (role, name) in enumerate(names):
            events = campaign.threats[number * EACH : (number + 1) * EACH]
            if not _crash(fleet, role, name, events, hits=chance.randint(1, EACH) if rounds > 1 else 1):
                missed.append(name)
        fleet.points.disarm()
        fleet.control("DELETE", "faults")
        fleet.until(fleet.settled(campaign.threats), seconds=120 + 2 * rounds)
        return fleet.verdict(), len(fleet.points.crashes()), missed


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


#: Seconds in which one that wakes up does what it was about to do.
AWAKE = 2.0
#: Behind the ledger's last word, and before the request.
ASLEEP = ("before:edr.perform", "before:channel.send")


def late_writers(folder: Path, seed: int, *, rounds: int) -> Outcome:
    """R2: a worker is frozen just before it writes, and wakes up when its lease is over and another has done its work."""
    campaign = Campaign(seed)
    campaign.add(rounds * len(ASLEEP))
    with Fleet(folder, campaign) as fleet:
        for number, name in enumerate(ASLEEP * rounds):
            event = campaign.threats[number]
            fleet.points.arm(name, strike=signal.SIGSTOP)
            fleet.publish([event])
            fleet.until(lambda so_far=number: len(fleet.points.crashes()) > so_far, seconds=20)
            fleet.until(fleet.settled([event]), seconds=60)
            for process in [child.process for child in fleet.children("worker") if child.process]:
                process.send_signal(signal.SIGCONT)
            time.sleep(AWAKE)
        verdict, asleep = fleet.verdict(), len(fleet.points.crashes())
    what = f"{asleep} workers frozen between the last question and the write"
    return of("R2", what, seed, verdict, also=asleep == len(campaign.threats), asleep=asleep)
