"""By the clock: moves are taken out of Redis and chained in files, and what is there is compared with what was accepted and moved.

What differs is told only when the next look finds the same: between two looks at Redis rows move.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..domain.audit import EVERYONE
from ..domain.errors import KeyUnusable, RecordUnusable
from ..domain.events import WorkHindered
from ..domain.standing import Oddity, odd_events, odd_lanes, odd_remotes, odd_rows, odd_switches
from ..domain.text import whole
from .ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..domain.standing import Offered, RowSeen
    from .services import Record, Services

_log = logging.getLogger(__name__)
#: A little less than beat's intervals.
CHAIN_TICK, LOOK_TICK = timedelta(seconds=4.5), timedelta(seconds=55)
#: Moves that are chained in one go: some megabytes.
MOST_MOVES = 5_000
#: Seconds of each tick: what is left is taken by the next.
LONGEST = 4.0
#: Rows of a customer that are looked at in a minute; of more each look takes the next.
MOST_ROWS = 5_000
#: An event has been offered so long ago when it is looked for.
SETTLED = timedelta(minutes=1)
#: Of an oddity so many are told by name.
MOST_NAMED = 5
_ODD = "security: what stands in the ledger does not follow from what was accepted and done"
_KEEP = "on the machine of the worker for housekeeping make room, or mend what is said; until then the ledger keeps what is to be recorded"
_FIX = "find out who may write to Redis besides the workers, and compare with `arctl audit verify`; publish again what is missing"


def chain(services: Services) -> int:
    """Take what has moved, and seal it. Returns how many moves."""
    with _kept(services):
        record = services.record
        if record and services.ledger.tick(f"chain/{record.chains.name()}", CHAIN_TICK):
            return _chain(services, record, record.trail.with_moves())[0]
    return 0


def look(services: Services) -> int:
    """Compare what stands in Redis with the record and the door's list. Returns how many oddities people are told of."""
    with _kept(services):
        record = services.record
        if record and services.ledger.tick(f"look/{record.chains.name()}", LOOK_TICK):
            return _look(services, record)
    return 0


@contextmanager
def _kept(services: Services) -> Iterator[None]:
    """Where nothing can be written or sealed, the ledger keeps what has moved, and people are told."""
    try:
        yield
    except (RecordUnusable, KeyUnusable) as error:
        _log.error("nothing was chained: %s", error)
        _tell(services, EVERYONE, "unusable", [str(error)], what="the record of what is done cannot be kept", fix=_KEEP)


def _look(services: Services, record: Record) -> int:
    _, whole = _chain(services, record, dict.fromkeys((*record.trail.with_moves(), *record.chains.customers())))
    found = dict(_oddities(services, record, whole))
    told = 0
    for customer, oddities in found.items():
        again = [each for each in oddities if each in record.odd.get(customer, ())]
        told += len(again)
        _tell_all(services, customer, again)
    record.odd = found
    return told


def _chain(services: Services, record: Record, customers: Iterable[str]) -> tuple[int, list[str]]:
    """How many moves were chained, and the customers of whom this folder has them all."""
    chained, whole, since = 0, [], services.monotonic()
    for customer in customers:
        taken = _chain_some(services, record, customer)
        while taken == MOST_MOVES and services.monotonic() - since < LONGEST:
            chained += taken
            taken = _chain_some(services, record, customer)
        chained += taken or 0
        whole += [customer] if taken is not None and taken < MOST_MOVES else []
    return chained, whole


def _chain_some(services: Services, record: Record, customer: str) -> int | None:
    """None where another folder has the customer's chain."""
    taken = record.trail.unchained(customer, MOST_MOVES, record.chains.name())
    if taken is None:
        return None
    remarks = record.chains.append(customer, taken)
    if remarks:
        _log.critical("the record of %s: %s", customer, "; ".join(remarks))
        _tell_all(services, customer, [Oddity("record-broken", each) for each in remarks])
    if taken.moves:
        record.trail.chained(customer, taken.first, len(taken.moves))
    return len(taken.moves)


def _oddities(services: Services, record: Record, customers: Iterable[str]) -> Iterator[tuple[str, list[Oddity]]]:
    """By customer; what follows from a chain only of those whose chain is whole."""
    found: defaultdict[str, list[Oddity]] = defaultdict(list)
    for customer in customers:
        found[customer] += _odd_standing(record, customer)
    for customer, oddities in _odd_events(services, record):
        found[customer] += oddities
    found[EVERYONE] += _witnessed(record)
    yield from found.items()


def _witnessed(record: Record) -> list[Oddity]:
    """The ends of chains that have gone on are told elsewhere. What fails is tried again with the next look."""
    ends = {name: anchor for name in record.chains.customers() if (anchor := record.chains.anchor(name))}
    new = {name: anchor for name, anchor in ends.items() if record.witnessed.get(name) != anchor}
    if record.witness and new:
        try:
            record.witness.tell(new)
        except RecordUnusable as error:
            return [Oddity("witness-away", str(error))]
        record.witnessed |= new
    return []


def _odd_standing(record: Record, customer: str) -> Iterator[Oddity]:
    known = record.chains.standing(customer)
    now = record.trail.now()
    yield from odd_switches(known.switches, record.trail.switches(customer), now)
    if customer == EVERYONE:
        return
    states = dict(known.rows)
    names = _next(record, customer, sorted(states))
    rows = record.trail.rows(customer, names)
    yield from odd_rows(states, rows, now)
    yield from _odd_places(record, customer, rows, now)


def _odd_places(record: Record, customer: str, rows: Iterable[RowSeen], now: int) -> Iterator[Oddity]:
    """Where they are to be done."""
    lanes = sorted({row.lane for row in rows if row.lane})
    remotes = sorted({row.remote for row in rows if row.remote})
    yield from odd_lanes(record.trail.lanes(customer, lanes), now)
    yield from odd_remotes(record.trail.remotes(customer, remotes), now)


def _next(record: Record, customer: str, names: list[str]) -> list[str]:
    """As many as one look takes, from where the last one ended; those that were odd then, once more."""
    if len(names) <= MOST_ROWS:
        return names
    after = record.looked_to.get(customer, "")
    some = [name for name in names if name > after][:MOST_ROWS]
    record.looked_to[customer] = some[-1] if len(some) == MOST_ROWS else ""
    odd = {each.what.partition(" ")[0] for each in record.odd.get(customer, ())}
    return sorted({*some, *(name for name in names if name in odd)})


def _odd_events(services: Services, record: Record) -> Iterator[tuple[str, list[Oddity]]]:
    """Of those that were offered since the last look, and of those that were odd then."""
    offered, behind = record.door.unlooked((services.clock.now() - SETTLED).timestamp())
    by_customer: defaultdict[str, list[Offered]] = defaultdict(list)
    for each in (*record.odd_events, *offered):
        by_customer[each.customer].append(each)
    record.odd_events = []
    for customer, events in by_customer.items():
        seen = {each.id: each for each in record.trail.events(customer, sorted({each.id for each in events}))}
        oddities = list(odd_events(events, seen))
        odd = {each.what.split(" ", 2)[1] for each in oddities}
        fresh = set(offered)
        record.odd_events += [each for each in events if each.id in odd and each in fresh]
        yield customer, oddities
    record.door.looked(behind)


def _tell_all(services: Services, customer: str, oddities: Iterable[Oddity]) -> None:
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for each in oddities:
        by_kind[each.kind].append(each.what)
    for kind, words in by_kind.items():
        _log.critical("%s: %s", customer, "; ".join(words[:MOST_NAMED]))
        _tell(services, customer, kind, words)


def _tell(services: Services, customer: str, kind: str, words: list[str], *, what: str = _ODD, fix: str = _FIX) -> None:
    """The TREs, once per kind, customer and day. What is everyone's is told of the first customer."""
    now = services.clock.now()
    owner = next(iter(sorted(services.policies)), None) if customer == EVERYONE else customer
    more = f"; and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    try:
        event = WorkHindered(
            id=f".audit-{kind}{'-everyone' if customer == EVERYONE else ''}-{now:%Y-%m-%d}",
            customer=str(owner),
            occurred_at=now,
            threat_ref="security",
            what=what,
            facts=(
                ("What", whole("; ".join(words[:MOST_NAMED]) + more)),
                ("What to do", fix),
                ("Others", "of this kind, customer and day are told in the log of the worker for housekeeping alone"),
            ),
        )
    except ValidationError:  # who has forged a customer's name that is none is nobody's customer
        return
    ingest(services.ledger, services.doorbell, [event])
