"""The audit record: what a link of a customer's chain is, what follows from the chain, and what must not differ from it. No I/O.

A link is one line of canonical JSON (sorted keys, no blanks, UTF-8). `prev` in it is the SHA-256 of the line before, so that nothing can be
changed, taken away or put elsewhere without all that follows. A signature over the newest link, the anchor, ends it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast

from .seals import joined
from .states import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Whose chain tells of the kill switches of all customers. No customer has such a name.
EVERYONE = "_everyone"
#: What the first link names as the one before it.
GENESIS = "0" * 64
#: What begins the row of a move that is a kill switch's, and the text of one that closes it.
SWITCH = "switch/"
CLOSED = "closed: "
#: Who says what no move says: the chain of itself.
CHAIN = "chain"
#: Of what was cut from a timeline, and of what was put into it, so much is told.
MOST_SHOWN = 3
_MOVED = re.compile(r"^(?:[a-z]+ -> )?([a-z]+)(?:: | \(dry run\)|$)", re.DOTALL)
_STATES = {"waiting", "pending", "performed", "unknown", "held", *TERMINAL}


class Move(NamedTuple):
    """As the ledger tells it, by its number: a row's or an event's, or a kill switch's. `at` is in ms of the ledger's clock."""

    number: int
    at: int
    threat: str
    row: str
    text: str
    by: str = ""
    evidence: str = ""


class Moves(NamedTuple):
    """Those that nobody has chained yet, from number `first` on, and what the ledger's clock shows."""

    first: int
    now: int
    moves: list[Move]


class Anchor(NamedTuple):
    """What a chain was signed to be, and the seal."""

    seq: int
    digest: str
    seal: str


class TimelineSeen(NamedTuple):
    """A threat's timeline as the ledger shows it: `(ms, row, text)` each, the oldest first. Of one that `is_short` the oldest are gone."""

    threat: str
    moves: list[tuple[int, str, str]]
    is_short: bool


class Link(TypedDict):
    """A line of a chain. What the chain says of itself has no number."""

    at: int
    by: str
    customer: str
    evidence: str
    number: int | None
    prev: str
    row: str
    seq: int
    text: str
    threat: str


class Head(NamedTuple):
    """The newest link: its place, its hash, and the number of the newest move in the chain."""

    seq: int = 0
    digest: str = GENESIS
    number: int = -1


#: Before the first link.
START = Head()


class Finding(NamedTuple):
    """Where something is not as it was written, and what."""

    place: str
    what: str


def move_of(number: int, text: str) -> Move:
    """A move as the ledger's scripts write it; of what somebody else wrote there all that can be told."""
    try:
        at, threat, row, said, by, evidence = json.loads(text)
        return Move(number, int(at), *map(str, (threat, row, said, by, evidence)))
    except (ValueError, TypeError):
        return Move(number, 0, "", "", f"unreadable: {text[:500]}")


def written_move(at: int, row: str, text: str, *, evidence: str = "") -> str:
    """Of a kill switch, which no script moves."""
    return json.dumps([str(at), "", row, text, "", evidence])


def link_of(customer: str, head: Head, move: Move) -> Link:
    """What follows the head."""
    return Link(
        at=move.at,
        by=move.by,
        customer=customer,
        evidence=move.evidence,
        number=move.number if move.number >= 0 else None,
        prev=head.digest,
        row=move.row,
        seq=head.seq + 1,
        text=move.text,
        threat=move.threat,
    )


def line_of(link: Link) -> bytes:
    """Without its end. What is no Unicode is escaped, so that whatever somebody wrote can be kept."""
    text = json.dumps(link, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def digest_of(line: bytes) -> str:
    """By what the next link names it."""
    return hashlib.sha256(line).hexdigest()


def following(head: Head, link: Link, line: bytes) -> Head:
    """The head, once the link stands there."""
    number = link["number"]
    return Head(link["seq"], digest_of(line), head.number if number is None else number)


def says(text: str, at: int) -> Move:
    """What the chain says of itself."""
    return Move(-1, at, "", "", text, CHAIN)


def begins(month: str) -> str:
    """What the first link of each file says, so that a head that was cut off is missed."""
    return f"{month} begins"


def anchor_statement(customer: str, seq: int, digest: str, issued: str) -> bytes:
    """That a chain goes so far."""
    return joined(("ar_workers audit 1", customer, str(seq), digest, issued))


def state_after(text: str) -> str:
    """Where a move brings its row; empty for what moves none."""
    found = _MOVED.match(text)
    return found[1] if found and found[1] in _STATES else ""


@dataclass
class Standing:
    """What follows from a chain: rows that are not settled, by id with their states, and closed switches with the ends of their pauses,
    in ms.
    """

    rows: dict[str, str] = field(default_factory=dict)
    switches: dict[str, float | None] = field(default_factory=dict)

    def add(self, row: str, text: str, evidence: str) -> None:
        """One more move."""
        if row.startswith(SWITCH):
            scope = row.removeprefix(SWITCH)
            if text.startswith(CLOSED):
                self.switches[scope] = _end_of(evidence)
            else:
                self.switches.pop(scope, None)
            return
        state = state_after(text)
        if state in TERMINAL:
            self.rows.pop(row, None)
        elif state:
            self.rows[row] = state


def _end_of(pause: str) -> float | None:
    """As the ledger keeps it. None for one that has no end, or of which that cannot be told."""
    try:
        return float(json.loads(pause)["until"])
    except (ValueError, TypeError, KeyError):
        return None


def timeline_findings(seen: TimelineSeen, chained: Sequence[tuple[int, str, str]], *, since: int, read_at: int) -> Iterator[Finding]:
    """How a timeline, as the ledger shows it, differs from what the chain has of the threat, likewise.

    The chain began at `since`. Moves after `read_at` the timeline need not have.
    """
    place = f"threat {seen.threat}"
    known = [each for each in seen.moves if each[0] >= since]
    wanted = list(chained)
    while len(wanted) > len(known) and wanted[-1][0] >= read_at:
        wanted.pop()
    if known == wanted or (seen.is_short and known and known == wanted[-len(known) :]):
        return
    if not seen.moves:
        yield Finding(place, f"its {len(wanted)} moves are not in the ledger any more: somebody who may write to Redis took them away")
        return
    missing, extra = _less(wanted, known), _less(known, wanted)
    if seen.is_short and known:
        missing = [each for each in missing if each[0] > known[0][0]]
    for at, row, text in missing[:MOST_SHOWN]:
        yield Finding(place, f"its timeline was cut: {_instant(at)} {row}: {text}: is in the record alone")
    for at, row, text in extra[:MOST_SHOWN]:
        yield Finding(place, f"its timeline was changed: {_instant(at)} {row}: {text}: is in the ledger alone")
    if not missing and not extra:
        yield Finding(place, "its timeline has another order than the record")


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _less(some: Iterable[tuple[int, str, str]], others: Iterable[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    left: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for each in others:
        left[each] += 1
    found = []
    for each in some:
        left[each] -= 1
        if left[each] < 0:
            found.append(each)
    return found


def as_link(document: Any) -> Link | None:
    """A line that was read, if it is one of ours."""
    if not isinstance(document, dict) or document.keys() != Link.__annotations__.keys():
        return None
    numbers = isinstance(document["seq"], int) and isinstance(document["at"], int)
    words = all(isinstance(document[each], str) for each in ("by", "customer", "evidence", "prev", "row", "text", "threat"))
    return cast("Link", document) if numbers and words else None
