"""What stands at a vendor because we put it there: it alone is taken back, and what somebody else has made stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.actions import mark_of
from ..domain.errors import Denied
from ..domain.facts import Fact, Receipt, Sight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..domain.actions import UnbanDomain, UnbanHash

    Row = dict[str, Any]

_MADE = {"made": "1"}


def made(reference: str) -> Receipt:
    """The receipt of what was not there before, with the vendor's id of it."""
    return Receipt(reference=reference, detail=_MADE if reference else {})


def changed(reference: str, seen: Fact) -> Receipt:
    """The receipt of what stood there before us, and what it was then: that is told, and it is not taken away."""
    return Receipt(reference=reference, detail={"was": seen.evidence})


def ids_in(seen: Fact) -> list[str]:
    """What of ours was seen, and is to be deleted. Raises Denied where that is nothing: an empty list may be everything."""
    if not seen.handle:
        raise Denied("nothing of ours was seen that could be deleted")
    return seen.handle.split(",")


def unbanned(
    action: UnbanHash | UnbanDomain, rows: Iterable[Row], receipt: Receipt | None, *, where: str, words: str, key: str = "id"
) -> Fact:
    """What is seen of the undo of a ban, from the rows that ban the same, whose id stands in `key`.

    `words` are a template for somebody else's, with the row's fields in braces; what a row does not say is somebody.
    """
    ours, others = list[str](), list[str]()
    for row in rows:
        row_id = str(row.get(key) or "")
        if row_id and _is_ours(action, row_id, row.get("description")):
            ours.append(row_id)
        else:
            others.append(_told(action, row_id, words.format_map(_Somebody((name, value) for name, value in row.items() if value))))
    return remains(ours, others, receipt, where)


class _Somebody(dict[str, object]):
    def __missing__(self, _: str) -> str:
        return "somebody"


def remains(ours: Sequence[str], others: Sequence[str], receipt: Receipt | None, where: str) -> Fact:
    """`ours` are ids of what we made, `others` what else bans the same, in words.

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


def _is_ours(action: UnbanHash | UnbanDomain, row_id: str, text: object) -> bool:
    """It has the id that we were given when it was made, or our mark, which stands on nothing else."""
    receipt = action.made
    is_known = receipt is not None and receipt.detail.items() >= _MADE.items() and receipt.reference == row_id
    return is_known or text == mark_of(action)


def _told(action: UnbanHash | UnbanDomain, row_id: str, words: str) -> str:
    """Somebody else's row, and what it was before we changed it, if we did."""
    receipt = action.made
    was = receipt.detail.get("was", "") if receipt and receipt.reference == row_id else ""
    return f"{words} (changed by us, and put back by hand; before, {was})" if was else words
