"""`python -m bench.peers NAME THREATS`: one run against BENCH_REDIS_URL; prints what was measured as JSON."""

from __future__ import annotations

import importlib
import json
import sys

from bench.peers.stage import run


def main(name: str, threats: int) -> None:
    peer = importlib.import_module(f"bench.peers.{name}")
    print(json.dumps(run(peer, threats)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
