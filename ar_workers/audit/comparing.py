"""Whether what Redis shows of the past is what was chained."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..domain.audit import Finding, timeline_findings
from .chain import files_of, lines_of, read_link
from .verifying import verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..domain.audit import Link, Moves, TimelineSeen
    from ..ports import Seals, Trail
    from .verifying import Verified

    Told = defaultdict[str, list[tuple[int, str, str]]]


def compared(folder: Path, customer: str, *, seals: Seals, trail: Trail, seen: tuple[int, str] | None = None) -> Verified:
    """The chain verified, and the ledger's timelines beside it.

    They are read first, then what waits to be chained, then the chain: so nothing that a timeline has can be missed in both.
    """
    read_at, timelines = trail.now(), list(trail.timelines(customer))
    waiting = trail.waiting(customer)
    told: Told = defaultdict(list)
    found = verified(folder, customer, seals=seals, seen=seen, each=lambda link: _tell(told, link))
    if waiting.first > found.head.number + 1:
        numbers = f"to {waiting.first - 1}, and this chain goes to {found.head.number}"
        found.found("ledger", f"it has given moves away {numbers}: another folder has them, or its end was cut off")
    _add(told, waiting, found.head.number)
    for finding in _odd(timelines, told, since=found.since, read_at=read_at):
        found.found(*finding)
    return found


def threat_findings(folder: Path, customer: str, threat_id: str, trail: Trail) -> list[Finding] | None:
    """Likewise of one threat, whatever the chain is worth; None where there is no chain."""
    read_at, seen = trail.now(), trail.timelines_of(customer, [threat_id])
    waiting = trail.waiting(customer)
    files, newest = files_of(folder / customer), -1
    told: Told = defaultdict(list)
    if not files:
        return None
    wanted = f'"threat":"{threat_id}"}}'.encode()
    since = 0
    for _, _, line in lines_of(files):
        if not since or line.endswith(wanted):
            link = read_link(line)
            since = since or (link["at"] if link and link["number"] is not None else 0)
            if link and link["threat"] == threat_id:
                _tell(told, link)
                newest = max(newest, -1 if link["number"] is None else link["number"])
    _add(told, waiting, newest)
    only: Told = defaultdict(list, {threat_id: told[threat_id]})
    return list(_odd(seen, only, since=since, read_at=read_at))


def _tell(told: Told, link: Link) -> None:
    if link["threat"]:
        told[link["threat"]].append((link["at"], link["row"], link["text"]))


def _add(told: Told, waiting: Moves, newest: int) -> None:
    for move in waiting.moves:
        if move.threat and move.number > newest:
            told[move.threat].append((move.at, move.row, move.text))


def _odd(seen: Iterable[TimelineSeen], told: Told, *, since: int, read_at: int) -> Iterator[Finding]:
    left = dict(told)
    for each in seen:
        yield from timeline_findings(each, left.pop(each.threat, []), since=since, read_at=read_at)
    for threat, moves in left.items():
        if moves[0][0] < read_at:
            yield Finding(f"threat {threat}", f"its {len(moves)} moves are not in the ledger any more: somebody took them away")
