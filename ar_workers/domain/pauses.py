"""A kill switch that is closed: by whom, since when, why and until when, and how a row that it holds says so."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from pydantic import AwareDatetime

from .model import Value
from .text import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from .canvas import Ring

#: Before what stands where a pause was recorded and is none that anybody can read. It is closed, and has no end.
UNREADABLE = "its record cannot be read: "


class Pause(Value):
    """A closed kill switch. Without `until` it stays closed until somebody opens it; from then on it holds nothing any more.

    Of one that was closed by a version before 0.5 only the reason is known.
    """

    reason: Shown
    by: Shown = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    #: Whether who closed it has signed that: without it anybody may have written it who may write to Redis, and it holds all the same.
    is_signed: bool = False

    def has_ended(self, now: datetime) -> bool:
        """Whether its end has come."""
        return self.until is not None and self.until <= now

    @property
    def ending(self) -> str:
        """` until 2026-12-01 06:00 UTC`; empty where it has no end."""
        return f" until {_minute(self.until)}" if self.until else ""

    def ends_before(self, other: Pause) -> bool:
        """Whether it would let go on sooner what the other holds."""
        return self.until is not None and (other.until is None or self.until < other.until)

    def words(self, scope: str, *, is_everyones: bool) -> str:
        """`paused by kim until 2026-12-01 06:00 UTC (verb:isolate): change freeze`."""
        whom = " for everyone" if is_everyones else ""
        by = f" by {self.by}" if self.by else ""
        return f"paused{whom}{by}{self.ending} ({scope}): {self.reason}"


class Ended(NamedTuple):
    """The pauses that have ended, in words and with whose they were, and what goes on."""

    pauses: list[str]
    rings: list[Ring]


def _minute(at: datetime) -> str:
    """With seconds only where there are any."""
    plain = at.astimezone(UTC)
    return f"{plain:%Y-%m-%d %H:%M:%S} UTC" if plain.second else f"{plain:%Y-%m-%d %H:%M} UTC"
