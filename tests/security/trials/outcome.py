"""What a trial is, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """`refused` are those that were held, set aside or refused; what became of the others, `note` says."""

    tried: int
    refused: int
    got_through: int
    note: str = ""
    #: For whoever looks into a failure: the first of what got through.
    evidence: str = ""

    @property
    def passed(self) -> bool:
        """A trial that has tried nothing has shown nothing."""
        return self.tried > 0 and not self.got_through


#: Folder of its own, seed, and how many are to be tried -> what was found. Raises whatever is a fault of the trial itself.
Run = Callable[[Path, int, int], Outcome]


@dataclass(frozen=True)
class Trial:
    """`what` stands in the table; `short` is how many `make test` tries, `full` how many `make security`."""

    goal: str
    what: str
    short: int
    full: int
    run: Run


def counted(tried: int, refused: int, through: list[str], note: str = "") -> Outcome:
    """The outcome of a trial that has kept in words what got through."""
    return Outcome(tried, refused, len(through), note, "\n".join(through[:20]))
