"""A folder of keys: `ROLE.key`, which whoever speaks in that role needs, and `trusted.json`, which everybody needs.

They are looked at again every few seconds, so that a new key counts without a restart. Files are put in place whole.
"""

from __future__ import annotations

import logging
import stat
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..disk import locked, place, place_once
from ..domain.errors import KeyUnusable
from ..domain.seals import Role, Signed
from .files import read_private, told, writing
from .ring import TRUSTED, Trusted, TrustedKey, as_pem, from_pem, is_signed, key_id_of, new_key, public_of, replaced, trusted_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_log = logging.getLogger(__name__)
NAME = "trusted.json"
#: Seconds for which a look at the files holds; an unknown key is looked for at once, but not more often than the second says.
LOOK_LIVES, LOOK_AGAIN = 2.0, 0.2
_ROTATE = "`arctl keys rotate` makes new ones"


class FolderKeyring:
    """`ports.Keyring` over a folder. Keys that nobody has made yet are made when they are first needed, if it `makes_keys`."""

    def __init__(
        self,
        folder: Path,
        *,
        makes_keys: bool,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self._makes_keys = folder, makes_keys
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: object = None
        self._trusted: Trusted = {}
        self._known: dict[tuple[Role, str], TrustedKey] = {}
        self._own: dict[Role, tuple[object, str, Ed25519PrivateKey]] = {}

    @property
    def place(self) -> str:
        return str(self.folder / NAME)

    def path(self, role: Role) -> Path:
        """Where the private half of a role's key is, if it is on this machine."""
        return self.folder / f"{role}.key"

    def check(self, *roles: Role) -> None:
        self.trusted()
        for role in roles:
            self._private(role)

    def sign(self, role: Role, statement: bytes) -> Signed:
        key_id, key = self._private(role)
        return Signed(key_id, key.sign(statement))

    def is_signed(self, role: Role, key_id: str, statement: bytes, signature: bytes) -> bool | None:
        found = self._looked(LOOK_LIVES).get((role, key_id)) or self._looked(LOOK_AGAIN).get((role, key_id))
        if found is None or not found.is_trusted(self._now()):
            return None
        return is_signed(found.raw, statement, signature)

    def trusted(self) -> Trusted:
        """The public keys by role. Raises KeyUnusable."""
        self._looked(LOOK_LIVES)
        return self._trusted

    def own_id(self, role: Role) -> str | None:
        """The id of the role's key whose private half is here, if one is that may be used."""
        try:
            return self._private(role)[0]
        except KeyUnusable:
            return None

    def is_new(self) -> bool:
        """Whether nobody has made any keys here yet."""
        return not (self.folder / NAME).exists()

    def make(self) -> None:
        """Make what nobody has made yet. Who comes second takes what is there by then."""
        with writing(self.folder):
            for role in Role:
                place_once(self.path(role), as_pem(new_key()))
            keys = {role: from_pem(read_private(self.path(role), _ROTATE), str(self.path(role))) for role in Role}
            place_once(
                self.folder / NAME, TRUSTED.dump_json({role: (trusted_key(key, self._now()),) for role, key in keys.items()}, indent=1)
            )

    def rotate(self, role: Role, *, revokes: bool = False) -> TrustedKey:
        """A new key signs from now on. The others are trusted as long as what they signed may live, or no more."""
        with writing(self.folder), locked(self.folder):
            before = _read_trusted(self.folder / NAME)
            key = new_key()
            fresh = trusted_key(key, self._now())
            place(
                self.folder / NAME,
                TRUSTED.dump_json(before | {role: replaced(before.get(role, ()), fresh, self._now(), are_revoked=revokes)}, indent=1),
            )
            place(self.path(role), as_pem(key))  # only once it is trusted
        with self._lock:
            self._looked_at = float("-inf")
        return fresh

    def _private(self, role: Role) -> tuple[str, Ed25519PrivateKey]:
        known, path = self._looked(LOOK_LIVES), self.path(role)
        with self._lock:
            seen = told(path)
            if role not in self._own or self._own[role][0] != seen:
                key = from_pem(read_private(path, _ROTATE), str(path))
                self._own[role] = seen, key_id_of(public_of(key)), key
            _, key_id, key = self._own[role]
        if (role, key_id) not in known and (role, key_id) not in self._looked(LOOK_AGAIN):
            raise KeyUnusable(f"{path} is a key that {self.place} does not name for {role}, so that nobody would believe it: {_ROTATE}")
        return key_id, key

    def _looked(self, lives: float) -> dict[tuple[Role, str], TrustedKey]:
        """The trusted keys. Every few seconds whether the file has changed; one that cannot be read changes nothing."""
        with self._lock:
            if self._monotonic() - self._looked_at > lives:
                seen = told(self.folder / NAME)
                if self._seen is None or seen != self._seen:
                    self._read(seen)
                self._looked_at = self._monotonic()
            return self._known

    def _read(self, seen: object) -> None:
        if not seen and self._makes_keys and self._seen is None:
            self.make()
            seen = told(self.folder / NAME)
        try:
            self._trusted = _read_trusted(self.folder / NAME)
        except KeyUnusable as error:
            if self._seen is None:
                raise
            _log.error("%s; the keys of before count", error)
        else:
            self._known = {(role, key.id): key for role, keys in self._trusted.items() for key in keys}
        self._seen = seen


def _read_trusted(path: Path) -> Trusted:
    try:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyUnusable(f"{path} can be written by others: chmod 644 it, once it is sure that nobody has")
        return TRUSTED.validate_json(path.read_bytes())
    except OSError as error:
        words = (
            f"{path} cannot be read ({error.strerror}): seals are told from forged ones by it. Copy it from the machine that has the keys"
        )
        raise KeyUnusable(f"{words}; where there are none yet, {_ROTATE}") from None
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False)[0]
        raise KeyUnusable(f"{path} is not valid ({where['msg']}): copy it from the machine that has the keys") from None
