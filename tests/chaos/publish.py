"""`python -m tests.chaos.publish FILE`: a publisher with crash points. Run again, it publishes the same again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ar_workers.bootstrap import doorbell_at, ledger_at
from ar_workers.domain.events import load_event
from ar_workers.pipeline.ingest import ingest
from tests.chaos.points import Crashing, Points


def main() -> None:
    points, url = Points(Path(os.environ["CHAOS_FOLDER"])), os.environ["AR_REDIS_URL"]
    ledger, doorbell = Crashing(ledger_at(url), "ledger", points), Crashing(doorbell_at(url), "doorbell", points)
    ingest(ledger, doorbell, [load_event(line) for line in Path(sys.argv[1]).read_text().splitlines()])


if __name__ == "__main__":
    main()
