"""Seals: what the ledger's events, rows and approvals are sealed with, and how they are told from what somebody else wrote there.

`domain.seals` says what is sealed, `folder` keeps the keys of a machine in files, `ring` signs and verifies with them.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.audit import anchor_statement
from ..domain.guards import Guard
from ..domain.seals import (
    SEALED_FOR,
    Flaw,
    Place,
    Role,
    Seal,
    approval_statement,
    cursor_statement,
    event_statement,
    leaf_of,
    levels_of,
    path_of,
    plan_statement,
    read_place,
    read_seal,
    read_word,
    root_of,
    written,
    written_place,
    written_word,
)
from ..domain.text import shortened
from .folder import FolderKeyring

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ..domain.seals import Sealed
    from ..ports import Keyring

    #: What the signature is over, once it is known when it was made; None where the seal does not fit.
    Statement = Callable[[Seal], bytes | None]

_SEALED_FOR_MS = SEALED_FOR.total_seconds() * 1000
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
    """`ports.Seals` with the keys of one keyring."""

    def __init__(self, keyring: Keyring, *, allows_unsealed: bool = False, now: Callable[[], float] = time.time) -> None:
        self._keyring, self._allows_unsealed, self._now = keyring, allows_unsealed, now

    def check(self, *roles: Role) -> None:
        self._keyring.check(*roles)

    def event(self, customer: str, event_id: str, text: str) -> str:
        return self._sealed(Role.DOOR, lambda issued: event_statement(customer, event_id, text, issued))

    def event_flaw(self, customer: str, event_id: str, text: str, seal: str) -> Flaw | None:
        return self._flaw(Role.DOOR, seal, lambda found: event_statement(customer, event_id, text, found.issued))

    def plans(self, rows: Sequence[tuple[str, Sealed]]) -> list[str]:
        if not rows:
            return []
        levels, count = levels_of([leaf_of(row, event_id) for event_id, row in rows]), len(rows)
        seal = self._sealed(Role.RESPOND, lambda issued: plan_statement(count, levels[-1][0], issued))
        places = (Place(index, count, path_of(levels, index), event_id) for index, (event_id, _) in enumerate(rows))
        return [f"{seal} {written_place(place)}" for place in places]

    def row_flaw(self, row: Sealed, seal: str) -> Flaw | None:
        return self._flaw(Role.RESPOND, seal, partial(_plan_of, row))

    def approval(self, row_id: str, generation: int, guard: str, *, by: str, reason: str) -> str:
        seal = self._sealed(Role.DECIDE, lambda issued: approval_statement(row_id, generation, guard, by, reason, issued))
        return f"{seal} {written_word(guard, by, reason)}"

    def approved(
        self, row_id: str, generation: int, named: Collection[str], approvals: Sequence[str]
    ) -> tuple[frozenset[str], Flaw | None]:
        flaws = {guard: self._word_flaw(row_id, generation, guard, approvals) for guard in named}
        # The worker asks every other guard by itself; this one the ledger has asked, and it took the word as it stands.
        flaw = flaws.get(Guard.BLAST_RADIUS)
        reason = flaw and Flaw(f"somebody let it pass {Guard.BLAST_RADIUS}, and of that word, {flaw.reason}")
        return frozenset(guard for guard, found in flaws.items() if found is None), reason

    def _word_flaw(self, row_id: str, generation: int, guard: str, approvals: Sequence[str]) -> Flaw | None:
        """The last word on a guard counts."""
        found = next((each for each in reversed(approvals) if f" {guard} " in each), "")
        return self._flaw(Role.DECIDE, found, partial(_word_on, row_id, generation, guard))

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


def _plan_of(row: Sealed, seal: Seal) -> bytes | None:
    """The plan that the row says to be of."""
    place = read_place(seal.rest)
    root = place and root_of(leaf_of(row, place.event_id), place)
    return plan_statement(place.out_of, root, seal.issued) if place and root else None


def _word_on(row_id: str, generation: int, guard: str, seal: Seal) -> bytes | None:
    """What a person has said of the guard."""
    word = read_word(seal.rest)
    return approval_statement(row_id, generation, guard, word.by, word.reason, seal.issued) if word and word.guard == guard else None


def keys_folder(environ: Mapping[str, str]) -> Path:
    """Where the keys are: AR_KEYS, or `keys` in AR_HOME."""
    home = environ.get("AR_HOME")
    return Path(environ.get("AR_KEYS") or (Path(home) if home else Path.home() / ".ar_workers") / "keys")


def keyring_of(environ: Mapping[str, str], *, only_looks: bool = False) -> FolderKeyring:
    """The keys of this process. The folder that AR_KEYS names a person fills: keys that were made there by a mistake nobody would trust."""
    return FolderKeyring(keys_folder(environ), makes_keys=not only_looks and not environ.get("AR_KEYS"))


def seals_of(environ: Mapping[str, str]) -> Seals:
    """The seals of this process."""
    return Seals(keyring_of(environ), allows_unsealed=environ.get("AR_UNSEALED") == "allow")
