"""Lists that are read along a time: the cursor is an instant, and pages follow each other by instants, not by numbers.

A vendor's page numbers shift when an alert is updated or comes late between two pages, and what is shifted over a
boundary is never seen. So the next page begins at the last instant of the one before, that instant included. Only where
a whole page carries one instant does the vendor's own token lead on; there an update could still shift a row out of sight,
until the next round. Each round begins an overlap before the newest instant that was seen, for what came late. What is
read twice costs nothing: the ledger knows it.

A list along the times of updates shows an alert of years ago when somebody closes it today. So the cursor keeps when polling
began, and each page carries it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..domain.errors import Denied, VendorFault
from ..ports import Page, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..domain.limits import Limits

Row = dict[str, Any]
#: How far before the newest instant a round begins, unless the customer's file says otherwise.
OVERLAP = timedelta(minutes=15)


class Listing(NamedTuple):
    """The vendor's answer: its rows, and its own token of what follows them; empty behind the last."""

    rows: Sequence[Any]
    following: str


@dataclass(frozen=True)
class Walk:
    """One list of a vendor's, and the time that it is read along."""

    name: str
    #: From this instant on, it included, in ascending order; the second argument is a token of the vendor's or empty.
    ask: Callable[[datetime, str], Listing]
    id_of: Callable[[Row], Any]
    #: When the row came or changed; None if it does not say.
    time_of: Callable[[Row], datetime | None]
    #: Without an order of the vendor's, only its tokens lead from page to page.
    is_ordered: bool = True


@dataclass(frozen=True)
class _Place:
    """Where a walk stands: the newest instant ever seen and, within a round, from where and at which token."""

    newest: datetime
    since: datetime | None = None
    token: str = ""

    @classmethod
    def load(cls, kept: dict[str, str]) -> _Place:
        since = kept.get("since")
        return cls(datetime.fromisoformat(kept["newest"]), datetime.fromisoformat(since) if since else None, kept.get("token", ""))

    @property
    def oldest(self) -> datetime:
        """All before was read already."""
        return min(self.newest, self.since or self.newest)

    def dump(self) -> dict[str, str]:
        kept = {"newest": self.newest.isoformat(), "since": self.since.isoformat() if self.since else "", "token": self.token}
        return {name: text for name, text in kept.items() if text}


@dataclass(frozen=True)
class Walks:
    """`ports.Feed` over the lists of one vendor, read one after the other. History is not read: it begins when it is first asked."""

    name: str
    limits: Limits
    walks: tuple[Walk, ...]
    overlap: timedelta = OVERLAP
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def reader(self) -> str:
        """A vendor's format has the vendor's name."""
        return self.name

    def page(self, cursor: str) -> Page:
        """One page of the list whose turn it is."""
        kept = json.loads(cursor) if cursor else {}
        # All lists begin at the same instant, the one that is read last as well.
        new = {"newest": self.now().isoformat()}
        places = {walk.name: kept.get(walk.name) or new for walk in self.walks}
        begun = datetime.fromisoformat(kept["begun"]) if "begun" in kept else min(_Place.load(each).oldest for each in places.values())
        turn = int(kept.get("turn", 0)) % len(self.walks)
        walk = self.walks[turn]
        listing, place = self._step(walk, _Place.load(places[walk.name]))
        is_last = place.since is None and turn == len(self.walks) - 1
        places[walk.name] = place.dump()
        moved = json.dumps({**places, "turn": turn if place.since else (turn + 1) % len(self.walks), "begun": begun.isoformat()})
        return Page(tuple(_records(walk, listing.rows)), moved, is_more=not is_last, begun=begun)

    def _step(self, walk: Walk, place: _Place) -> tuple[Listing, _Place]:
        since = place.since or place.newest - self.overlap
        listing = self._listing(walk, since, place.token)
        instants = [at for row in listing.rows if isinstance(row, dict) and (at := walk.time_of(row))]
        # A clock that is ahead somewhere must not lead the cursor past what is still to come.
        newest = max([place.newest, *(at for at in instants if at <= self.now())])
        if not listing.following:
            return listing, _Place(newest)
        if walk.is_ordered and instants == sorted(instants) and instants and instants[-1] > since:
            return listing, _Place(newest, instants[-1])
        if listing.following == place.token:
            raise VendorFault(f"{self.name}: the list of {walk.name} does not go on behind a page")
        return listing, _Place(newest, since, listing.following)

    @staticmethod
    def _listing(walk: Walk, since: datetime, token: str) -> Listing:
        try:
            return walk.ask(since, token)
        except Denied:
            if not token:
                raise
        # Tokens of a list grow old while nobody reads on: it is read again from the same instant.
        return walk.ask(since, "")


def _records(walk: Walk, rows: Iterable[Any]) -> Iterable[Record]:
    for row in rows:
        yield Record(str(walk.id_of(row) if isinstance(row, dict) else "no object")[:200], row)


def numbered(rows: Sequence[Any], token: str, *, size: int, total: Any) -> Listing:
    """A page of a list whose tokens are numbers of rows; `total` is the vendor's count of them, None if it tells none."""
    reached = int(token or 0) + len(rows)
    is_more = reached < total if isinstance(total, int) else len(rows) >= size
    return Listing(rows, str(reached) if rows and is_more else "")


def instant(value: Any) -> datetime | None:
    """An ISO time as aware UTC, with as many digits after the point as the vendor likes; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def iso(at: datetime) -> str:
    """UTC with microseconds and a Z, which all of the vendors read."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
