"""`python -m bench [NAME ...]`: measure in pairs, on one machine, in one run; print tables, ratios first."""

from __future__ import annotations

import argparse
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import beside, capacity, growth, ingest, latency, means, memory, pools, start, throughput
from bench.runs import FULL, QUICK, ROOT, Sizes, Table, environment

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURES: dict[str, Callable[[Sizes], list[Table]]] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "pools": pools.measure,
    "growth": growth.measure,
    "ingest": ingest.measure,
    "memory": memory.measure,
    "start": start.measure,
    "means": means.measure,
    "capacity": capacity.measure,
    "beside": beside.measure,
}
PAGES = (ROOT / "docs" / "performance.md", ROOT / "bench" / "README.md")


def main() -> None:
    arguments = _arguments()
    sizes = QUICK if arguments.quick else FULL if os.environ.get("BENCH_FULL") == "1" else Sizes()
    sizes = replace(sizes, rounds=arguments.rounds or sizes.rounds, commit=arguments.commit)
    where = environment()
    print(f"{where}\n", flush=True)
    found: dict[str, list[Table]] = {}
    for name in arguments.names or [name for name in MEASURES if name != "beside" or arguments.commit]:
        found[name] = MEASURES[name](sizes)
        text = "\n".join(table.markdown() for table in found[name])
        print(f"## {name}\n\n{text}", flush=True)
        if arguments.write:
            _write(name, f"{text}\n{where}.\n")
    if arguments.json:
        tables = {name: [table.as_json() for table in each] for name, each in found.items()}
        arguments.json.write_text(json.dumps({"environment": where, "found": tables}, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios first; BENCH_FULL=1 also fills a ledger with a million.")
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], help="what to measure; everything by default")
    parser.add_argument("--rounds", type=int, help="how often; the medians are printed")
    parser.add_argument("--commit", default="", help="the older one that `beside` holds against this one")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md and bench/README.md")
    arguments = parser.parse_args()
    if "beside" in arguments.names and not arguments.commit:
        parser.error("beside needs --commit, such as --commit HEAD~1")
    return arguments


def _write(name: str, text: str) -> None:
    """Replace what stands between the marks for `name`, where there are any."""
    marks = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end: figures -->)", re.DOTALL)
    for page in PAGES:
        page.write_text(marks.sub(lambda found: found[1] + text + found[2], page.read_text()))


if __name__ == "__main__":
    main()
