"""Threats a second and actions in flight when every call of the EDR takes 50 ms, by kind and size of the workers' pool."""

from __future__ import annotations

from functools import partial

from bench.noop import CALLS_PER_ACTION
from bench.runs import Sizes, Table, interleaved, median, on_stage, spread

EDR_MS = 50
ACTIONS_PER_THREAT = 7
#: One customer's EDR is visited by 16 at once; a pool of 100 needs several customers to have work.
CUSTOMERS = 16
POOLS = ("threads:4", "threads:8", "threads:16", "threads:50", "prefork:4", "prefork:16", "solo:1")
BASE = "threads:4"


def measure(sizes: Sizes) -> list[Table]:
    sides = {pool: partial(_run, pool, max(50, sizes.threats // 4)) for pool in POOLS}
    found = interleaved(sizes.rounds, sides)
    rates = {pool: median(each) for pool, each in found.items()}
    rows = tuple(
        (f"2 x {pool}", f"{rate / rates[BASE]:.2f}", f"{rate:.1f}", spread(found[pool]), *_in_flight(pool, rate))
        for pool, rate in rates.items()
    )
    note = f"{CUSTOMERS} customers; {CALLS_PER_ACTION} calls of the EDR per action: look, read the endpoint anew, ask, look."
    headers = ("pool", f"x 2 x {BASE}", "threats/s", "least-most", "actions in flight", "of the pool")
    return [Table(f"An EDR that takes {EDR_MS} ms per call, medians of {sizes.rounds}", headers, rows, note)]


def _run(pool: str, threats: int) -> float:
    # A solo worker takes minutes for what fifty threads do in seconds: it gets less to do.
    some = max(10, threats // 8) if pool.startswith("solo") else threats
    rate: float = on_stage("ours", some, BENCH_POOL=pool, BENCH_EDR_MS=str(EDR_MS), BENCH_CUSTOMERS=str(CUSTOMERS))["rate"]
    return rate


def _in_flight(pool: str, rate: float) -> tuple[str, str]:
    """By Little's law: actions a second times how long the EDR has each of them in hand."""
    flying = rate * ACTIONS_PER_THREAT * CALLS_PER_ACTION * EDR_MS / 1000
    return f"{flying:.1f}", f"{flying / (2 * int(pool.partition(':')[2])):.0%}"
