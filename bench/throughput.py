"""Threats a second: our whole pipeline and our queue alone beside bare Celery and the peers."""

from __future__ import annotations

from functools import partial

from bench.runs import PEERS_PYTHON, Sizes, Table, interleaved, median, on_stage, spread

BARE = {"bare Celery, threads": {"BENCH_POOL": "threads:4"}, "bare Celery, solo": {"BENCH_POOL": "solo:1"}}
PEERS = ("dramatiq", "taskiq", "huey", "arq", "rq")
COSTS = ("workers_ms", "publisher_ms", "redis_ms")
WHOLE, QUEUE = "ours: the whole pipeline", "ours: the queue alone"
UNDER = "bare Celery over our transport"


def measure(sizes: Sizes) -> list[Table]:
    sides = {
        WHOLE: partial(on_stage, "ours", sizes.threats),
        QUEUE: partial(on_stage, "queue", sizes.threats),
        UNDER: partial(on_stage, "celery", sizes.threats, BENCH_TRANSPORT="ours"),
        **{name: partial(on_stage, "celery", sizes.threats, **options) for name, options in BARE.items()},
        **{name: partial(on_stage, name, sizes.threats, python=PEERS_PYTHON) for name in PEERS},
    }
    found = interleaved(sizes.rounds, sides)
    rates = {name: [each["rate"] for each in runs] for name, runs in found.items()}
    bare = max(median(rates[name]) for name in BARE)
    fastest = max(PEERS, key=lambda name: median(rates[name]))
    rows = tuple(
        (
            name,
            f"{median(rates[name]) / bare:.2f}",
            f"{median(rates[name]) / median(rates[fastest]):.2f}",
            f"{median(rates[name]):.0f}",
            spread(rates[name]),
            f"{median([each['commands'] for each in runs]):.1f}",
            " + ".join(f"{median([each[part] for each in runs]):.1f}" for part in COSTS),
            runs[0]["settings"],
        )
        for name, runs in sorted(found.items(), key=lambda item: -median(rates[item[0]]))
    )
    note = "Only `ours: the whole pipeline` keeps a record: it writes a ledger, claims, guards and timeline for each of the nine."
    headers = (
        "",
        "x bare Celery",
        "x fastest peer",
        "threats/s",
        "least-most",
        "Redis commands per task",
        "CPU ms per threat: workers + publisher + Redis",
        "settings",
    )
    return [Table(f"Nine empty tasks per threat, {sizes.threats} threats, medians of {sizes.rounds}", headers, rows, note)]
