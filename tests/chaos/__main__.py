"""`python -m tests.chaos`: the full forms of all storms, one after the other, and a table of what they found."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ar_workers.cli.processes import Interrupted, interruptible
from ar_workers.cli.redis_server import RedisServer
from ar_workers.ledger.clients import connect
from ar_workers.ledger.memory import MemoryLedger
from ar_workers.ledger.redis import RedisLedger
from tests.chaos import clocks, crashes, floods, model, people, plain, poison, power, storms, vendors
from tests.chaos.report import Outcome, table

Storm = Callable[[Path, int, bool], Outcome]
QUICK = {"grace": timedelta(0), "least_remaining": timedelta(milliseconds=100)}


def kill_storm(folder: Path, seed: int, short: bool) -> Outcome:
    if short:
        return storms.kill_storm(folder, seed, threats=60, strikes=12, workers=2, batch=4, settings=storms.HASTE)
    return storms.kill_storm(folder, seed, threats=1620, strikes=260, workers=4, batch=4, settings=storms.SLOW)


def plain_storm(folder: Path, seed: int, short: bool) -> Outcome:
    threats, strikes, workers, batch = (60, 12, 2, 4) if short else (1620, 260, 4, 4)
    return plain.storm(folder, seed, threats=threats, strikes=strikes, workers=workers, batch=batch)


def redis_storm(folder: Path, seed: int, short: bool) -> Outcome:
    if short:
        return storms.redis_storm(folder, seed, threats=60, kills=3, pauses=(1, 3), batch=4, outage=0)
    return storms.redis_storm(folder, seed, threats=1620, kills=50, pauses=(5, 40), batch=2, outage=120)


def model_in_redis(folder: Path, seed: int, short: bool) -> Outcome:
    with RedisServer(folder / "redis", fsync="no") as server:
        client = connect(server.url)

        def emptied() -> RedisLedger:
            client.flushall()
            return RedisLedger(client, **QUICK)

        return model.driven(emptied, "Redis", seed, examples=30 if short else 12_500)


def model_in_memory(_: Path, seed: int, short: bool) -> Outcome:
    return model.driven(lambda: MemoryLedger(**QUICK), "memory", seed, examples=30 if short else 12_500)


def duplicates(folder: Path, seed: int, short: bool) -> Outcome:
    with RedisServer(folder / "redis", fsync="always") as server:
        return floods.one_event_again(connect(server.url), server.url, seed, times=4_000 if short else 100_000)


def requeues(folder: Path, seed: int, short: bool) -> Outcome:
    with RedisServer(folder / "redis") as server:
        return people.requeue_race(RedisLedger(connect(server.url), **QUICK), seed, rows=60 if short else 1_000, askers=50)


def releases(folder: Path, seed: int, _: bool) -> Outcome:
    with RedisServer(folder / "redis") as server:
        return people.human_releases(lambda: RedisLedger(connect(server.url), **QUICK), seed)


#: Goal, and what is run for it; a goal may have several.
STORMS: tuple[tuple[str, Storm], ...] = (
    ("R1", lambda folder, seed, short: crashes.sweep(folder, seed, rounds=1 if short else 50)),
    ("R2", kill_storm),
    ("R2", plain_storm),
    ("R3", redis_storm),
    ("R4", lambda folder, seed, short: power.power_loss(folder, seed, rounds=5 if short else 100, each=100, fsync="always")),
    ("R4", lambda folder, seed, short: power.power_loss(folder, seed, rounds=3 if short else 30, each=100, fsync="everysec")),
    ("R6", lambda folder, seed, short: vendors.network_cuts(
        folder, seed, threats=40 if short else 400, spells=10 if short else 40, longest=2 if short else 40, batch=4 if short else 1)),
    ("R7", lambda folder, seed, short: vendors.lost_answers(folder, seed, threats=25 if short else 400, share=0.2)),
    ("R8", lambda folder, seed, short: vendors.throttled(
        folder, seed, threats=40 if short else 1200, wishes=(1, 2, 4) if short else (1, 5, 20, 60), batch=2)),
    ("R9", lambda folder, seed, short: vendors.hung_tenant(folder, seed, tenants=20, threats=60 if short else 600, batch=4)),
    ("R10", lambda folder, seed, short: floods.flood(folder, seed, events=2_000 if short else 100_000, tenants=20)),
    ("R11", duplicates),
    ("R12", lambda folder, seed, short: clocks.skewed_clocks(folder, seed, threats=25 if short else 400, jumps=4 if short else 100)),
    ("R13", lambda folder, seed, short: poison.poison(
        folder, seed, threats=20 if short else 200, each=2 if short else 10, megabytes=10)),
    ("R14", model_in_memory),
    ("R14", model_in_redis),
    ("R16", lambda folder, seed, short: clocks.three_beats(folder, seed, strangers=3 if short else 50)),
    ("R17", lambda _, seed, short: people.channels_down(seed, hours=1, threats=20 if short else 200)),
    ("R18", requeues),
    ("R19", lambda folder, seed, short: storms.rolling_restarts(
        folder, seed, threats=40 if short else 800, restarts=4 if short else 200, batch=6 if short else 2)),
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
        outcome = storm(folder, arguments.seed, arguments.short)
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
    parser.add_argument("--only", action="append", metavar="GOAL", help="such as R2; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same storm (default 1)")
    parser.add_argument("--short", action="store_true", help="minutes instead of hours")
    parser.add_argument("--out", type=Path, help="where the table is written, too")
    parser.add_argument("--folder", type=Path, help="keep logs, journals and Redis's data here")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
