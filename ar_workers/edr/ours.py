"""What stands at a vendor because we put it there: it alone is taken back, and what somebody else has made stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.actions import mark_of
from ..domain.facts import Fact, Receipt, Sight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.actions import UnbanDomain, UnbanHash

_MADE = {"made": "1"}


def made(reference: str) -> Receipt:
    """The receipt of what was not there before, with the vendor's id of it."""
    return Receipt(reference=reference, detail=_MADE if reference else {})


def changed(reference: str, seen: Fact) -> Receipt:
    """The receipt of what stood there before us, and what it was then: that is told, and it is not taken away."""
    return Receipt(reference=reference, detail={"was": seen.evidence})


def is_ours(action: UnbanHash | UnbanDomain, row_id: str, text: object) -> bool:
    """Whether we made a vendor's row: it has the id that we were given when it was made, or our mark, which stands on nothing else."""
    receipt = action.made
    is_known = receipt is not None and receipt.detail.items() >= _MADE.items() and receipt.reference == row_id
    return bool(row_id and is_known) or text == mark_of(action)


def told(action: UnbanHash | UnbanDomain, row_id: str, words: str) -> str:
    """Somebody else's row in words, and what it was before we changed it, if we did."""
    receipt = action.made
    was = receipt.detail.get("was", "") if receipt and receipt.reference == row_id else ""
    return f"{words} (changed by us, and put back by hand; before, {was})" if was else words


def unbanned(ours: Sequence[str], others: Sequence[str], receipt: Receipt | None, where: str) -> Fact:
    """What is seen of the undo of a ban: `ours` are ids of what we made, `others` what else bans the same, in words.

    What stands beside ours stays, and before an order there is nothing else to do.
    """
    if ours:
        return Fact(sight=Sight.ABSENT, evidence=f"{where} still has what we made", handle=",".join(ours))
    if not others:
        return Fact(sight=Sight.PRESENT, evidence=f"{where} has none of it")
    stays = f"not made by us, so it stays: {', '.join(others)}"
    if receipt is None:
        return Fact(sight=Sight.MISMATCH, evidence=f"{where} has a ban that was {stays}")
    return Fact(sight=Sight.PRESENT, evidence=f"{where} has nothing of ours any more, and a ban that was {stays}")
