"""`python -m tests.chaos`: the full forms of all storms, one after the other, and a table of what they found."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ar_workers.cli.processes import Interrupted, interruptible
from ar_workers.cli.redis_server import RedisServer
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from tests.chaos import clocks, crashes, floods, model, people, plain, poison, power, storms, vendors
from tests.chaos.report import Outcome, table
from tests.clocks import a_ledger
from tests.keys import SEALS

Storm = Callable[[Path, int, "Size"], Outcome]
QUICK = {"grace": timedelta(0), "least_remaining": timedelta(milliseconds=100)}


@dataclass(frozen=True)
class Size:
    """How much of a storm is run: its short form, or this part of its full one."""

    is_short: bool = False
    part: float = 1.0

    def __call__(self, short: int, full: int) -> int:
        return short if self.is_short else max(1, round(full * self.part))


def kill_storm(folder: Path, seed: int, size: Size) -> Outcome:
    settings = storms.HASTE if size.is_short else storms.SLOW
    workers = 2 if size.is_short else 4
    return storms.kill_storm(folder, seed, threats=size(60, 1620), strikes=size(12, 260), workers=workers, batch=4, settings=settings)


def plain_storm(folder: Path, seed: int, size: Size) -> Outcome:
    return plain.storm(folder, seed, threats=size(60, 1620), strikes=size(12, 260), workers=2 if size.is_short else 4, batch=4)


def redis_storm(folder: Path, seed: int, size: Size) -> Outcome:
    pauses, batch = ((1, 3), 4) if size.is_short else ((5, 40), 2)
    return storms.redis_storm(folder, seed, threats=size(60, 1620), kills=size(3, 50), pauses=pauses, batch=batch, outage=size(0, 120))


def network_cuts(folder: Path, seed: int, size: Size) -> Outcome:
    longest, batch = (2, 4) if size.is_short else (40, 1)
    return vendors.network_cuts(folder, seed, threats=size(40, 400), spells=size(10, 40), longest=longest, batch=batch)


def throttled(folder: Path, seed: int, size: Size) -> Outcome:
    return vendors.throttled(folder, seed, threats=size(40, 800), retry_after=(1, 2, 4) if size.is_short else (1, 5, 20, 60), batch=2)


def model_in_redis(folder: Path, seed: int, size: Size) -> Outcome:
    with RedisServer(folder / "redis", fsync="no") as server:
        client = connect(server.url)

        def emptied() -> RedisLedger:
            client.flushall()
            return RedisLedger(client, switch_lives=timedelta(0), **QUICK, seals=SEALS)

        return model.driven(emptied, "Redis", seed, examples=size(30, 12_500))


def model_in_fakeredis(_: Path, seed: int, size: Size) -> Outcome:
    return model.driven(lambda: a_ledger(least_remaining=QUICK["least_remaining"]), "fakeredis", seed, examples=size(30, 12_500))


def duplicates(folder: Path, seed: int, size: Size) -> Outcome:
    with RedisServer(folder / "redis", fsync="always") as server:
        return floods.one_event_again(connect(server.url), server.url, seed, times=size(4_000, 100_000))


def requeues(folder: Path, seed: int, size: Size) -> Outcome:
    with RedisServer(folder / "redis") as server:
        return people.requeue_race(RedisLedger(connect(server.url), **QUICK, seals=SEALS), seed, rows=size(60, 1_000), askers=50)


def releases(folder: Path, seed: int, _: Size) -> Outcome:
    with RedisServer(folder / "redis") as server:
        return people.human_releases(lambda: RedisLedger(connect(server.url), **QUICK, seals=SEALS), seed)


#: Goal, and what is run for it; a goal may have several.
STORMS: tuple[tuple[str, Storm], ...] = (
    ("R1", lambda folder, seed, size: crashes.sweep(folder, seed, rounds=size(1, 48))),
    ("R2", kill_storm),
    ("R2", lambda folder, seed, size: crashes.late_writers(folder, seed, rounds=size(1, 10))),
    ("R2*", plain_storm),
    ("R3", redis_storm),
    ("R4", lambda folder, seed, size: power.power_loss(folder, seed, rounds=size(5, 100), each=100, fsync="always")),
    ("R4", lambda folder, seed, size: power.power_loss(folder, seed, rounds=size(3, 30), each=100, fsync="everysec")),
    ("R6", network_cuts),
    ("R7", lambda folder, seed, size: vendors.lost_answers(folder, seed, threats=size(25, 400), share=0.2)),
    ("R8", throttled),
    ("R9", lambda folder, seed, size: vendors.hung_tenant(folder, seed, tenants=20, threats=size(60, 300), batch=3, pairs=size(1, 3))),
    ("R10", lambda folder, seed, size: floods.flood(folder, seed, events=size(2_000, 100_000), tenants=20)),
    ("R11", duplicates),
    ("R12", lambda folder, seed, size: clocks.skewed_clocks(folder, seed, threats=size(25, 400), jumps=size(4, 100))),
    ("R13", lambda folder, seed, size: poison.poison(
        folder, seed, threats=size(20, 200), each=size(2, 10), megabytes=10, pause=size(0, 3))),
    ("R13", lambda folder, seed, size: poison.wrong_types(folder, seed, threats=size(20, 200), seconds=3)),
    ("R14", model_in_fakeredis),
    ("R14", model_in_redis),
    ("R16", lambda folder, seed, size: clocks.three_beats(folder, seed, strangers=size(3, 50))),
    ("R17", lambda _, seed, size: people.channels_down(seed, hours=1, threats=size(20, 200))),
    ("R18", requeues),
    ("R19", lambda folder, seed, size: storms.rolling_restarts(
        folder, seed, threats=size(40, 800), restarts=size(4, 200), batch=6 if size.is_short else 2)),
    ("R20", releases),
)  # fmt: skip


def main() -> None:
    arguments = _arguments()
    chosen = [storm for storm in STORMS if not arguments.only or storm[0] in arguments.only]
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary, interruptible():
        try:
            for number, (goal, storm) in enumerate(chosen):
                outcomes.append(_run(goal, storm, Path(arguments.folder or temporary) / f"{number:02}-{goal}", arguments))
        except Interrupted:
            _say("stopped; what was found until now:")
    text = table(outcomes)
    _say(text)
    if arguments.out:
        arguments.out.write_text(text)
    sys.exit(not all(outcome.passed for outcome in outcomes) or len(outcomes) < len(chosen))


def _run(goal: str, storm: Storm, folder: Path, arguments: argparse.Namespace) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"{goal} ...")
    started = time.monotonic()
    try:
        outcome = storm(folder, arguments.seed, Size(arguments.short, arguments.part))
    except Exception as error:
        outcome = Outcome(goal, "did not end", arguments.seed, "", sound=False, counts={"error": type(error).__name__})
        outcome.evidence = traceback.format_exc()
    outcome.counts["seconds"] = int(time.monotonic() - started)
    _say(f"{goal} {'passed' if outcome.passed else 'FAILED'}: {outcome.what}: {outcome.counts}")
    if not outcome.passed:
        _say(outcome.evidence)
    return outcome


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="GOAL", help="such as R2; may be repeated; R2* is the same storm on plain Celery"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same storm (default 1)")
    parser.add_argument("--short", action="store_true", help="minutes instead of hours")
    parser.add_argument("--part", type=float, default=1.0, help="run this part of the full form, such as 0.1")
    parser.add_argument("--out", type=Path, help="where the table is written, too")
    parser.add_argument("--folder", type=Path, help="keep logs, journals and Redis's data here")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
