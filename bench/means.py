"""What each means gains: the whole pipeline with it, over the whole pipeline without it."""

from __future__ import annotations

from functools import partial

from bench.runs import Sizes, Table, interleaved, median, on_stage, spread

FULL = "everything on: 2 x threads:8, prefetch 1"
#: What is changed -> the environment that changes it.
WITHOUT: dict[str, dict[str, str]] = {
    "kombu's own transport": {"AR_TRANSPORT": "stock"},
    "one message per round trip": {"BENCH_OFF": "batches"},
    "fetched whenever there is room": {"BENCH_OFF": "halves"},
    "a client per publish": {"BENCH_OFF": "kept-client"},
    "a publish per message": {"BENCH_OFF": "pipeline"},
    "a message per row": {"BENCH_OFF": "coalescing"},
    "a message per isolation": {"BENCH_OFF": "joint-isolations"},
    "at most 10 rows a message": {"BENCH_OFF": "long-messages"},
    "each plan recorded alone": {"BENCH_OFF": "joint-plans"},
    "begin apart from claim": {"BENCH_OFF": "clearance"},
    "each finding written alone": {"BENCH_OFF": "joint-writing"},
    "a script per row": {"BENCH_OFF": "joint-scripts"},
    "connections handed around": {"BENCH_OFF": "kept-connection"},
    "no order held against its row": {"BENCH_OFF": "agreement"},
    "no list of the well-known asked": {"BENCH_OFF": "known"},
    "Celery's apply_async": {"BENCH_OFF": "direct-publishing"},
    "all of these": {
        "AR_TRANSPORT": "stock",
        "BENCH_OFF": "coalescing,joint-plans,clearance,joint-writing,joint-scripts,kept-connection,direct-publishing",
    },
    "prefetch 4": {"BENCH_PREFETCH": "4"},
    "prefetch 16": {"BENCH_PREFETCH": "16"},
    "2 x solo": {"BENCH_POOL": "solo:1"},
    "2 x prefork:1": {"BENCH_POOL": "prefork:1"},
    "2 x threads:16": {"BENCH_POOL": "threads:16"},
}


def measure(sizes: Sizes) -> list[Table]:
    sides = {FULL: partial(_rate, sizes.threats, {}), **{name: partial(_rate, sizes.threats, off) for name, off in WITHOUT.items()}}
    found = interleaved(sizes.rounds, sides)
    base = median(found[FULL])
    rows = tuple((name, f"{base / median(each):.2f}", f"{median(each):.0f}", spread(each)) for name, each in found.items())
    headers = ("instead", "gain of what is switched off", "threats/s", "least-most")
    return [Table(f"The whole pipeline with one thing changed, {sizes.threats} threats, medians of {sizes.rounds}", headers, rows)]


def _rate(threats: int, environment: dict[str, str]) -> float:
    rate: float = on_stage("ours", threats, **environment)["rate"]
    return rate
