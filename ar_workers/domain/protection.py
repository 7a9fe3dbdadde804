"""What a customer has put out of reach (`never_touch`): its entries read as indicators are, and asked per action."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

from pydantic import AfterValidator, ValidationError

from .indicators import Domain, FileHash, RegistryKey
from .keys import key_parts
from .paths import file_parts, image_name
from .spelling import is_pattern, is_short_name, may_be
from .text import Line
from .volumes import ANY_DRIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A hash, alone or as our own texts show it, of any length that somebody may have copied.
_HASH = re.compile(r"^(?:(?:md5|sha1|sha256):)?([0-9a-f]{32,})$", re.IGNORECASE)
_HASH_PATTERN = re.compile(r"^(?:(?:md5|sha1|sha256):.*|[0-9a-f*?]{24,})$", re.IGNORECASE)
_HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
#: As regedit (`Computer\HKEY_...`), PowerShell (`HKLM:\`) and everybody else write it.
_KEY = re.compile(r"^(?:computer\\)?(HK[A-Z_]+):?(?:\\(.*))?$", re.IGNORECASE)
_WHOLE_PATH = re.compile(r"^(?:\\\\[?]\\)?[A-Za-z?*]:(?:[\\/]|$)|^/|^\\\\[^\\?.]|^(?:\*\*?|\?)[\\/]")
#: What no file of Windows has in its name.
_NO_NAME = re.compile(r"[\"<>|]")
#: What no file name and no domain has.
_ODD = re.compile(r"[\\/:\"<>|%]")


#: How a pattern begins that may lie on any drive and in any folder.
_ANYWHERE = frozenset({"*", "**", "?", "*:"})


class Kind(StrEnum):
    """What a place is one of."""

    HASH = "hash"
    DOMAIN = "domain"
    FILE = "file"
    KEY = "key"
    #: A file's or program's name, wherever it lies.
    NAME = "name"


class Place(NamedTuple):
    """Something that can be acted on, by its parts from the outermost on."""

    kind: Kind
    parts: tuple[str, ...]

    def meets(self, target: Place) -> bool:
        """Whether a target is this entry, lies within it, or would take it along."""
        return self.kind is target.kind and (self._part_by_part(target) or self._at_any_depth(target))

    def _part_by_part(self, target: Place) -> bool:
        pairs = zip(target.parts, self.parts, strict=False)
        return all(may_be(theirs, mine) or _may_be_one(theirs, mine) for theirs, mine in pairs)

    def _at_any_depth(self, target: Place) -> bool:
        """A `*` may stand for more than one name, too. A path that names no drive may be on any."""
        if not any(map(is_pattern, self.parts[1:])) and self.parts[0] not in _ANYWHERE:
            return False
        first = 1 if _may_be_one(target.parts[0], self.parts[0]) else 0
        text, pattern = "\\".join(target.parts[first:]), "\\".join(self.parts[first:])
        return fnmatchcase(text, pattern) or fnmatchcase(text, f"{pattern}\\*")


def _may_be_one(drive: str, other: str) -> bool:
    """A path that names no drive may be on any."""
    return ANY_DRIVE in {drive, other} and drive.endswith(":") and other.endswith(":")


def of_hash(value: str) -> Place:
    """A content."""
    return Place(Kind.HASH, (value,))


def of_domain(domain: str) -> Place:
    """A domain, which lies within the one above it."""
    return Place(Kind.DOMAIN, tuple(reversed(domain.split("."))))


def of_key(key: str, value: str | None = None) -> Place:
    """A registry key, or a value, which lies within its key."""
    return Place(Kind.KEY, (*key_parts(key), *([value.casefold()] if value else [])))


def of_file(path: str) -> tuple[Place, ...]:
    """A file at a whole path, or one of which the name alone is known; nothing of an empty text."""
    parts = file_parts(path)
    if not parts:
        return ()
    name = Place(Kind.NAME, parts[-1:])
    return (Place(Kind.FILE, parts), name) if len(parts) > 1 else (name,)


@dataclass(frozen=True)
class Protection:
    """One customer's entries, parsed."""

    places: tuple[tuple[str, tuple[Place, ...]], ...]

    def entry_against(self, targets: Iterable[Place]) -> str | None:
        """The entry that one of the targets is, lies within, or would take along; as the customer wrote it."""
        wanted = tuple(targets) if self.places else ()
        return next((entry for entry, listed in self.places if any(each.meets(target) for each in listed for target in wanted)), None)

    def entry_against_image(self, image: str) -> str | None:
        """The same of a process's image as an EDR shows it. A name without a folder may be that of any path that ends with it."""
        found = self.entry_against(of_file(image))
        if found or len(file_parts(image)) > 1:
            return found
        name = image_name(image)
        return next(
            (entry for entry, listed in self.places if any(each.kind is Kind.FILE and may_be(name, each.parts[-1]) for each in listed)),
            None,
        )


@cache
def protection(never_touch: frozenset[str]) -> Protection:
    """Read once for a policy, however many actions ask. Raises ValueError for an entry that protects nothing."""
    return Protection(tuple((entry, places(entry)) for entry in sorted(never_touch)))


def places(entry: str) -> tuple[Place, ...]:
    """What an entry of `never_touch` protects. Raises ValueError, with what to write instead, if it can never match."""
    text = entry.strip()
    digits, key = _HASH.match(text), _KEY.match(text)
    if is_address(text):
        _refuse(entry, "is an IP address, and nothing is done to addresses; write the domain")
    if "://" in text:
        _refuse(entry, "is a URL; write its domain alone")
    if is_pattern(text) and _HASH_PATTERN.match(text):
        _refuse(entry, "is a pattern of a hash, and no two contents are alike in a part of theirs; write each whole")
    if digits:
        return (_hash(entry, digits[1]),)
    if key:
        return (_key(entry, key),)
    return _path(entry, text) if _WHOLE_PATH.match(text) else _names(entry, text)


def _hash(entry: str, digits: str) -> Place:
    kind = _HASHES.get(len(digits))
    if kind is None or not digits.strip("0"):
        _refuse(entry, "is no file's hash; write its sha256, sha1 or md5")
    return of_hash(str(getattr(FileHash.model_validate({kind: digits}), kind)))


def _key(entry: str, found: re.Match[str]) -> Place:
    try:
        return of_key(RegistryKey(key=f"{found[1]}\\{found[2] or ''}").key)
    except ValidationError:
        _refuse(entry, "is no registry key; write one below a hive, such as HKLM\\SOFTWARE\\Acme")


def _path(entry: str, text: str) -> tuple[Place, ...]:
    """A file, or a folder with all that is in it."""
    parts = file_parts(text)
    if {".", ".."} & set(parts):
        _refuse(entry, "has a `.` or `..` part; write the path that it leads to")
    if text[0] != "/" and _NO_NAME.search(text):
        _refuse(entry, "has a character that no file of Windows has; patterns are made of *, ? and [...]")
    if text[0] != "/" and any(map(is_short_name, parts)):
        _refuse(entry, "has a short (8.3) name; write the long one")
    return (Place(Kind.FILE, parts),)


def _names(entry: str, text: str) -> tuple[Place, ...]:
    """A domain, or a program's name; `backup.exe` has the form of both, and is both."""
    if "%" in text or text.startswith("~"):
        _refuse(entry, "has a variable; write the path that it stands for")
    if _ODD.search(text):
        _refuse(entry, "is no whole path (C:\\..., /...), registry key (HKLM\\...), domain, hash or program's name; write one of these")
    domain = _domain(text.lstrip("."))
    if not domain and "." in text and not text.isascii():
        _refuse(entry, "is no domain as DNS has it; write its xn-- form, or a program's whole path")
    if not text.strip(". "):
        _refuse(entry, "names nothing")
    return (*domain, Place(Kind.NAME, file_parts(text)))


def _domain(text: str) -> tuple[Place, ...]:
    if is_pattern(text):
        return _domain_pattern(text)
    try:
        return (of_domain(Domain(domain=text).domain),)
    except ValidationError:
        return ()


def _domain_pattern(text: str) -> tuple[Place, ...]:
    """Each label as DNS has it, but for those that stand for more than themselves."""
    labels = text.rstrip(".").casefold().split(".")
    try:
        found = [label if is_pattern(label) else Domain(domain=f"{label}.example").domain.partition(".")[0] for label in labels]
    except ValidationError:
        return ()
    return (of_domain(".".join(found)),) if len(found) > 1 and ".".join(found).isascii() else ()


def is_address(text: str) -> bool:
    """Whether it is an IP address or a network, or a pattern of some."""
    if re.fullmatch(r"[\d*?]+(?:\.[\d*?]+){3}", text):
        return True
    try:
        ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return False
    return True


def _refuse(entry: str, why: str) -> NoReturn:
    raise ValueError(f"{entry!r} {why}")


def _checked_target(entry: str) -> str:
    places(entry)
    return entry


#: Entries as the customer wrote them, which a policy keeps; one that can never match is refused at the start.
ProtectedTarget = Annotated[Line, AfterValidator(_checked_target)]
