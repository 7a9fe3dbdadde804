"""R4: the power fails. What Redis had written and not yet synced is cut off its append-only file, as a disk would lose it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.rows import Acceptance
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.chaos.report import Outcome
from tests.chaos.shims import built, compiler
from tests.chaos.world import Campaign
from tests.keys import SEALS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH = 10


def power_loss(folder: Path, seed: int, *, rounds: int, each: int, fsync: str) -> Outcome:
    """In every round so many events are acknowledged, the power fails, and the publisher asks which of them are there."""
    figure = "0 acknowledged events lost" if fsync == "always" else "what is lost is found by publishing again"
    what = f"power loss, appendfsync {fsync}, {rounds} rounds of {each} events"
    if compiler() is None:
        return Outcome("R4", what, seed, figure, sound=False, evidence="there is no C compiler for the shim that sees fsync")
    folder.mkdir(parents=True, exist_ok=True)
    campaign, log = Campaign(seed, iocs=1), folder / "fsync.log"
    lost = found_again = cut = 0
    server = RedisServer(folder / "redis", fsync=fsync)
    with _preloaded(built("fsync", folder), log):
        for _ in range(rounds):
            server.start()
            events = campaign.add(each)
            ledger = RedisLedger(connect(server.url), seals=SEALS)
            for start in range(0, each, BATCH):
                ledger.accept(events[start : start + BATCH])
            if fsync != "always":
                time.sleep(campaign.seed % 7 / 10)
            server.kill()
            cut += _lose_what_was_not_synced(folder / "redis", log)
            server.start()
            answers = RedisLedger(connect(server.url), seals=SEALS).accept(events)
            lost += answers.count(Acceptance.NEW)
            kept = ledger.events([f"{event.customer}:event/{event.id}" for event in events])
            found_again += sum(one == event for one, event in zip(kept, events, strict=True))
            server.kill()
    total = rounds * each
    passed = found_again == total and cut >= 0 and (lost == 0 or fsync != "always")
    return Outcome("R4", what, seed, figure, passed, {"acknowledged": total, "lost": lost, "found_again": found_again, "bytes_cut": cut})


@contextmanager
def _preloaded(library: Path, log: Path) -> Iterator[None]:
    """Redis inherits our environment."""
    os.environ.update({"LD_PRELOAD": str(library), "CHAOS_FSYNC": str(log)})
    try:
        yield
    finally:
        del os.environ["LD_PRELOAD"], os.environ["CHAOS_FSYNC"]


def _lose_what_was_not_synced(folder: Path, log: Path) -> int:
    """Cut every append-only file to its last synced length; returns how many bytes that were."""
    synced: dict[str, int] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        size, path = line.split(" ", 1)
        synced[path] = int(size)
    cut = 0
    for path in [*folder.glob("*.aof"), *folder.glob("appendonlydir/*.aof")]:
        safe = synced.get(str(path.resolve()), 0)
        cut += max(0, path.stat().st_size - safe)
        os.truncate(path, min(safe, path.stat().st_size))
    return cut
