"""What a scenario found, as one line of a table."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ar_workers.cli.server_binary import server_binary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ar_workers.domain.rows import Row
    from tests.chaos.oracle import Verdict


@dataclass
class Outcome:
    """`figure` is what was to be reached, `counts` what was; `evidence` is for whoever looks into a failure."""

    goal: str
    what: str
    seed: int
    figure: str
    #: Whether what must never happen did not. Whether it was fast enough is another question, and none for `make test`.
    sound: bool
    counts: dict[str, Any] = field(default_factory=dict)
    evidence: str = ""
    timely: bool = True

    @property
    def passed(self) -> bool:
        return self.sound and self.timely

    def line(self, commit: str) -> str:
        counts = ", ".join(f"{name} {_short(value)}" for name, value in self.counts.items())
        return (
            f"| {self.goal} | {self.what} | {self.seed} | {commit} | {counts} | {self.figure} | {'pass' if self.passed else '**FAIL**'} |"
        )


def of(
    goal: str,
    what: str,
    seed: int,
    verdict: Verdict,
    *,
    also: bool = True,
    timely: bool = True,
    figure: str = "0 lost, 0 doubled",
    **counts: Any,
) -> Outcome:
    """The outcome of a storm: clean by the oracle, and whatever else was to hold."""
    found = verdict.counts()
    return Outcome(goal, what, seed, figure, verdict.is_clean and also, {**found, **counts}, str(verdict), timely)


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def commit() -> str:
    """What was tested."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown."""
    head = "| goal | what | seed | commit | counts | figure | result |\n|---|---|---|---|---|---|---|\n"
    name = commit()
    return head + "".join(each.line(name) + "\n" for each in outcomes) + f"\nServer: {server_binary().server}.\n"


def asked_after(isolations: Iterable[Row]) -> list[float]:
    """Seconds from the plan until the EDR had accepted each, or had it already."""
    return [((row.performed_at or row.settled_at) - row.created_at).total_seconds() for row in isolations if row.settled_at]


def seen_after(isolations: Iterable[Row]) -> list[float]:
    """Seconds from the plan until the EDR showed each endpoint as isolated."""
    return [(row.settled_at - row.created_at).total_seconds() for row in isolations if row.settled_at]


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the (sorted or not) values lies; 0 of none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * share))] if found else 0.0
