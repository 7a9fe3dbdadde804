"""Rows of a threat as the remediation summary: what was done, what was not, and what is left to whom."""

from __future__ import annotations

from datetime import UTC
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime

from .dry_runs import DryRun
from .endpoints import VENDOR_NAMES
from .model import Value
from .states import State
from .text import Identifier, Line, Whole, otherwise, whole
from .threats import Severity, Url
from .verbs import CONTAINMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from .rows import Containment, Row
    from .threats import Threat

#: Of one section. A summary is kept once per receiver, and mail readers hide what is beyond 100 KB.
MOST_ENTRIES = 100

_DONE = {State.DONE, State.ALREADY}
_NOT_NEEDED = {State.SKIPPED, State.CANCELLED}

#: The outcome in words. `failed` is what was given up: of an order that was accepted nobody may say that it failed.
OUTCOMES = {
    State.DONE: "done",
    State.ALREADY: "was already so",
    State.SKIPPED: "skipped",
    State.CANCELLED: "called off",
    State.FAILED: "given up",
    State.HELD: "held",
    State.UNKNOWN: "outcome unknown",
    State.PERFORMED: "accepted, not yet seen to be so",
    State.WAITING: "waits for an earlier step",
    State.PENDING: "not done yet",
    State.LEASED: "being worked on",
}


class Who(StrEnum):
    """Who has the next step."""

    CUSTOMER = "your team"
    TRE = "the TREs"
    AUTOMATION = "automation"


class Entry(Value):
    """One action as people read of it; every text is one line.

    `why` is the reason of a "no", or the evidence that the EDR showed; `reference` is the EDR's own id. `accepted_at` is
    when the EDR took the order, `settled_at` when the outcome was recorded; `is_verified` says that the EDR showed it.
    `who` and `todo` say what is still to be done.
    """

    verb: Line
    subject: Annotated[Whole, otherwise("unnamed")]
    outcome: Line
    is_verified: bool = False
    edr: str = ""
    why: Whole = ""
    reference: Whole = ""
    accepted_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    who: Who | None = None
    todo: str = ""

    @property
    def line(self) -> str:
        """All in one, for channels that have room for no more."""
        todo = f"; {self.who}: {self.todo}" if self.who else ""
        outcome = f"{self.outcome}: {self.why}" if self.why and self.who else self.why or self.outcome
        return f"{self.verb} {self.subject} ({outcome}){todo}"


class Section(Value):
    """Entries in plan order; `left_out` are not shown."""

    title: Line
    entries: tuple[Entry, ...] = ()
    left_out: int = 0

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return len(self.entries) + self.left_out


class Summary(Value):
    """What became of a threat. Every action of it is in exactly one section.

    `accepted_at` is when the publication reached us; None if the ledger does not know. `isolated` are endpoints of which the EDR
    last showed that they are, whatever threat isolated them: they are off the network unless somebody released them elsewhere.
    """

    threat_id: Identifier
    severity: Severity
    classification: Line
    url: Url
    accepted_at: AwareDatetime | None = None
    outstanding: Section = Section(title="Outstanding")
    completed: Section = Section(title="Completed")
    not_done: Section = Section(title="Not done")
    would: Section = Section(title="Would be done (DRY RUN)")
    dry_run: DryRun = DryRun.NO
    isolated: tuple[Annotated[Whole, otherwise("unnamed")], ...] = ()

    @property
    def sections(self) -> tuple[Section, ...]:
        """Those that are not empty; first what somebody has to act on, so that it is the last to be clipped."""
        return tuple(each for each in (self.outstanding, self.completed, self.not_done, self.would) if each.total)

    @property
    def counts(self) -> str:
        """The whole in one line."""
        yours = sum(each.who is Who.CUSTOMER for each in self.outstanding.entries)
        mine = f" ({yours} for {Who.CUSTOMER})" if yours else ""
        rehearsed = f"; {self.would.total} would be done (DRY RUN)" if self.would.total else ""
        return f"{self.completed.total} completed, {self.not_done.total} not done, {self.outstanding.total} outstanding{mine}{rehearsed}"

    def facts(self) -> tuple[tuple[str, str], ...]:
        """As label and value, for channels that do not lay a summary out."""
        lines = [(section.title, line) for section in self.sections for line in _lines(section)]
        isolated = [("Still isolated", host) for host in self.isolated]
        return tuple((label, whole(line)) for label, line in lines + isolated)


def how_dry(rows: Iterable[Row]) -> DryRun:
    """Whether the actions among these rows were rehearsed: all of them, some, or none."""
    dry = [row.is_dry for row in rows if row.kind == "action"]
    return DryRun.NO if not any(dry) else DryRun.YES if all(dry) else DryRun.PARTLY


def summarise(
    rows: Iterable[Row], threat: Threat, accepted_at: datetime | None = None, shown: Mapping[str, Containment] = MappingProxyType({})
) -> Summary:
    """The actions of a threat, in plan order; deliveries are not the customer's concern.

    `shown` is by lane what the EDR last showed of the endpoints. One that it lacks is judged by the threat's own rows.
    """
    actions = [row for row in rows if row.kind == "action"]
    return Summary(
        threat_id=threat.id,
        severity=threat.severity,
        classification=threat.classification,
        url=threat.url,
        accepted_at=accepted_at,
        outstanding=_section("Outstanding", [row for row in actions if row.state not in _DONE | _NOT_NEEDED]),
        completed=_section("Completed", [row for row in actions if row.state in _DONE]),
        not_done=_section("Not done", [row for row in actions if row.state in _NOT_NEEDED and not row.would]),
        would=_section("Would be done (DRY RUN)", [row for row in actions if row.would]),
        dry_run=how_dry(actions),
        isolated=_isolated(actions, shown),
    )


def _section(title: str, rows: Sequence[Row]) -> Section:
    return Section(title=title, entries=tuple(map(_entry, rows[:MOST_ENTRIES])), left_out=max(0, len(rows) - MOST_ENTRIES))


def _lines(section: Section) -> list[str]:
    more = [f"… ({section.left_out} more, see the threat)"] if section.left_out else []
    return [entry.line for entry in section.entries] + more


def _isolated(actions: Sequence[Row], shown: Mapping[str, Containment]) -> tuple[str, ...]:
    """The endpoints that the threat was to move and that are isolated, in plan order."""
    moves = [row for row in actions if row.lane and row.verb in CONTAINMENT]
    last = {row.lane: row.verb == "isolate" for row in moves if row.state in _DONE}
    last |= {lane: found.is_isolated for lane, found in shown.items()}
    subjects = {row.lane: row.subject for row in moves if last.get(row.lane)}
    return tuple(subjects.values())[:MOST_ENTRIES]


def _entry(row: Row) -> Entry:
    who, todo = (None, "") if row.state in _DONE | _NOT_NEEDED else _next_step(row)
    return Entry(
        verb=row.verb.replace("_", " "),
        subject=row.subject,
        outcome=outcome_of(row),
        is_verified=row.state in _DONE,
        edr=_name(row),
        why=" ".join((row.reason or row.evidence).split()),
        reference=row.reference,
        accepted_at=row.performed_at,
        settled_at=row.settled_at,
        who=who,
        todo=todo,
    )


def outcome_of(row: Row) -> str:
    """In words, of which none can be taken for those of an action if it was rehearsed."""
    return "would be done (dry run)" if row.would else f"{OUTCOMES[row.state]} (dry run)" if row.is_dry else OUTCOMES[row.state]


def _name(row: Row) -> str:
    return VENDOR_NAMES.get(row.edr, row.edr)


#: What a customer can do about an error that the reason names, whether it has been given up or not.
_CURES = {
    "EndpointOffline": "connect the endpoint again, or do it there by hand",
    "EndpointNotFound": "find the endpoint: the EDR does not know it any more",
    "Unreadable": "end what holds the file open, or restart the endpoint",
    "AuthRefused": "give the TREs access again: the EDR refuses their credentials",
}


def _next_step(row: Row) -> tuple[Who, str]:
    """Who has to do what about a row that is not settled well."""
    edr = _name(row) or "the EDR"
    cure = next((step for word, step in _CURES.items() if word in row.reason), None)
    match row.state:
        case State.HELD if row.reason.startswith("protected"):
            return Who.CUSTOMER, "you protect this endpoint: tell the TREs whether it may be done"
        case State.HELD:
            return Who.TRE, "approve it or call it off"
        case _ if cure:
            return Who.CUSTOMER, cure
        case State.UNKNOWN:
            return Who.AUTOMATION, f"looks in {edr} whether it took effect, and repeats nothing before"
        case State.PERFORMED:
            return Who.AUTOMATION, f"looks again until {edr} shows it{_until(row)}"
        case State.FAILED if row.begun_at:
            return Who.CUSTOMER, f"look in {edr} whether it is in effect; if not, do it there or ask the TREs to try again"
        case State.FAILED:
            return Who.CUSTOMER, f"do it in {edr}, or ask the TREs to try again"
        case _:
            return Who.AUTOMATION, f"goes on trying{_until(row)}"


def _until(row: Row) -> str:
    return f", until {row.deadline.astimezone(UTC):%Y-%m-%d %H:%M} UTC at the latest" if row.deadline else ""
