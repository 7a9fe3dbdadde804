"""The door's own list: what was handed to the ledger, a file a day, written down before the ledger is asked.

It says what was offered and, of what the ledger refused, that it was refused. So whatever is killed when, an event that was accepted
stands here; one that stands here and is nowhere else was either not accepted, which its publisher knows, or taken away.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..disk import place
from ..domain.standing import Offered
from .files import DOOR, append, audit_folder, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_LOOKED = "looked"
#: Lines that are looked at in one go.
MOST_LINES = 20_000


class _Place(NamedTuple):
    """How far the files were looked at."""

    file: str = ""
    offset: int = 0


class DoorBook:
    """`ports.Door`, in a folder."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.folder, self._now = folder, now

    def offered(self, events: Sequence[tuple[str, ...]]) -> None:
        at = round(self._now(), 3)
        self._write(
            {"at": at, "customer": customer, "id": event_id, "type": kind, "checksum": checksum, "sha256": _sha256(text)}
            for customer, event_id, kind, checksum, text in events
        )

    def refused(self, events: Sequence[tuple[str, str]], why: str) -> None:
        at = round(self._now(), 3)
        self._write({"at": at, "customer": customer, "id": event_id, "refused": why} for customer, event_id in events)

    def unlooked(self, before: float) -> tuple[list[Offered], str]:
        with kept(self.folder):
            found, behind = self._unlooked(before)
        return found, json.dumps(behind)

    def looked(self, behind: str) -> None:
        with kept(self.folder):
            place(self.folder / _LOOKED, behind.encode())

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        data = b"".join(json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n" for line in lines)
        if not data:
            return
        with kept(self.folder):
            append(self.folder / f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%d}.ndjson", data)

    def _unlooked(self, before: float) -> tuple[list[Offered], _Place]:
        """What was refused is told behind it, and mostly within the second."""
        behind = self._place()
        found: list[Offered] = []
        refused: set[tuple[str, str]] = set()
        is_young = False
        for line, after in self._lines(behind):
            document = _document(line)
            each = _offered(document)
            if each:
                is_young = is_young or each.at >= before
                found += [] if is_young else [each]
            elif "refused" in document:
                refused.add((str(document.get("customer")), str(document.get("id"))))
            behind = behind if is_young else after
        return [each for each in found if (each.customer, each.id) not in refused], behind

    def _lines(self, known: _Place) -> Iterator[tuple[bytes, _Place]]:
        """Whole lines from a place on, each with the place behind it."""
        left = MOST_LINES
        for path in sorted(self.folder.glob("*-*-*.ndjson")):
            if path.name < known.file:
                continue
            offset = known.offset if path.name == known.file else 0
            with path.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n") or not left:
                        return
                    left, offset = left - 1, offset + len(line)
                    yield line, _Place(path.name, offset)

    def _place(self) -> _Place:
        try:
            found = _Place(*json.loads((self.folder / _LOOKED).read_bytes()))
            return found if isinstance(found.file, str) and isinstance(found.offset, int) else _Place()
        except (OSError, ValueError, TypeError):
            return _Place()


def _offered(document: dict[str, Any]) -> Offered | None:
    """None for what says nothing of that kind."""
    try:
        event_id, customer, checksum, sha256, kind = (str(document[each]) for each in ("id", "customer", "checksum", "sha256", "type"))
        return Offered(event_id, customer, checksum, sha256, kind, float(document["at"]))
    except (KeyError, TypeError, ValueError):
        return None


def door_of(environ: Mapping[str, str]) -> DoorBook:
    """The list of this process."""
    return DoorBook(audit_folder(environ) / DOOR)


def _document(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
