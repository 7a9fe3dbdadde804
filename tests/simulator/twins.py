"""The vendors that have a twin."""

from pathlib import Path

from ar_workers import simulator

TWINS = sorted(path.parent.name for path in Path(simulator.__file__).parent.glob("*/twin.py"))
