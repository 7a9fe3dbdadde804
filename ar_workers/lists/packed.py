"""Lists in one file, which says where they are from: a ZIP of names as lines, and of digests one behind the other, sorted.

Digests stay bytes: two hundred thousand of them take four megabytes, and are ready as soon as they are read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, overload

from ..domain.errors import ARError
from ..domain.model import Value
from ..domain.wellknown import DomainList, HashList

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX = "index.json"
#: MD5, SHA-1, SHA-256, in bytes: others are banned nowhere.
LENGTHS = (16, 20, 32)
#: The same lists are the same file, whenever it is written.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_LARGEST = 64 * 2**20


class BadLists(ARError):
    """Lists that cannot be used; none of them is."""


class Title(Value):
    """One list: the folder it has at MISP, its title, and its version, which mostly is a day."""

    name: str
    title: str
    version: int
    entries: int


class Index(Value):
    """What there is, and where it is from, in words."""

    source: str
    lists: tuple[Title, ...]


class Digests(Sequence[bytes]):
    """Digests of one length, sorted, in one text of bytes."""

    def __init__(self, joined: bytes, length: int) -> None:
        self._joined, self._length, self._size = joined, length, len(joined) // length

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._size))]
        if not 0 <= place < self._size:
            place = range(self._size)[place]
        return self._joined[place * self._length : (place + 1) * self._length]


@dataclass(frozen=True)
class Packed:
    """Lists by name: of domains the entries, a dot in front where what is below counts; of hashes the digests by their length."""

    index: Index
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    digests: Mapping[str, Mapping[int, Digests]] = field(default_factory=dict)

    def domains(self) -> tuple[DomainList, ...]:
        """In the index's order."""
        return tuple(DomainList.of(each.title, self.names[each.name]) for each in self.index.lists if each.name in self.names)

    def hashes(self) -> tuple[HashList, ...]:
        """Likewise."""
        return tuple(HashList(each.title, self.digests[each.name]) for each in self.index.lists if each.name in self.digests)


def read_packed(path: Path) -> Packed:
    """Raises BadLists for a file that is not whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > _LARGEST:
                raise BadLists(f"{path} is larger than lists can be")
            return _unpacked({each: archive.read(each) for each in archive.namelist()})
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise BadLists(f"{path} holds no lists that can be read ({type(error).__name__})") from None


def _unpacked(parts: Mapping[str, bytes]) -> Packed:
    index = Index.model_validate_json(parts[INDEX])
    names = {each.name: parts[each.name].decode("ascii").split() for each in index.lists if each.name in parts}
    digests: dict[str, dict[int, Digests]] = {}
    for each in index.lists:
        found = {length: Digests(parts[f"{each.name}.{length}"], length) for length in LENGTHS if f"{each.name}.{length}" in parts}
        if found:
            digests[each.name] = found
    for each in index.lists:
        if each.entries != len(names.get(each.name, ())) + sum(map(len, digests.get(each.name, {}).values())):
            raise ValueError(each.name)
    return Packed(index, names, digests)


def write_packed(packed: Packed, file: IO[bytes]) -> None:
    """As `read_packed` reads it."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _write(archive, INDEX, json.dumps(packed.index.model_dump(mode="json"), indent=1).encode())
        for name, entries in packed.names.items():
            _write(archive, name, "\n".join(entries).encode("ascii"))
        for name, lengths in packed.digests.items():
            for length, digests in lengths.items():
                _write(archive, f"{name}.{length}", b"".join(digests))


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
