"""R12 and R16: clocks that are wrong, and beats that are too many, frozen or gone."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from ar_workers.domain.endpoints import Vendor
from tests.chaos.fleet import Fleet
from tests.chaos.killer import Killer
from tests.chaos.report import Outcome, of
from tests.chaos.shims import SkewedClock, compiler
from tests.chaos.tenants import MAKES, hash_of
from tests.chaos.world import Campaign

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds: one worker's clock is an hour fast, the other's a day slow.
SKEWS = (3700.0, -86_400.0)
#: Every time that a worker wrote down must be further off than this, or the shim does nothing.
LEAST_WRONG = 1_000.0


def skewed_clocks(folder: Path, seed: int, *, threats: int, jumps: int) -> Outcome:
    """R12: both clocks are wrong, jump while leases run, and a worker is killed now and then."""
    if compiler() is None:
        return Outcome("R12", "clocks", seed, "0 lost, 0 doubled", sound=False, evidence="there is no C compiler for the clock shim")
    folder.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(seed)
    campaign.add(threats)
    clocks = [SkewedClock(folder, str(number), skew) for number, skew in enumerate(SKEWS)]
    with Fleet(folder, campaign, per_worker=[clock.environment for clock in clocks]) as fleet:
        killer = Killer(fleet, seed, pauses=(1, 3), weights=(1, 0, 0), most=jumps)
        fleet.publish(campaign.threats)
        for number in range(jumps):
            fleet.until(lambda: False, killer, seconds=0.7)
            clocks[number % 2].jump(SKEWS[(number + 1) % 2])
        killer.stop()
        fleet.until(fleet.settled(campaign.threats), seconds=60 + threats)
        verdict = fleet.verdict()
        shown = [float(line.split()[0]) for path in folder.glob("claims-*") for line in path.read_text().splitlines()]
        wrong = sum(abs(at - time.time()) > LEAST_WRONG for at in shown)
    return of(
        "R12",
        f"clocks +3700 s and -1 day, {jumps} jumps, {len(campaign.expected)} actions",
        seed,
        verdict,
        also=wrong == len(shown),
        kills=len(killer.kills),
    )


def three_beats(folder: Path, seed: int, *, strangers: int) -> Outcome:
    """R16: three beats run, one is frozen, one killed for good; every endpoint is told of once, lost rings are found."""
    campaign = Campaign(seed, tenants=["acme"])
    events = campaign.add(4)
    for number in range(strangers):
        linux = {
            "agent_id": hash_of("md5", f"linux/{number}"),
            "hostname": f"web-{number}",
            "platform": "Linux",
            "groups": [MAKES[Vendor.CROWDSTRIKE].group],
        }
        campaign.world["tenants"]["acme"]["endpoints"].append(linux)
    fleet = Fleet(folder, campaign, beats=3)
    fleet.settings["AR_RECHECK_SECONDS"] = "1"
    with fleet:
        fleet.until(lambda: len(fleet.ledger.threats("acme", since=_long_ago(), limit=1000)) >= strangers, seconds=30)
        frozen, killed = fleet.child("beat0"), fleet.crews.pop("beat1")
        os.kill(frozen.process.pid, signal.SIGSTOP)
        killed.children[0].process.kill()
        killed.children[0].process.wait()
        since = time.monotonic()
        fleet.ledger.accept(events)  # and nobody rings
        found = fleet.until(fleet.settled(events), seconds=40)
        takeover = time.monotonic() - since
        fleet.until(lambda: False, seconds=3)
        rechecks = [each for each in fleet.ledger.threats("acme", since=_long_ago(), limit=1000) if each.id.startswith("endpoint-")]
        told = [sum(entry.text == "planned" for entry in fleet.ledger.threat("acme", each.id).timeline) for each in rechecks]
        verdict = fleet.verdict(events)
    once = len(rechecks) == strangers and set(told) == {1}
    return of(
        "R16", f"three beats, {strangers} endpoints to tell of", seed, verdict, also=found and once, timely=takeover <= 30,
        figure="each endpoint once; takeover <= 30 s", rechecked=len(rechecks), times=sum(told), takeover=takeover,
    )  # fmt: skip


def _long_ago() -> object:
    from datetime import UTC, datetime

    return datetime(2000, 1, 1, tzinfo=UTC)
