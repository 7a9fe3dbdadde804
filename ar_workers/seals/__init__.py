"""Seals: what the ledger's events, rows and approvals are sealed with, and how they are told from what somebody else wrote there.

`domain.seals` says what is sealed, `folder` keeps the keys of a machine in files, `people` knows who may decide and has the key of who
decides here, `ring` signs and verifies.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.audit import anchor_statement
from ..domain.guards import Guard
from ..domain.people import Decision, may, refusal
from ..domain.seals import (
    SEALED_FOR,
    Flaw,
    Place,
    Role,
    Seal,
    Together,
    Word,
    about_event,
    about_row,
    cursor_statement,
    decision_statement,
    event_leaf,
    levels_of,
    path_of,
    read_place,
    read_seal,
    read_word,
    root_of,
    row_leaf,
    statement_of,
    written,
    written_place,
    written_word,
)
from ..domain.text import shortened
from .folder import FolderKeyring
from .people import people_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ..domain.seals import Sealed
    from ..ports import Keyring, People

    #: What the signature is over, once it is known when it was made; None where the seal does not fit.
    Statement = Callable[[Seal], bytes | None]

_SEALED_FOR_MS = SEALED_FOR.total_seconds() * 1000
#: An event of such a type may be a person's own word, which says `requested_by` whom.
_ASKED_BY_A_PERSON = {"release_requested": Decision.RELEASE, "undo_requested": Decision.UNDO}
_SAY_AGAIN = "let somebody who may decide it again"
_ANEW = "publish the threat again, as an event with another id"
#: What there is to do about a cursor; there is no older one to go by.
_BEGIN_NOW = "take it out of the ledger (`HDEL ar:{{{customer}}}:cursors {feed}`): polling then begins now"
_UNSEALED = (
    "it has no seal: a version before seals wrote it, or somebody who may write to Redis. Find out which: for the first, "
    "docs/operations.md says how to upgrade (AR_UNSEALED); otherwise "
)
_UNFIT = "its seal does not fit: somebody who may write to Redis has changed it. Find out who, then "
_NO_ANCHOR = "it bears no seal: it was taken away, or no worker for housekeeping has the key of `audit`"
_COMPARE = "compare the record with what was copied elsewhere"
_EXPIRED = f"its seal is older than {SEALED_FOR.days} days: if it is still wanted, "


class Seals:
    """`ports.Seals` with the keys of one keyring, and the people who decide."""

    def __init__(self, keyring: Keyring, *, people: People, allows_unsealed: bool = False, now: Callable[[], float] = time.time) -> None:
        self._keyring, self._people, self._allows_unsealed, self._now = keyring, people, allows_unsealed, now

    def check(self, *roles: Role) -> None:
        self._keyring.check(*roles)
        self._people.check()

    def events(self, events: Sequence[tuple[str, str, str]]) -> list[str]:
        return self._together(Role.DOOR, Together.EVENTS, [(event_leaf(*each), "") for each in events])

    def event_flaw(self, customer: str, event_id: str, text: str, seal: str) -> Flaw | None:
        if any(f" {decision} " in seal for decision in _ASKED_BY_A_PERSON.values()):
            return self._asked_flaw(customer, event_id, text, seal)
        return self._flaw(Role.DOOR, seal, partial(_among, Together.EVENTS, lambda _: event_leaf(customer, event_id, text)))

    def plans(self, rows: Sequence[tuple[str, Sealed]]) -> list[str]:
        return self._together(Role.RESPOND, Together.PLANS, [(row_leaf(row, event_id), event_id) for event_id, row in rows])

    def row_flaw(self, row: Sealed, seal: str) -> Flaw | None:
        return self._flaw(Role.RESPOND, seal, partial(_among, Together.PLANS, lambda place: row_leaf(row, place.event_id)))

    def approval(self, row_id: str, generation: int, guard: str, *, by: str, reason: str) -> str:
        return self._decided(Decision.APPROVE, about_row(row_id, generation, guard), Word(guard, by, reason))

    def approved(
        self, row_id: str, generation: int, named: Collection[str], approvals: Sequence[str]
    ) -> tuple[dict[str, str], Flaw | None]:
        words = {guard: self._word_on(row_id, generation, guard, approvals) for guard in named}
        # The worker asks every other guard by itself; this one the ledger has asked, and it took the word as it stands.
        flaw = words.get(Guard.BLAST_RADIUS)
        reason = Flaw(f"somebody let it pass {Guard.BLAST_RADIUS}, and of that word, {flaw.reason}") if isinstance(flaw, Flaw) else None
        return {guard: word.by for guard, word in words.items() if isinstance(word, Word)}, reason

    def _word_on(self, row_id: str, generation: int, guard: str, approvals: Sequence[str]) -> Word | Flaw:
        """The last word on a guard counts."""
        found = next((each for each in reversed(approvals) if f" {guard} " in each), "")
        if not found and self._allows_unsealed:
            return Word(guard, "", "")
        return self._said(Decision.APPROVE, about_row(row_id, generation, guard), found, life_ms=_SEALED_FOR_MS)

    def word(self, decision: Decision, about: tuple[str, ...], *, by: str, reason: str = "") -> str:
        return self._decided(decision, about, Word(decision, by, reason))

    def said(self, decision: Decision, about: tuple[str, ...], word: str) -> Word | Flaw:
        return self._said(decision, about, word)

    def may(self, name: str, decision: Decision) -> bool:
        return any(each.name == name and may(each.role, decision) for each in self._people.everybody())

    def asked(self, customer: str, event_id: str, text: str, *, by: str) -> str:
        return self.word(_ASKED_BY_A_PERSON[json.loads(text)["type"]], about_event(customer, event_id, text), by=by)

    def _decided(self, decision: Decision, about: tuple[str, ...], word: Word) -> str:
        issued = str(round(self._now() * 1000))
        key_id, signature = self._people.sign(decision, word.by, decision_statement(decision, about, word, issued))
        return written(Seal(key_id, issued, signature, written_word(word)))

    def _said(self, decision: Decision, about: tuple[str, ...], text: str, *, life_ms: float | None = None) -> Word | Flaw:
        """Signed, by somebody who may, under their own name."""
        if not text:
            return Flaw(_UNSEALED + _SAY_AGAIN)
        seal = read_seal(text)
        word = seal and read_word(seal.rest)
        if seal is None or word is None:
            return Flaw(_UNFIT + _SAY_AGAIN)
        person = self._people.by_key(seal.key_id)
        if person is None:
            return Flaw(_by_nobody(seal.key_id, self._people.place) + _SAY_AGAIN)
        signed = decision_statement(decision, about, word, seal.issued)
        if person.name != word.by or not self._people.is_signed(seal.key_id, signed, seal.signature):
            return Flaw(_UNFIT + _SAY_AGAIN)
        no = refusal(person, decision, self._people.everybody())
        if no:
            return Flaw(f"{no}: let somebody do it who may")
        return Flaw(_EXPIRED + _SAY_AGAIN) if life_ms and self._now() * 1000 - int(seal.issued) > life_ms else word

    def _asked_flaw(self, customer: str, event_id: str, text: str, seal: str) -> Flaw | None:
        """Of what says to be a person's word: only some events can be, and only under their own name."""
        kind, by = _asked_in(text)
        decision = _ASKED_BY_A_PERSON.get(kind)
        if decision is None:
            return Flaw(_UNFIT + _SAY_AGAIN)
        word = self._said(decision, about_event(customer, event_id, text), seal, life_ms=_SEALED_FOR_MS)
        if isinstance(word, Flaw):
            return word
        return None if word.by == by else Flaw(_UNFIT + _SAY_AGAIN)

    def cursor(self, customer: str, feed: str, cursor: str) -> str:
        return self._sealed(Role.DOOR, lambda issued: cursor_statement(customer, feed, cursor, issued))

    def cursor_flaw(self, customer: str, feed: str, cursor: str, seal: str) -> Flaw | None:
        if self._allows_unsealed:  # a poller of an older version moves it and leaves the seal behind
            return None
        return self._flaw(
            Role.DOOR,
            seal,
            lambda found: cursor_statement(customer, feed, cursor, found.issued),
            _BEGIN_NOW.format(customer=customer, feed=feed),
            life_ms=None,
        )

    def anchor(self, customer: str, seq: int, digest: str) -> str:
        return self._sealed(Role.AUDIT, lambda issued: anchor_statement(customer, seq, digest, issued))

    def anchor_flaw(self, customer: str, seq: int, digest: str, seal: str) -> Flaw | None:
        if not seal:
            return Flaw(_NO_ANCHOR)
        return self._flaw(Role.AUDIT, seal, lambda found: anchor_statement(customer, seq, digest, found.issued), _COMPARE, life_ms=None)

    def _together(self, role: Role, what: Together, leaves: Sequence[tuple[bytes, str]]) -> list[str]:
        """One signature for all leaves, of which each has its place."""
        if not leaves:
            return []
        levels, count = levels_of([leaf for leaf, _ in leaves]), len(leaves)
        seal = self._sealed(role, lambda issued: statement_of(what, count, levels[-1][0], issued))
        places = (Place(number, count, path_of(levels, number), event_id) for number, (_, event_id) in enumerate(leaves))
        return [f"{seal} {written_place(place)}" for place in places]

    def _sealed(self, role: Role, statement: Callable[[str], bytes]) -> str:
        issued = str(round(self._now() * 1000))
        key_id, signature = self._keyring.sign(role, statement(issued))
        return written(Seal(key_id, issued, signature))

    def _flaw(
        self, role: Role, text: str, statement: Statement, fix: str = _ANEW, *, life_ms: float | None = _SEALED_FOR_MS
    ) -> Flaw | None:
        if not text:
            return None if self._allows_unsealed else Flaw(_UNSEALED + fix)
        seal = read_seal(text)
        said = seal and statement(seal)
        if seal is None or said is None:
            return Flaw(_UNFIT + fix)
        is_signed = self._keyring.is_signed(role, seal.key_id, said, seal.signature)
        if is_signed is None:
            return Flaw(_by_a_stranger(seal.key_id, role, self._keyring.place) + fix)
        if not is_signed:
            return Flaw(_UNFIT + fix)
        return Flaw(_EXPIRED + fix) if life_ms and self._now() * 1000 - int(seal.issued) > life_ms else None


def _by_a_stranger(key_id: str, role: Role, place: str) -> str:
    return (
        f"its seal is by a key ({shortened(key_id, 16)}) that {place} does not name for {role}: copy trusted.json from the machine that "
        "has the key, or find out who may write to Redis; then "
    )


def _asked_in(text: str) -> tuple[str, str]:
    """The type of an event, and who asks for it; nothing of what is none."""
    try:
        event = json.loads(text)
        return str(event["type"]), str(event["requested_by"])
    except (ValueError, TypeError, LookupError):
        return "", ""


def _by_nobody(key_id: str, place: str) -> str:
    return (
        f"its seal is by a key ({shortened(key_id, 16)}) of nobody whom {place} names: bring that file to where the workers are, or find "
        "out who may write to Redis; then "
    )


def _among(what: Together, leaf: Callable[[Place], bytes], seal: Seal) -> bytes | None:
    """All of which the leaf says to be one."""
    place = read_place(seal.rest)
    root = place and root_of(leaf(place), place)
    return statement_of(what, place.out_of, root, seal.issued) if place and root else None


def keys_folder(environ: Mapping[str, str]) -> Path:
    """Where the keys are: AR_KEYS, or `keys` in AR_HOME."""
    home = environ.get("AR_HOME")
    return Path(environ.get("AR_KEYS") or (Path(home) if home else Path.home() / ".ar_workers") / "keys")


def keyring_of(environ: Mapping[str, str], *, only_looks: bool = False) -> FolderKeyring:
    """The keys of this process. The folder that AR_KEYS names a person fills: keys that were made there by a mistake nobody would trust."""
    return FolderKeyring(keys_folder(environ), makes_keys=not only_looks and not environ.get("AR_KEYS"))


def seals_of(environ: Mapping[str, str]) -> Seals:
    """The seals of this process."""
    return Seals(keyring_of(environ), people=people_of(environ), allows_unsealed=environ.get("AR_UNSEALED") == "allow")
