"""Whether what stands in the ledger follows from what was accepted and moved: what somebody took away, moved or held up. No I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from .retries import LONGEST_RETRY_AFTER
from .states import State
from .verbs import CONTAINMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: AR_LEASE_SECONDS is at most ten minutes: nobody works for longer without having said so again.
LONGEST_LEASE = timedelta(minutes=10)
#: Clocks of servers differ, and a look takes a while.
SLACK = timedelta(minutes=1)
#: No isolation or release waits longer for its next look. Of the rest each waits for its turn at its remote, or for business hours.
LONGEST_WAIT, LONGEST_TURN = 2 * LONGEST_RETRY_AFTER, timedelta(days=7)
_NOT_DUE = {State.WAITING, State.HELD}


class RowSeen(NamedTuple):
    """A row as it stands; `due` is when it is to be looked at, in ms, or None for never."""

    id: str
    state: str
    was: str
    lane: str
    remote: str
    due: float | None


class EventSeen(NamedTuple):
    """An event as it stands, likewise; its state is empty where there is none."""

    id: str
    state: str
    checksum: str
    due: float | None
    has_rows: bool


class RemoteSeen(NamedTuple):
    """Until when a remote is left alone, as it asked or by its breaker, and until when a visit is with it; in ms."""

    name: str
    blocked: float
    open: float
    busy: float


class Oddity(NamedTuple):
    """What does not follow: its kind, of which people are told once a day, and the words."""

    kind: str
    what: str


class Offered(NamedTuple):
    """An event as the door wrote it down before the ledger was asked; `at` is in seconds."""

    id: str
    customer: str
    checksum: str
    sha256: str
    type: str
    at: float


def is_urgent(row_id: str) -> bool:
    """Whether it isolates or releases: a row's id is CUSTOMER:VERB:CHECKSUM."""
    return row_id.split(":")[1:2] in [[verb] for verb in CONTAINMENT]


def odd_rows(known: Mapping[str, str], seen: Iterable[RowSeen], now: float) -> Iterator[Oddity]:
    """Of rows that the chain says to be unsettled, by id with their states."""
    for row in seen:
        state = row.was if row.state == State.LEASED else row.state
        if not row.state:
            yield Oddity("row-gone", f"{row.id} is {known[row.id]} by the record, and not in the ledger any more")
        elif state != known[row.id]:
            yield Oddity("row-moved", f"{row.id} is {state} in the ledger, and {known[row.id]} by the record: nothing says who moved it")
        elif row.state not in _NOT_DUE and row.due is None:
            yield Oddity("row-held-up", f"{row.id} is {state}, and nothing will look at it again")
        elif row.due is not None and row.due - now > _ms(LONGEST_WAIT if is_urgent(row.id) else LONGEST_TURN):
            yield Oddity("row-held-up", f"{row.id} is put off for longer than anything puts it off")


def odd_lanes(lanes: Mapping[str, float], now: float) -> Iterator[Oddity]:
    """An endpoint on which somebody works for longer than he could."""
    for lane, until in lanes.items():
        if until - now > _ms(LONGEST_LEASE + SLACK):
            yield Oddity("lane-blocked", f"endpoint {lane} is said to be worked on for longer than any lease")


def odd_remotes(remotes: Iterable[RemoteSeen], now: float) -> Iterator[Oddity]:
    """A remote that is left alone for longer than we ever do."""
    for each in remotes:
        if each.blocked - now > _ms(LONGEST_RETRY_AFTER + SLACK) or each.open - now > _ms(SLACK):
            yield Oddity("remote-blocked", f"{each.name} is left alone for longer than it can have asked for")
        elif each.busy - now > _ms(LONGEST_LEASE + SLACK):
            yield Oddity("remote-blocked", f"a visit is said to be with {each.name} for longer than any lease")


def odd_switches(known: Mapping[str, float | None], closed: Iterable[str], now: float) -> Iterator[Oddity]:
    """Kill switches that nobody is recorded to have opened or closed. `known` is by scope when the pause ends."""
    found = set(closed)
    for scope, until in known.items():
        if scope not in found and (until is None or until > now):
            yield Oddity("switch-opened", f"the kill switch {scope} is open, and nobody is recorded to have opened it")
    for scope in found - known.keys():
        yield Oddity("switch-closed", f"the kill switch {scope} is closed, and nobody is recorded to have closed it")


def odd_events(offered: Iterable[Offered], seen: Mapping[str, EventSeen]) -> Iterator[Oddity]:
    """Events that the door has handed over, and that are not in the ledger as they were, or of which nothing comes."""
    for each in offered:
        event = seen[each.id]
        if not event.state:
            yield Oddity("event-gone", f"event {each.id} was handed over, and is not in the ledger")
        elif event.checksum != each.checksum:
            yield Oddity("event-changed", f"event {each.id} has another content in the ledger than was handed over")
        elif event.state == "accepted" and event.due is None:
            yield Oddity("event-held-up", f"event {each.id} was accepted, and nothing will plan it")
        elif event.state == "planned" and each.type == "threat_published" and not event.has_rows:
            yield Oddity("event-without-rows", f"event {each.id} is planned, and its threat has no rows")


def _ms(span: timedelta) -> float:
    return span.total_seconds() * 1000
