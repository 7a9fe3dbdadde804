"""What all parts of the memory ledger share: its clock, its dicts, and how a row is noted and rung."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...domain.rows import TimelineEntry
from ...domain.scores import Queue, Ring
from ...domain.states import TERMINAL, State
from .remotes import Remote

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ...domain.rows import Containment
    from .kept import Dossier, Incoming, KeptRow, Lane, Release, Window


@dataclass
class Store:
    """The dicts. A key of two parts begins with the customer; an event's name is its ref, a row's its id."""

    now: Callable[[], datetime]
    events: dict[str, Incoming] = field(default_factory=dict)
    threats: dict[tuple[str, str], Dossier] = field(default_factory=dict)
    rows: dict[str, KeptRow] = field(default_factory=dict)
    #: When an event or a row is to be rung; of a leased row, when its lease ends.
    due: dict[str, datetime] = field(default_factory=dict)
    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)
    #: Rows that wait for a lane, in the order in which they get it.
    lane_queues: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    remotes: dict[tuple[str, str], Remote] = field(default_factory=dict)
    #: By lane.
    releases: dict[tuple[str, str], Release] = field(default_factory=dict)
    #: By lane: what the EDR last showed of the endpoint.
    shown: dict[tuple[str, str], Containment] = field(default_factory=dict)
    #: By customer: the isolations that count for the blast radius, and since when.
    isolations: dict[str, dict[str, datetime]] = field(default_factory=dict)
    #: By customer, None is all: the closed kill switches, scope to reason.
    paused: dict[str | None, dict[str, str]] = field(default_factory=dict)
    #: By customer: the keys of what is told only once.
    once: dict[str, set[str]] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    ticks: dict[str, datetime] = field(default_factory=dict)
    cursors: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, customer: str, threat: str, row: str, text: str) -> None:
        """A line in the threat's timeline."""
        self.threats[customer, threat].timeline.append(TimelineEntry(at=self.now(), row=row, text=text))

    def remote(self, customer: str, name: str) -> Remote:
        """Known from when it is first asked for."""
        return self.remotes.setdefault((customer, name), Remote(name))

    def epoch(self, customer: str, lane: str | None) -> int:
        """How many releases the endpoint has seen: an isolation of an earlier epoch is superseded."""
        found = self.releases.get((customer, lane or ""))
        return found.generation if found else 0

    def ring(self, name: str) -> Ring:
        """For an event or a row."""
        if name in self.events:
            return Ring(id=name, queue=Queue.RESPOND, label=f"plan {name.partition(':')[2]}")
        wish = self.rows[name].wish
        return Ring(id=name, queue=wish.queue, label=wish.label, lane=wish.lane or "")

    def unsettled(self, customer: str, threat_id: str) -> list[Ring]:
        """See `ports.Ledger`."""
        dossier = self.threats.get((customer, threat_id))
        names = dossier.rows if dossier else []
        settled = TERMINAL | {State.HELD}
        return [self.ring(name) for name in names if self.rows[name].state not in settled]
