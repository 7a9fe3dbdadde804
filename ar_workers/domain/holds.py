"""What a guard holds waits for a person, but not for ever."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from .text import Span


class HoldEnd(StrEnum):
    """What becomes of what nobody has decided in time. That nobody says anything lets nothing pass."""

    DENY = "deny"
    #: It waits on, and people go on being reminded.
    KEEP = "keep"


def _within_its_seal(span: timedelta) -> timedelta:
    """A row's seal holds for 30 days, of which an isolation that is let pass may need seven."""
    if not timedelta(hours=1) <= span <= timedelta(days=21):
        raise ValueError("must be from 1h to 504h")
    return span


HoldLife = Annotated[Span, AfterValidator(_within_its_seal)]


class HoldTerms(NamedTuple):
    """After so long a hold ends (None: never), and people are first told again."""

    life: timedelta | None
    remind_after: timedelta
