"""Whether a chain is as it was written: every link follows the one before, and the anchor is at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..domain.audit import CHAIN, GENESIS, START, Finding, Head, begins, following
from .chain import ANCHOR, files_of, lines_of, read_anchor, read_link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..domain.audit import Anchor, Link
    from ..ports import Seals

#: So many places are named; of more people are told how many.
MOST_NAMED = 20


@dataclass
class Verified:
    """What a look at a chain has found. `findings` is empty if all is as it was written."""

    customer: str
    links: int = 0
    first: Link | None = None
    last: Link | None = None
    #: When the first move was made, in ms.
    since: int = 0
    head: Head = START
    anchor: Anchor | None = None
    #: Links behind the anchor: their visit was killed, or is not over.
    unsealed: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def found(self, place: str, what: str) -> None:
        """One more."""
        if len(self.findings) < MOST_NAMED:
            self.findings.append(Finding(place, what))
        else:
            self.more += 1

    @property
    def remark(self) -> str:
        """What is no fault: that it does not go back to the first link of all."""
        return "" if not self.first or self.first["seq"] == 1 else f"it begins with link {self.first['seq']}: older files are not here"


def verified(
    folder: Path, customer: str, *, seals: Seals, seen: tuple[int, str] | None = None, each: Callable[[Link], None] = lambda _: None
) -> Verified:
    """Every line of a customer's files, in one pass; `each` link is handed on. An end that was `seen` must be among them."""
    files = files_of(folder / customer)
    found = Verified(customer, anchor=read_anchor(folder / customer / ANCHOR))
    is_at_anchor, is_met = False, seen is None
    file: Path | None = None
    for path, number, line in lines_of(files):
        place = f"{path.name}:{number}"
        link = read_link(line)
        if link is None:
            if path == files[-1] and line.endswith(b"\0") and found.unsealed + is_at_anchor:
                continue  # its visit is not over, or was killed
            found.found(place, "is no link: the line was changed, or cut")
            continue
        if path != file:
            _begins(found, place, path, link)
        file = path
        _follows(found, place, link, customer)
        each(link)
        found.head = following(found.head, link, line)
        is_met = is_met or found.head[:2] == seen
        if not found.since and link["number"] is not None:
            found.since = link["at"]
        found.first, found.last, found.links = found.first or link, link, found.links + 1
        if found.anchor and link["seq"] == found.anchor.seq:
            is_at_anchor = True
            if found.head.digest != found.anchor.digest:
                found.found(place, f"is not link {link['seq']} as it was sealed")
        elif is_at_anchor:
            found.unsealed += 1
    _ends(found, seals, is_at_anchor=is_at_anchor)
    if not is_met:
        found.found("--seen", "the chain does not contain that end: it is another one, or was cut before")
    return found


def _begins(found: Verified, place: str, path: Path, link: Link) -> None:
    if link["by"] != CHAIN or link["text"] != begins(path.stem):
        found.found(place, "is not how a file begins: its head was cut off")


def _follows(found: Verified, place: str, link: Link, customer: str) -> None:
    before = found.head
    if link["customer"] != customer:
        found.found(place, f"is a link of {link['customer']}")
    if found.links and (link["seq"] != before.seq + 1 or link["prev"] != before.digest):
        found.found(place, f"link {link['seq']} does not follow link {before.seq}: one was changed, or links between were taken away")
    elif not found.links and link["seq"] == 1 and link["prev"] != GENESIS:
        found.found(place, "link 1 follows another one: it was changed")
    if link["by"] == CHAIN and not link["text"].endswith(" begins"):
        found.found(place, f"the chain says of itself: {link['text']}")


def _ends(found: Verified, seals: Seals, *, is_at_anchor: bool) -> None:
    anchor = found.anchor
    if anchor is None:
        found.found(ANCHOR, "there is none that can be read: nothing says how far the chain went")
        return
    flaw = seals.anchor_flaw(found.customer, anchor.seq, anchor.digest, anchor.seal)
    if flaw:
        found.found(ANCHOR, flaw.reason)
    if not is_at_anchor:
        found.found(ANCHOR, f"the chain was sealed to link {anchor.seq}, and ends with {found.head.seq}: its end was cut off")
