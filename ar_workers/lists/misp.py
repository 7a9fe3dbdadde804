"""MISP's warning lists where MISP publishes them: a folder or ZIP of the repository, or of any package that carries its `lists`."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from ..domain.domains import dns_name
from .catalogue import CATALOGUE, Reach, Wanted
from .packed import LENGTHS, BadLists, Digests, Index, Packed, Title

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

_HEX = re.compile(r"[0-9a-f]+")
_FILE = re.compile(r"(?:^|/)lists/([a-z0-9_-]+)/list\.json$")
#: Of types whose entries mean what is below, too, in MISP's own matching.
_WIDE = frozenset({"hostname", "substring"})
_LARGEST = 64 * 2**20


def found_in(place: Path) -> dict[str, Callable[[], bytes]]:
    """By name what reads each wanted list below a folder or in a ZIP. Raises BadLists where there is none."""
    if place.is_dir():
        paths = (each for name in CATALOGUE for each in place.rglob(f"lists/{name}/list.json"))
        found: dict[str, Callable[[], bytes]] = {each.parent.name: each.read_bytes for each in paths}
    else:
        try:
            found = found_in_zip(place.read_bytes())
        except OSError as error:
            raise BadLists(f"{place} cannot be read: {error.strerror}") from None
    if not found:
        raise BadLists(f"{place} has no lists/NAME/list.json: name a folder or ZIP of MISP's warning lists")
    return found


def found_in_zip(content: bytes) -> dict[str, Callable[[], bytes]]:
    """The same in a ZIP's bytes."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise BadLists("is no ZIP: name a folder or ZIP of MISP's warning lists") from None
    wanted = {hit[1]: each for each in archive.infolist() if (hit := _FILE.search(each.filename)) and hit[1] in CATALOGUE}
    if any(each.file_size > _LARGEST for each in wanted.values()):
        raise BadLists("has a list that is larger than lists can be")
    return {name: lambda each=each: archive.read(each) for name, each in wanted.items()}  # type: ignore[misc]


def packed_from(found: Mapping[str, Callable[[], bytes]], source: str, wanted: Collection[str]) -> Packed:
    """All that was found, or nothing. Raises BadLists if one of the `wanted` lacks, or any cannot be read."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise BadLists(f"lacks {', '.join(missing)}: nothing was changed")
    titles: list[Title] = []
    names: dict[str, list[str]] = {}
    digests: dict[str, dict[int, Digests]] = {}
    for name in (each for each in CATALOGUE if each in found):
        document = _document(name, found[name])
        if CATALOGUE[name].reach is Reach.HASHES:
            digests[name] = _digests(document["list"])
            entries = sum(map(len, digests[name].values()))
        else:
            names[name] = sorted(_names(document, CATALOGUE[name]))
            entries = len(names[name])
        if not entries:
            raise BadLists(f"{name} has nothing that could be compared: nothing was changed")
        titles.append(Title(name=name, title=document["name"], version=document["version"], entries=entries))
    return Packed(Index(source=source, lists=tuple(titles)), names, digests)


def _document(name: str, read: Callable[[], bytes]) -> dict[str, Any]:
    try:
        document = json.loads(read())
    except (OSError, ValueError, RecursionError, zipfile.BadZipFile):
        document = None
    if not _is_list(document):
        raise BadLists(f"{name} is no warning list of MISP's form: nothing was changed")
    return dict(document)


def _is_list(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    entries, version = document.get("list"), document.get("version")
    is_titled = isinstance(document.get("name"), str) and isinstance(version, int)
    return is_titled and isinstance(entries, list) and all(isinstance(each, str) for each in entries)


def _names(document: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """What is no name of a domain is left out: some lists have addresses or a label alone among them."""
    for entry in set(document["list"]):
        bare = entry.strip().removeprefix(".")
        is_wide = wanted.reach is Reach.AS_MARKED and (entry.startswith(".") or document.get("type") in _WIDE)
        try:
            yield ("." if is_wide else "") + dns_name(bare)
        except ValueError:
            continue


def _digests(entries: list[str]) -> dict[int, Digests]:
    found: dict[int, set[bytes]] = {length: set() for length in LENGTHS}
    for entry in map(str.lower, entries):
        if len(entry) // 2 in found and len(entry) % 2 == 0 and _HEX.fullmatch(entry):
            found[len(entry) // 2].add(bytes.fromhex(entry))
    return {length: Digests(b"".join(sorted(each)), length) for length, each in found.items() if each}
