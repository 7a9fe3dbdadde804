"""A folder of chains: per customer a file a month, `2026-11.ndjson`, and the `anchor`, which is signed anew with each visit.

The order of a visit is: lines on the disk, then the anchor, and only then does the ledger forget its moves. Killed anywhere, the next one
finds the same moves there again, and those that stand here already it leaves out.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..disk import place
from ..domain.audit import START, Anchor, Head, Standing, as_link, begins, following, line_of, link_of, move_of, says
from .files import append, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ..domain.audit import Link, Move, Moves
    from ..ports import Seals

ANCHOR = "anchor"
#: An anchor is signed anew after so long even if nothing has moved: its key may have been replaced meanwhile.
ANCHOR_LIVES = 24 * 3600.0
#: So many of the newest moves are remembered, to be told from those that the ledger gives again.
_REMEMBERED = 20_000


@dataclass
class _Known:
    """A customer's chain as this process last saw it."""

    files: tuple[tuple[str, int, int], ...] = ()
    head: Head = START
    anchor: Anchor | None = None
    anchored_at: float = float("-inf")
    standing: Standing = field(default_factory=Standing)
    recent: dict[int, Move] = field(default_factory=dict)
    #: Of lines behind the anchor, whose visit was killed, the number of the first move.
    unsealed_from: int | None = None


class ChainFolder:
    """`ports.Chains`."""

    def __init__(self, folder: Path, seals: Seals, *, now: Callable[[], float] = time.time) -> None:
        self.folder, self._seals, self._now = folder, seals, now
        self._name = ""
        self._known: dict[str, _Known] = {}

    def name(self) -> str:
        if not self._name:
            path = self.folder / "name"
            with kept(self.folder):
                if not path.exists():
                    place(path, uuid.uuid4().hex.encode())
                self._name = path.read_text().strip()
        return self._name

    def append(self, customer: str, taken: Moves) -> list[str]:
        with kept(self.folder / customer):
            known = self._look(customer)
            remarks = list(_remarks(known, taken))
            moves = [*(says(each, taken.now) for each in remarks), *(each for each in taken.moves if known.recent.get(each.number) != each)]
            self._write(customer, known, moves, taken.now)
            return remarks

    def standing(self, customer: str) -> Standing:
        with kept(self.folder / customer):
            return self._look(customer).standing

    def customers(self) -> list[str]:
        return sorted(each.parent.name for each in self.folder.glob(f"*/{ANCHOR}"))

    def anchor(self, customer: str) -> Anchor | None:
        return read_anchor(self.folder / customer / ANCHOR)

    def files(self, customer: str) -> list[Path]:
        """Its files, the oldest first."""
        return files_of(self.folder / customer)

    def _write(self, customer: str, known: _Known, moves: list[Move], now: int) -> None:
        """What is there already, and sealed not long ago, is left as it is."""
        if moves:
            month = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m")
            path = self.folder / customer / f"{month}.ndjson"
            if not path.exists() or not path.stat().st_size:
                moves = [says(begins(month), now), *moves]
            lines = []
            for move in moves:
                link = link_of(customer, known.head, move)
                lines.append(line_of(link))
                known.head = following(known.head, link, lines[-1])
                _remember(known, move)
            append(path, b"\n".join(lines) + b"\n")
        if known.head.seq and (moves or known.unsealed_from is not None or self._now() - known.anchored_at > ANCHOR_LIVES):
            self._seal(customer, known)
        known.files = _told(self.files(customer))

    def _seal(self, customer: str, known: _Known) -> None:
        seal = self._seals.anchor(customer, known.head.seq, known.head.digest)
        known.anchor, known.anchored_at, known.unsealed_from = Anchor(known.head.seq, known.head.digest, seal), self._now(), None
        place(self.folder / customer / ANCHOR, json.dumps(known.anchor._asdict()).encode())

    def _look(self, customer: str) -> _Known:
        """By the files, if another process has written meanwhile."""
        files = self.files(customer)
        known = self._known.get(customer)
        if known is None or known.files != _told(files):
            known = self._known[customer] = _read(self.folder / customer, files)
        return known


def files_of(folder: Path) -> list[Path]:
    """A chain's files, the oldest first."""
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].ndjson"))


def read_anchor(path: Path) -> Anchor | None:
    """None if there is none that can be read."""
    try:
        found = Anchor(**json.loads(path.read_bytes()))
        return found if isinstance(found.seq, int) and isinstance(found.digest, str) and isinstance(found.seal, str) else None
    except (OSError, ValueError, TypeError):
        return None


def lines_of(files: Iterable[Path]) -> Iterator[tuple[Path, int, bytes]]:
    """Every line with its place, without its end; one that was not ended has a zero byte behind it, so that it is no link."""
    for path in files:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield path, number, line[:-1] if line.endswith(b"\n") else line + b"\0"


def read_link(line: bytes) -> Link | None:
    """None for what is none."""
    try:
        return as_link(json.loads(line))
    except ValueError:
        return None


def _read(folder: Path, files: list[Path]) -> _Known:
    """What cannot be read is passed over: `verify` tells of it."""
    known = _Known(anchor=read_anchor(folder / ANCHOR))
    if known.anchor:
        known.anchored_at = (folder / ANCHOR).stat().st_mtime
    for _, _, line in lines_of(files):
        link = read_link(line)
        if link is None:
            continue
        known.head = following(known.head, link, line)
        number = link["number"]
        if number is not None:
            _remember(known, _move(number, link))
            if known.unsealed_from is None and link["seq"] > (known.anchor.seq if known.anchor else 0):
                known.unsealed_from = number
    if files:
        _mend_end(files[-1])
    known.files = _told(files)
    return known


def _mend_end(path: Path) -> None:
    """A line that was not ended, because its visit was killed, is taken off again: the ledger still has it."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(max(0, size - 2**20))
        rest = file.read()
        if not rest.endswith(b"\n"):
            file.truncate(size - len(rest) + rest.rfind(b"\n") + 1)


def _move(number: int, link: Link) -> Move:
    return move_of(number, json.dumps([link[each] for each in ("at", "threat", "row", "text", "by", "evidence")]))


def _remember(known: _Known, move: Move) -> None:
    known.standing.add(move.row, move.text, move.evidence)
    if move.number >= 0:
        known.recent[move.number] = move
        if len(known.recent) > _REMEMBERED:
            known.recent.pop(next(iter(known.recent)))


def _told(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    return tuple((path.name, found.st_ino, found.st_size) for path in files[-2:] for found in [path.stat()])


def _remarks(known: _Known, taken: Moves) -> Iterator[str]:
    """What does not follow from what was chained before: a gap, another past, an end that was cut off."""
    head, anchor = known.head, known.anchor
    if anchor and anchor.seq > head.seq:
        yield f"the file ends at {head.seq}, and was sealed to {anchor.seq}: somebody has cut it"
    elif anchor and anchor.seq == head.seq and anchor.digest != head.digest:
        yield f"link {head.seq} is not the one that was sealed: somebody has changed it"
    if taken.moves and taken.first > head.number + 1:
        gap = f"{head.number + 1} to {taken.first - 1}"
        yield f"moves {gap} are not in this chain: another folder has them, there were too many, or they were taken away"
    if known.unsealed_from is not None and known.unsealed_from < taken.first:
        yield f"what follows move {known.unsealed_from - 1} was written and not sealed, and the ledger does not have it any more"
    if any(each.number <= head.number and known.recent.get(each.number) != each for each in taken.moves):
        yield (
            f"the ledger counts from {taken.first}, and {head.number} moves are chained: it was brought back from an older copy, "
            "or somebody has changed it"
        )
