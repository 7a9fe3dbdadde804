"""Whether what people read of was done, or only rehearsed."""

from __future__ import annotations

from enum import StrEnum


class DryRun(StrEnum):
    """How much of it was rehearsed."""

    NO = "no"
    #: Of several actions some were done, and some would have been.
    PARTLY = "partly"
    YES = "yes"

    @property
    def mark(self) -> str:
        """What a headline begins with, so that nobody takes the one for the other."""
        return {DryRun.NO: "", DryRun.PARTLY: "PARTLY DRY RUN: ", DryRun.YES: "DRY RUN: "}[self]
