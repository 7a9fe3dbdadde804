"""What is sealed, as bytes to be signed, and how a seal is written beside it. No keys here, and no I/O.

Three things are sealed: an event by the role `door`, a plan by the role `respond`, and what a person decides by that person. A seal says
which key signed and when, and holds for `SEALED_FOR`.

One signature covers all events that are accepted together, and one all rows of the plans that are recorded together: it is over the root of
a Merkle tree (as in RFC 6962, section 2.1: leaves and nodes are hashed under different first bytes) whose leaves they are. Each carries its
path to the root, so that it is verified by itself.

What is hashed or signed is a join of its parts, each behind its length in bytes (`5:hello`): two lists of parts never give the same
bytes, and it takes a fraction of what canonical JSON would.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .new_rows import NewRow
    from .people import Decision

#: An action lives for a week, and a person may bring it back some time after it failed.
SEALED_FOR = timedelta(days=30)
#: Bytes of a SHA-256.
_HASH = 32
_LEAF, _NODE = b"\x00", b"\x01"


class Role(StrEnum):
    """Which process may say what: each has keys of its own."""

    #: What was published: `arctl ingest`, `release` and `undo`, and the poller.
    DOOR = "door"
    #: What is to be done about it: the workers that plan.
    RESPOND = "respond"
    #: How far the record goes: the workers for housekeeping.
    AUDIT = "audit"


class Signed(NamedTuple):
    """A signature, and the id of its key."""

    key_id: str
    signature: bytes


@dataclass(frozen=True)
class Flaw:
    """Why something in the ledger is not acted on: nobody who may has said it, or not so. It says what to do next.

    One that `may_pass` is looked at again: another worker may be able to read it.
    """

    reason: str
    may_pass: bool = False


class Seal(NamedTuple):
    """As it is kept: words with a blank between them, of which the last may have more."""

    key_id: str
    #: In ms, by the clock of who signed.
    issued: str
    signature: bytes
    rest: str = ""


class Sealed(NamedTuple):
    """What of a row is sealed: all that decides what is done, to whom, and by whose credential.

    `threat` is the one that it was planned for; it may have been left to another since. `name` is the row's id without the number of its
    repeat, which the ledger adds.
    """

    customer: str
    threat: str
    name: str
    kind: str
    verb: str
    edr: str
    lane: str
    remote: str
    order: str


class Word(NamedTuple):
    """What a person said, or of which guard they said that it is passed; and why."""

    about: str
    by: str
    reason: str


class Together(StrEnum):
    """Of what many are sealed by one signature."""

    EVENTS = "events"
    PLANS = "plan"


class Place(NamedTuple):
    """Where a leaf stands among those that were sealed together: its number, of how many, and the hashes beside its way to the root."""

    number: int
    out_of: int
    path: bytes
    #: For which a row was planned; an event has none.
    event_id: str = ""


def base_name(row_id: str) -> str:
    """A row's id without the number of its repeat."""
    return row_id.partition(".")[0]


def sealed_row(new: NewRow, customer: str, threat: str) -> Sealed:
    """What is sealed of a row that is to be recorded."""
    return Sealed(customer, threat, base_name(new.id), new.kind, new.verb, new.edr, new.lane or "", new.remote, new.order)


def statement_of(what: Together, count: int, root: bytes, issued: str) -> bytes:
    """All that are sealed together."""
    return joined((f"ar_workers {what} 1", str(count), root.hex(), issued))


def decision_statement(decision: Decision, about: Iterable[str], word: Word, issued: str) -> bytes:
    """That a person has decided so about this. What it is `about` names all that tells it from another decision, and from the same on
    another day: `about_row` and its neighbours say how.
    """
    return joined(("ar_workers decision 1", decision, *about, *word, issued))


def about_row(row_id: str, generation: int, detail: str = "") -> tuple[str, ...]:
    """A decision on a row of this generation: to requeue it, to let it pass the guard `detail`, and so on."""
    return row_id.partition(":")[0], row_id, str(generation), detail


def about_switch(customer: str | None, scope: str, since_ms: int, until_ms: int | None) -> tuple[str, ...]:
    """The closing or opening of a kill switch; without a customer that of all."""
    return customer or "", scope, str(since_ms), "" if until_ms is None else str(until_ms)


def about_event(customer: str, event_id: str, text: str) -> tuple[str, ...]:
    """An event that is a person's own word, by its JSON exactly as it is kept."""
    return customer, event_id, hashlib.sha256(text.encode()).hexdigest()


def cursor_statement(customer: str, feed: str, cursor: str, issued: str) -> bytes:
    """How far a feed was read: behind it is acted on, and before it is not."""
    return joined(("ar_workers cursor 1", customer, feed, cursor, issued))


def joined(parts: Iterable[str]) -> bytes:
    """The parts, each behind its length in bytes."""
    return b"".join(b"%d:%b" % (len(each), each) for each in (part.encode() for part in parts))


def event_leaf(customer: str, event_id: str, text: str) -> bytes:
    """An event, by its JSON exactly as it is kept."""
    return hashlib.sha256(_LEAF + joined((customer, event_id, text))).digest()


def row_leaf(row: Sealed, event_id: str) -> bytes:
    """A row of the event's plan."""
    return hashlib.sha256(_LEAF + joined((*row, event_id))).digest()


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree from its leaves up to its root, which is alone. What has nothing beside it goes up as it is."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def path_of(levels: Sequence[Sequence[bytes]], index: int) -> bytes:
    """What stands beside the way of a leaf to the root."""
    path = []
    for level in levels[:-1]:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        index //= 2
    return b"".join(path)


def root_of(leaf: bytes, place: Place) -> bytes | None:
    """The root to which the path leads; None if it is no path of a tree of that size."""
    found, index, count, rest = leaf, place.number, place.out_of, place.path
    if not 0 <= index < count:
        return None
    while count > 1:
        beside = index ^ 1
        if beside < count:
            sibling, rest = rest[:_HASH], rest[_HASH:]
            if len(sibling) != _HASH:
                return None
            found = _node(found, sibling) if index < beside else _node(sibling, found)
        index, count = index // 2, (count + 1) // 2
    return None if rest else found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def written(seal: Seal) -> str:
    """As it is kept."""
    words = (seal.key_id, seal.issued, _text(seal.signature), seal.rest)
    return " ".join(words if seal.rest else words[:-1])


def read_seal(text: str) -> Seal | None:
    """None for what is no seal, or one that is spelled otherwise than we do."""
    key_id, issued, signature, rest = (*text.split(" ", 3), "", "", "", "")[:4]
    try:
        int(issued)
        found = Seal(key_id, issued, _bytes(signature), rest)
    except ValueError:
        return None
    return found if written(found) == text else None


def written_place(place: Place) -> str:
    """What follows the signature in the seal of one among many."""
    words = (str(place.number), str(place.out_of), _text(place.path), place.event_id)
    return " ".join(words if place.event_id else words[:-1])


def read_place(text: str) -> Place | None:
    """None for what is none, likewise."""
    try:
        number, out_of, path, *event_id = text.split(" ", 3)
        found = Place(int(number), int(out_of), _bytes(path), *event_id)
    except ValueError:
        return None
    return found if written_place(found) == text else None


def written_word(word: Word) -> str:
    """What follows the signature in a decision's seal: what people wrote, without any blank or line."""
    return " ".join((word.about, _text(word.by.encode()), _text(word.reason.encode())))


def read_word(text: str) -> Word | None:
    """None for what is none, likewise."""
    try:
        about, by, reason = text.split(" ")
        found = Word(about, _bytes(by).decode(), _bytes(reason).decode())
    except ValueError:
        return None
    return found if written_word(found) == text else None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
