"""What was recorded, as its undo needs it: the order with its seal, whose it is, and whether it was taken back since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..domain.actions import identity, load_action
from ..domain.facts import Receipt
from ..domain.seals import Sealed, base_name
from ..domain.states import State
from ..domain.undo import Made, taken_back
from ..domain.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.rows import Row
    from ..ports import Seals

#: What of a row's hash is read beside the row itself, and of one that was done is packed with its threat.
ORDER = ("order", "seal", "planned_for", "remote", "receipt")
_BY_HAND = "take it back in the EDR's console"


def has_undo(row: Row) -> bool:
    """Whether an undo would need the row's order."""
    return row.kind == "action" and bool(row.verb in VERBS and VERBS[row.verb].undo) and row.state is not State.SKIPPED


def signed(row: Row, kept: Sequence[str | None], seals: Seals) -> Made:
    """The row with its order, from its fields `ORDER`, or why that is not believed."""
    order, seal, planned_for, remote, receipt = kept
    if not order:
        return Made(row=row, doubt=f"its order is not kept any more: {_BY_HAND}")
    sealed = Sealed(
        row.customer, planned_for or row.threat_id, base_name(row.id), row.kind, row.verb, row.edr, row.lane or "", remote or "", order
    )
    flaw = seals.row_flaw(sealed, seal or "")
    if flaw:
        return Made(row=row, doubt=f"its order is not believed, {_BY_HAND}: {flaw.reason}")
    try:
        return Made(row=row, action=load_action(order), receipt=Receipt.model_validate_json(receipt) if receipt else None)
    except ValidationError:
        return Made(row=row, doubt=f"its order cannot be read by this version: {_BY_HAND}")


def undo_id(made: Made) -> str:
    """The name of what would take it back; empty where nothing does."""
    undo = taken_back(made.action) if made.action else None
    return identity(undo) if undo else ""
