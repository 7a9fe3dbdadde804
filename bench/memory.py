"""Resident memory of each role while threats go through: what it begins with, and how it grows."""

from __future__ import annotations

import time
from pathlib import Path

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.pipeline.ingest import ingest
from bench.machines import PRODUCTION, running
from bench.runs import Sizes, Table, a_redis
from bench.threats import an_event

SAMPLES = 10
AT_ONCE = 100
MIB = 1024


def measure(sizes: Sizes) -> list[Table]:
    points = _points(sizes.remembered)
    warm = points[1:]  # the first tenth fills caches and pools
    rows = tuple(
        (role, f"{series[-1] / series[0]:.2f}", f"{_slope(warm, role) * 10_000:.2f}", f"{series[0]:.0f}", f"{series[-1]:.0f}")
        for role, series in ((role, [point[role] for _, point in warm]) for role in points[0][1])
    )
    headers = ("role", "last / first", "MiB per 10,000 threats", "MiB first", "MiB last")
    note = "Redis keeps every threat until it is compacted, by default after three days."
    return [Table(f"Resident memory over {sizes.remembered:,} threats, in one run", headers, rows, note)]


def _points(threats: int) -> list[tuple[int, dict[str, float]]]:
    points = []
    with a_redis(memory="16gb") as (server, _), running(server.url, PRODUCTION) as roles:
        ledger, doorbell = ledger_at(server.url), doorbell_at(server.url)
        processes = {**roles, "redis": server.pid}
        for number in range(0, threats, AT_ONCE):
            some = range(number, min(number + AT_ONCE, threats))
            ingest(ledger, doorbell, [an_event(each) for each in some])
            while ledger.outstanding("acme") > AT_ONCE * 20:
                time.sleep(0.05)
            if some.stop % max(AT_ONCE, threats // SAMPLES) == 0:
                while ledger.outstanding("acme"):
                    time.sleep(0.05)
                points.append((some.stop, {role: _resident(pid) for role, pid in processes.items()}))
    return points


def _resident(pid: int) -> float:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / MIB


def _slope(points: list[tuple[int, dict[str, float]]], role: str) -> float:
    """Least squares: MiB per threat."""
    xs, ys = [x for x, _ in points], [point[role] for _, point in points]
    middle, height = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle) * (y - height) for x, y in zip(xs, ys, strict=True)) / (sum((x - middle) ** 2 for x in xs) or 1)
