"""`people.toml`, which says who may decide what and by which key they are known, and the key of who decides here.

Whoever may write that file says who may: its permissions are the authority, and there is none above it. It is looked at again every few
seconds, as `trusted.json` is.
"""

from __future__ import annotations

import base64
import logging
import re
import stat
import threading
import time
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError, model_validator

from ..disk import place_once
from ..domain.errors import KeyUnusable, NotAllowed
from ..domain.model import Value
from ..domain.people import Person, PersonName, PersonRole, refusal
from ..domain.seals import Signed
from .files import read_private, told, writing
from .ring import PublicKey, as_pem, from_pem, is_signed, key_id_of, new_key, public_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ..domain.people import Decision

_log = logging.getLogger(__name__)
NAME, KEY_NAME = "people.toml", "person.key"
#: As those of `folder`.
LOOK_LIVES, LOOK_AGAIN = 2.0, 0.2
_HEAD = "# Who may decide what. `arctl people` says what each role may; whoever may write this file decides who is in it.\n"
_BLOCK = re.compile(r"^\[\[person\]\]", re.MULTILINE)
_LOST = "`arctl keys new` makes another one, once this one is moved away"


class Named(Value):
    """Somebody in the file."""

    name: PersonName
    role: PersonRole
    key: PublicKey

    @property
    def raw(self) -> bytes:
        """The key itself."""
        return base64.b64decode(self.key)

    @property
    def person(self) -> Person:
        """Without the key."""
        return Person(self.name, self.role, key_id_of(self.raw))


class _File(Value):
    person: tuple[Named, ...] = ()

    @model_validator(mode="after")
    def _are_told_apart(self) -> Self:
        for what, found in (("name", [each.name.casefold() for each in self.person]), ("key", [each.key for each in self.person])):
            twice = sorted({each for each in found if found.count(each) > 1})
            if twice:
                raise ValueError(f"the {what} {twice[0]} stands there twice: nobody could tell who has decided")
        return self


class PeopleFile:
    """`ports.People` over that file, and over the private key of one person."""

    def __init__(self, path: Path, own: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path, self.own = path, own
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: tuple[int, ...] | None = None
        self._known: dict[str, Named] = {}
        self._mine: tuple[object, str, Ed25519PrivateKey] | None = None

    @property
    def place(self) -> str:
        return str(self.path)

    def check(self) -> None:
        self._looked(LOOK_LIVES)

    def everybody(self) -> list[Person]:
        return [each.person for each in self._looked(LOOK_LIVES).values()]

    def by_key(self, key_id: str) -> Person | None:
        found = self._looked(LOOK_LIVES).get(key_id) or self._looked(LOOK_AGAIN).get(key_id)
        return found.person if found else None

    def is_signed(self, key_id: str, statement: bytes, signature: bytes) -> bool:
        found = self._looked(LOOK_LIVES).get(key_id)
        return found is not None and is_signed(found.raw, statement, signature)

    def me(self) -> Person:
        key_id, _ = self._private()
        found = self.by_key(key_id)
        if found is None:
            words = f"{self.own} is a key that {self.path} names for nobody: whoever may write that file names you"
            raise KeyUnusable(f"{words} by `arctl people add NAME --role {PersonRole.RESPONDER} --key {self.public()}`")
        return found

    def sign(self, decision: Decision, by: str, statement: bytes) -> Signed:
        person = self.me()
        if person.name != by:
            raise KeyUnusable(f"{self.own} is the key of {person.name}, and not of {by}: nobody decides for somebody else")
        no = refusal(person, decision, self.everybody())
        if no:
            raise NotAllowed(no)
        return Signed(person.key_id, self._private()[1].sign(statement))

    def public(self) -> str:
        """The public half of the own key, as the file has it. Raises KeyUnusable."""
        return base64.b64encode(public_of(self._private()[1])).decode()

    def own_id(self) -> str:
        """The id of the own key, whoever it is. Raises KeyUnusable."""
        return self._private()[0]

    def make_key(self) -> str:
        """A key for who has none yet; returns its public half. One that is there stays."""
        with writing(self.own.parent):
            place_once(self.own, as_pem(new_key()))
        return self.public()

    def text(self) -> str:
        """The file as it stands, or as a new one begins."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return _HEAD
        except (OSError, UnicodeDecodeError) as error:
            raise KeyUnusable(f"{self.path} cannot be read ({type(error).__name__})") from None

    def _private(self) -> tuple[str, Ed25519PrivateKey]:
        with self._lock:
            seen = told(self.own)
            if self._mine is None or self._mine[0] != seen:
                if not seen:
                    raise KeyUnusable(self._no_key())
                key = from_pem(read_private(self.own, _LOST), str(self.own))
                self._mine = seen, key_id_of(public_of(key)), key
            return self._mine[1:]

    def _no_key(self) -> str:
        if told(self.path):
            return f"you have no key ({self.own}), and nobody decides without one: `arctl keys new` makes it, and says how it gets a name"
        return (
            f"nobody may decide yet, {self.path} is not there: `arctl people add NAME --role {PersonRole.ADMIN}` makes a key of your own "
            "and names you"
        )

    def _looked(self, lives: float) -> dict[str, Named]:
        """By the ids of their keys. A file that cannot be read any more changes nothing; one that was never there names nobody."""
        with self._lock:
            if self._monotonic() - self._looked_at > lives:
                seen = told(self.path)
                if seen != self._seen:
                    self._read(seen)
                self._looked_at = self._monotonic()
            return self._known

    def _read(self, seen: tuple[int, ...]) -> None:
        is_first, self._seen = self._seen is None, seen
        if is_first and not seen:
            return
        try:
            self._known = {each.person.key_id: each for each in read_people(self.path)}
        except KeyUnusable as error:
            if is_first:
                self._seen = None
                raise
            _log.error("%s; those whom it named before may decide", error)


def read_people(path: Path) -> tuple[Named, ...]:
    """Everybody in the file. Raises KeyUnusable where it cannot be read, or where others may write it."""
    try:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyUnusable(f"{path} can be written by others, who could name anybody: chmod 600 it, once it is sure that nobody has")
        return named_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"{path} cannot be read ({type(error).__name__}): it says who may decide") from None
    except ValueError as error:
        raise KeyUnusable(f"{path} is not valid: {error}") from None


def named_in(text: str) -> tuple[Named, ...]:
    """Everybody whom a text names. Raises ValueError, in one line."""
    try:
        return _File.model_validate(tomllib.loads(text)).person
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")) from None


def with_person(text: str, new: Named) -> str:
    """The same text with one more at its end, or instead of who has the name already. Raises ValueError for what does not fit."""
    block = f'[[person]]\nname = "{new.name}"\nrole = "{new.role}"\nkey = "{new.key}"\n'
    kept = without_person(text, new.name).rstrip()
    changed = f"{kept}\n\n{block}" if kept else block
    named_in(changed)
    return changed


def without_person(text: str, name: str) -> str:
    """The same text without the block of this name, if there is one; every other line stays. Raises ValueError if it cannot be told."""
    starts = [*(found.start() for found in _BLOCK.finditer(text)), len(text)]
    blocks = [text[start:end] for start, end in pairwise(starts)]
    kept = [block for block in blocks if [each.name for each in named_in(block)] != [name]]
    changed = text[: starts[0]] + "".join(kept)
    if named_in(changed) != tuple(each for each in named_in(text) if each.name != name):
        raise ValueError(f"the block of {name} cannot be told from the rest: take it out by hand")
    return changed


def own_key(environ: Mapping[str, str]) -> Path:
    """Where the private key of who types is: AR_PERSON_KEY, or a file in that person's own home."""
    config = environ.get("XDG_CONFIG_HOME")
    return Path(environ.get("AR_PERSON_KEY") or (Path(config) if config else Path.home() / ".config") / "ar_workers" / KEY_NAME)


def people_of(environ: Mapping[str, str]) -> PeopleFile:
    """The people of this process: AR_PEOPLE, or `people.toml` in AR_HOME."""
    home = environ.get("AR_HOME")
    return PeopleFile(Path(environ.get("AR_PEOPLE") or (Path(home) if home else Path.home() / ".ar_workers") / NAME), own_key(environ))
