"""R7, R8, R9: vendors lose answers, throttle, fail and hang. R6: the network does."""

from __future__ import annotations

import random
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from ar_workers.cli.redis_server import free_port
from tests.chaos.fleet import HASTE, Fleet, proxied
from tests.chaos.oracle import Verdict
from tests.chaos.report import Outcome, of, percentile, seen_after
from tests.chaos.storms import Publisher
from tests.chaos.world import Campaign

if TYPE_CHECKING:
    from pathlib import Path

#: Writes whose answer gets lost: isolation, indicators, and the commands of the sensor's shell.
WRITES = ("*/devices-actions/*", "/iocs/entities/*", "*/active-responder-command/*")
#: Seconds: a 429 is journaled before it is sent, and a call that was let through before it was known after it is answered. With two cores
#: for all of a storm, and other storms beside it, 0.32 have been seen.
IN_FLIGHT = 0.5
#: A vendor that throttles and fails may cost so many times the calls that it costs when it does neither.
MOST_CALLS = 1.2


def lost_answers(folder: Path, seed: int, *, threats: int, share: float) -> Outcome:
    """R7: the effect happens, then the connection is reset."""
    campaign = Campaign(seed, noted=2)
    campaign.add(threats)
    with Fleet(folder, campaign) as fleet:
        for path in WRITES:
            fleet.fault(action="reset_after", vendor="crowdstrike", method="POST", path=path, probability=share, label="reset_after")
        fleet.fault(action="reset_after", vendor="slack", path="*chat.postMessage", probability=share, label="reset_after")
        fleet.fault(action="reset_after", vendor="mail", method="DATA", probability=share, label="reset_after")
        fleet.publish(campaign.threats)
        fleet.until(fleet.settled(campaign.threats), seconds=60 + threats)
        verdict = fleet.verdict()
        struck = sum(entry.get("fault") == "reset_after" for entry in fleet.journal())
    what = f"{share:.0%} of answers lost after the effect, {len(campaign.expected)} actions"
    return of("R7", what, seed, verdict, figure="0 doubled, everything settled by looking", also=struck > 0, lost_answers=struck)


def throttled(folder: Path, seed: int, *, threats: int, retry_after: tuple[int, ...], batch: int) -> Outcome:
    """R8: 429 with a Retry-After, and 5xx; nobody of the tenant may call before the time. The same without them says how few calls will do."""
    tries = max(2, threats // 10)
    faults = [
        {"status": 429, "headers": {"Retry-After": str(seconds)}, "times": tries, "label": f"429/{seconds}"} for seconds in retry_after
    ]
    faults += [{"status": 503, "times": threats, "label": "503"}]
    before, calm, _ = _calls_under([], folder / "calm", seed, threats, batch, patience=120)
    verdict, calls, actions = _calls_under(faults, folder / "storm", seed, threats, batch, patience=120 + tries * sum(retry_after))
    struck, early, ratio = sum(bool(each.get("fault")) for each in calls), early_calls(calls), len(calls) / max(1, len(calm))
    return of(
        "R8", f"429 and 5xx storm, {actions} actions", seed, verdict, also=before.is_clean and not early, timely=ratio <= MOST_CALLS,
        figure=f"0 lost, 0 doubled, 0 calls earlier than Retry-After; calls <= {MOST_CALLS} x those of a calm run",
        calls=len(calls), calm=len(calm), ratio=ratio, struck=struck, early=len(early),
    )  # fmt: skip


def _calls_under(
    faults: list[dict[str, Any]], folder: Path, seed: int, threats: int, batch: int, *, patience: float
) -> tuple[Verdict, list[dict[str, Any]], int]:
    """One run: how it went, every call of the vendor's, and how many actions there were."""
    campaign = Campaign(seed, tenants=[f"t{number:02}" for number in range(4)])
    campaign.add(threats)
    with Fleet(folder, campaign) as fleet:
        for fault in faults:
            fleet.fault(action="reply", vendor="crowdstrike", path="/[di]*", probability=0.05, **fault)
        publisher = Publisher(fleet, batch)
        fleet.until(publisher.is_done, publisher, seconds=60 + threats)
        fleet.until(fleet.settled(campaign.threats), seconds=patience)
        verdict, journal = fleet.verdict(), fleet.journal()
    calls = [each for each in journal if each["kind"] == "request" and each["vendor"] == "crowdstrike"]
    return verdict, calls, len(campaign.expected)


def one_throttled(folder: Path, seed: int, *, retry_after: int) -> Outcome:
    """R8 for a tenant that wants one thing: after a 429 nothing is asked of its EDR until the time that it named."""
    campaign = Campaign(seed, tenants=["acme"], iocs=0)
    campaign.add(1)
    with Fleet(folder, campaign) as fleet:
        fleet.fault(
            action="reply", status=429, headers={"Retry-After": str(retry_after)}, vendor="crowdstrike", method="POST", path="/devices/*", times=2,
            label=f"429/{retry_after}",
        )  # fmt: skip
        fleet.publish(campaign.threats)
        fleet.until(fleet.settled(campaign.threats), seconds=30)
        verdict, early = fleet.verdict(), early_calls(fleet.journal())
    return of("R8", "one action, 429 twice", seed, verdict, also=not early, figure="0 calls earlier than Retry-After", early=len(early))


def early_calls(journal: list[dict[str, Any]]) -> list[str]:
    """Calls of a tenant to a vendor that had told it to wait longer."""
    until: dict[str, tuple[float, float]] = {}
    early = []
    for each in journal:
        if each["kind"] != "request" or each["vendor"] != "crowdstrike":
            continue
        told, free = until.get(each["tenant"], (0.0, 0.0))
        if told + IN_FLIGHT < each["wall"] < free:
            early.append(f"{each['tenant']} {each['method']} {each['path']} {free - each['wall']:.1f} s early")
        label = each.get("fault") or ""
        if label.startswith("429/"):
            until[each["tenant"]] = each["wall"], max(free, each["wall"] + float(label.removeprefix("429/")))
    return early


def hung_tenant(folder: Path, seed: int, *, tenants: int, threats: int, batch: int, pairs: int) -> Outcome:
    """R9: one tenant's EDR takes every call and answers none; the others' isolations are timed with and without it, in turns."""
    waits: dict[bool, list[float]] = {False: [], True: []}
    verdict, calls = Verdict(), 0
    for turn in range(2 * pairs):
        is_hung = turn % 2 == 1
        slowest, verdict, calls = _others(folder / str(turn), seed, tenants, threats, batch, is_hung=is_hung)
        waits[is_hung].append(slowest)
        if not verdict.is_clean:
            break
    calm, hung = (median(waits[each] or [0.0]) for each in (False, True))
    ratio = hung / calm if calm else float("inf")
    return of(
        "R9", f"one hung tenant of {tenants}, {pairs} pairs of runs", seed, verdict, timely=ratio <= 1.1, figure="others' p95 +<= 10 %",
        p95_calm=calm, p95_hung=hung, ratio=ratio, calls_to_the_hung=calls,
    )  # fmt: skip


def _others(folder: Path, seed: int, tenants: int, threats: int, batch: int, *, is_hung: bool) -> tuple[float, Verdict, int]:
    """One run: the others' p95, how it went for them, and the calls that the one tenant's EDR got."""
    names = [f"t{number:02}" for number in range(tenants)]
    campaign = Campaign(seed, tenants=names + names[:1] * (tenants // 2), iocs=2)  # a third of the threats are the one tenant's
    campaign.add(threats)
    others = [event for event in campaign.threats if event.customer != "t00"]
    with Fleet(folder, campaign) as fleet:
        if is_hung:
            fleet.fault(action="hang_before", vendor="crowdstrike", tenant="t00", seconds=10.0, label="hang")
        publisher = Publisher(fleet, batch)
        fleet.until(publisher.is_done, publisher, seconds=60 + threats)
        fleet.until(fleet.settled(others), seconds=120)
        isolations, journal = fleet.isolations(others), fleet.journal()
        expected = {effect for effect in campaign.expected if effect[0] != "t00"}
        verdict = fleet.verdict_on(others, [entry for entry in journal if entry["tenant"] != "t00"], expected)
    calls = sum(entry["kind"] == "request" and entry["tenant"] == "t00" for entry in journal)
    return percentile(seen_after(isolations), 0.95), verdict, calls


#: What the network does for a while, and then it heals.
CUTS = ("cut", "blackhole", "halfopen", "delay 0.5", "reset 0.05 {seed}")


def network_cuts(folder: Path, seed: int, *, threats: int, spells: int, longest: float, batch: int) -> Outcome:
    """R6: cuts of all kinds between the workers and Redis, and between the workers and the EDR, in turns."""
    campaign, chance = Campaign(seed), random.Random(f"network/{seed}")
    campaign.add(threats)
    redis_port, edr_port = free_port(), free_port()
    with (
        proxied(folder / "proxies", redis_port) as (redis_proxy, redis_mode),
        proxied(folder / "proxies", edr_port) as (edr_proxy, edr_mode),
    ):
        fleet = Fleet(
            folder, campaign, settings=HASTE, through_redis=redis_proxy, through_edr=edr_proxy, redis_port=redis_port, edr_port=edr_port
        )
        with fleet:
            publisher = Publisher(fleet, batch)
            for number in range(spells):
                mode_file = (redis_mode, edr_mode)[number % 2]
                mode_file.write_text(CUTS[number // 2 % len(CUTS)].format(seed=seed))
                spell = time.monotonic() + chance.uniform(longest / 3, longest)
                fleet.until(lambda end=spell: time.monotonic() > end, publisher, seconds=longest + 5, mend=False)
                mode_file.write_text("pass")
                fleet.until(lambda: False, publisher, seconds=1.0, mend=False)
            fleet.until(publisher.is_done, publisher, seconds=60 + threats, mend=False)
            healed = time.monotonic()
            fleet.until(fleet.settled(campaign.threats), seconds=150, mend=False)
            rest = time.monotonic() - healed
            ended = [child.name for child in fleet.children("worker") if not child.is_alive]
            verdict = fleet.verdict()
    return of(
        "R6", f"network cuts, {spells} spells, {len(campaign.expected)} actions", seed, verdict, also=not ended, timely=rest <= 60,
        figure="0 lost, 0 doubled; half-open seen <= 60 s", ended=len(ended), settled_after=rest,
    )  # fmt: skip
