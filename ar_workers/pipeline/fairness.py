"""Who may ring at once when the queues are long: a customer with little in hand always, a flooding one in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ports import Doorbell, Ledger

#: With so many messages standing in a queue its workers need no waking: more rings would only lengthen it.
FULL = 2_000
#: What a customer may have outstanding and still be rung for at once.
SMALL = 200


def may_ring(ledger: Ledger, doorbell: Doorbell, customer: str) -> bool:
    """Whether new work of `customer` is rung for at once; otherwise the sweep rings it, taking customers by turns."""
    is_full = any(length >= FULL for length in doorbell.backlog().values())
    return not is_full or ledger.outstanding(customer) < SMALL
