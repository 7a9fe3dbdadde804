"""The table of what was tried, and its place in docs/security.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.security.trials.outcome import Outcome, Trial

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
_PLACE = re.compile(r"(?<=<!-- trials -->\n).*?(?=<!-- end: trials -->)", re.DOTALL)
_HEAD = "| Goal | What was tried | Seed | Commit | Tried | Refused | Got through | |\n|---|---|---|---|---:|---:|---:|---|\n"
_CELLS = 8


def commit() -> str:
    """What was tested."""
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, cwd=PAGE.parent, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def line(trial: Trial, outcome: Outcome, seed: int, tested: str) -> str:
    """One line of the table."""
    through = f"{outcome.got_through:,}" if outcome.passed else f"**{outcome.got_through:,}**"
    counts = f"{outcome.tried:,} | {outcome.refused:,} | {through}"
    return f"| {trial.goal} | {trial.what} | {seed} | {tested} | {counts} | {outcome.note} |"


def table(lines: Iterable[str]) -> str:
    """Markdown."""
    return _HEAD + "".join(f"{each}\n" for each in lines)


def in_page(page: str) -> dict[tuple[str, str], str]:
    """The lines that stand in the page, by goal and what was tried."""
    found = _PLACE.search(page)
    rows = found[0].splitlines()[2:] if found else []
    return {(cells[1].strip(), cells[2].strip()): row for row in rows if len(cells := row.split("|")) == _CELLS + 2}


def into_page(page: str, trials: Iterable[Trial], new: dict[tuple[str, str], str]) -> str:
    """The page with the new lines; of trials that were not run its own lines stay, and of those that are no more none."""
    known = in_page(page) | new
    lines = [known[key] for each in trials if (key := (each.goal, each.what)) in known]
    return _PLACE.sub(lambda _: table(lines), page)
