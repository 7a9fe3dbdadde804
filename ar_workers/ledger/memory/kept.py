"""What the memory ledger keeps of a row, a threat, an event and an endpoint's lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ...domain.states import State

if TYPE_CHECKING:
    from ...domain.events import Event
    from ...domain.rows import NewRow, TimelineEntry
    from ...domain.threats import Threat


@dataclass
class KeptRow:
    """A row as it is kept."""

    id: str
    wish: NewRow
    customer: str
    threat: str
    created_at: datetime
    deadline: datetime
    epoch: int
    state: State = State.PENDING
    reason: str = ""
    waits: int = 0
    frees: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    latest: str = ""
    generations: int = 1
    was: State = State.PENDING
    fence: int = 0
    owner: str = ""
    lease_until: datetime | None = None
    next_at: datetime | None = None
    begun: bool = False
    begun_at: datetime | None = None
    looked_at: datetime | None = None
    performed_at: datetime | None = None
    settled_at: datetime | None = None
    attempts: int = 0
    looks: int = 0
    crashes: int = 0
    generation: int = 1
    receipt: str = ""
    reference: str = ""
    evidence: str = ""
    cancel: str = ""
    held_by: str = ""
    approved: frozenset[str] = frozenset()
    seat: tuple[str, datetime] | None = None
    gathered: list[str] = field(default_factory=list)

    @property
    def is_held_by_guard(self) -> bool:
        """And not by a kill switch, whose scopes are `*`, `edr:NAME` or `verb:NAME`."""
        return not {"*", ":"} & set(self.held_by)

    def unclaimable(self, now: datetime) -> str | None:
        """Why nobody may claim it now, as far as it can tell by itself."""
        if self.state is State.LEASED:
            return "leased" if self.lease_until and self.lease_until > now else None
        if self.state not in {State.PENDING, State.PERFORMED, State.UNKNOWN}:
            return str(self.state)
        return "not due" if self.next_at and self.next_at > now else None


@dataclass
class Dossier:
    """A threat as it is kept."""

    accepted_at: datetime
    threat: Threat | None = None
    closed: str = ""
    closed_at: datetime | None = None
    rows: list[str] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    is_packed: bool = False
    #: By remote: the reference of the first message that it accepted.
    threads: dict[str, str] = field(default_factory=dict)


@dataclass
class Release:
    """How many releases of an endpoint have been planned, and who asked for the last one."""

    generation: int = 0
    asked_by: str = ""


@dataclass
class Lane:
    """Who works on an endpoint now, with how many rows, until when."""

    owner: str
    held: int
    until: datetime


@dataclass
class Window:
    """In which deliveries to one receiver are counted, and the one that is sent for those beyond the limit."""

    ends: datetime
    count: int = 0
    carrier: str = ""


@dataclass
class Incoming:
    """An event as it is kept."""

    event: Event
    state: str = "accepted"
    attempts: int = 0
