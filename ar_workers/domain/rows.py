"""What the ledger keeps of an action or a delivery, and of a threat, as it hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime

from .canvas import Queue
from .model import Value
from .states import State
from .threats import Threat

if TYPE_CHECKING:
    from datetime import datetime

RowKind = Literal["action", "delivery"]


class Row(Value):
    """A row as it stands. Times are the ledger's; None means "not yet"."""

    id: str
    customer: str
    threat_id: str
    kind: RowKind
    verb: str
    edr: str = ""
    subject: str
    label: str
    queue: Queue
    state: State
    reason: str = ""
    evidence: str = ""
    reference: str = ""
    #: While it is held, by which guard, or by which kill switch (`*`, `edr:NAME`, `verb:NAME`, and `everyone` before that of all).
    held_by: str = ""
    lane: str | None = None
    attempts: int = 0
    generation: int = 1
    #: Who has requeued it last; empty for what only its source has asked for.
    asked_by: str = ""
    held_at: AwareDatetime | None = None
    created_at: AwareDatetime
    begun_at: AwareDatetime | None = None
    performed_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None
    deadline: AwareDatetime | None = None
    #: Of an isolation: who knows that it is not in effect, and is told of it no more.
    acknowledged_by: str = ""
    acknowledged_why: str = ""
    acknowledged_at: AwareDatetime | None = None
    #: Of a dry run: the EDR is never asked for it; a message tells of one.
    is_dry: bool = False
    #: Skipped for no other reason than the dry run: all that judges had let it pass.
    would: bool = False


@dataclass(frozen=True, kw_only=True)
class Containment:
    """What the EDR last showed of an endpoint, whichever threat or person moved it; `at` is when it was last asked with an answer.

    `since` is when it was first shown isolated, and `threat_id` the threat whose isolation that was, or for which it was found to be so
    already (`is_ours` is False then). `released_by` asked for the last release, if that went through us.
    """

    is_isolated: bool
    at: datetime
    lane: str = ""
    hostname: str = ""
    evidence: str = ""
    since: datetime | None = None
    threat_id: str = ""
    is_ours: bool = True
    released_by: str = ""

    @property
    def words(self) -> str:
        """For a line of a listing."""
        by = f", released by {self.released_by}" if self.released_by and not self.is_isolated else ""
        return f"shown {'contained' if self.is_isolated else 'not contained'} at {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC{by}"


class Seat(Value):
    """A delivery's place in a digest: the row that is sent for all of them, and how long until then."""

    carrier: str
    wait: timedelta


class Acceptance(StrEnum):
    """What `accept` did with an event."""

    NEW = "accepted"
    DUPLICATE = "duplicate"
    #: The same id with other content: refused.
    CONFLICT = "conflict"
    #: Said before, but its source has closed or reopened the threat since: to be accepted as what is said again.
    TURNED = "turned"


class TimelineEntry(Value):
    """One move of one row, or one event, at the ledger's time."""

    at: AwareDatetime
    row: str
    text: str


class ThreatRecord(Value):
    """A threat as the ledger keeps it. `timeline` is oldest first, and empty in lists."""

    customer: str
    id: str
    threat: Threat | None
    accepted_at: AwareDatetime
    closed: str = ""
    timeline: tuple[TimelineEntry, ...] = ()
