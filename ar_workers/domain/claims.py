"""A worker's claim on a row, and what its visit came to.

What each visit makes anew of what is valid already is a dataclass: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from .actions import identity, lane_of, load_action
from .notifications import load_delivery
from .retries import Hindrance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .actions import Action
    from .guards import Guard
    from .notifications import Delivery
    from .rows import RowKind
    from .states import State


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to work on a row until the lease ends; `fence` makes a stale worker's word worthless.

    `was` is the state before the claim: `pending` (never begun), `performed` (look again) or `unknown`
    (begun, and the worker was lost or the answer never came: look first).
    """

    row_id: str
    customer: str
    threat_id: str
    kind: RowKind
    order: str
    was: State
    fence: int
    #: What the row says of itself, for which the guards were asked: the order must say the same.
    verb: str = ""
    edr: str = ""
    lane: str = ""
    remote: str = ""
    attempts: int = 0
    looks: int = 0
    crashes: int = 0
    #: Looks in a row at an accepted order that showed nothing of it.
    blanks: int = 0
    #: What its last visits met in a row, and how long ago the first of them was.
    hindered: Hindrance = Hindrance.NONE
    hindered_for: timedelta = timedelta()
    #: Why it is called off, if it is.
    called_off: str = ""
    generation: int = 1
    receipt: str = ""
    #: Of a delivery: the reference of the first message about this threat that its receiver has accepted.
    thread: str = ""
    #: The intent's deadline has passed: look once more, then give up.
    is_late: bool = False
    #: Why it is not believed that we wrote the row, or that a person let it pass; empty if it is.
    forged: str = ""
    #: The guards that a person has opened for this row.
    approved: frozenset[str] = frozenset()
    #: Who has opened each; empty where that was not sealed yet.
    approved_by: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Who has requeued it; empty for what only its source has asked for, None if nobody can tell.
    asked_by: str | None = ""
    #: Its last worker was lost with it in hand.
    is_lost: bool = False
    #: How long nobody has looked at what was begun.
    unseen_for: timedelta = timedelta()
    #: The write was cleared by the claim: `begin` need not be asked if it follows at once.
    is_cleared: bool = False

    def action(self) -> Action:
        """The order of an action row."""
        return load_action(self.order)

    def delivery(self) -> Delivery:
        """The order of a delivery row."""
        return load_delivery(self.order)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a claim was not granted; nothing needs to be done about it."""

    reason: str


class Health(StrEnum):
    """How the remote was on a visit."""

    #: It was not asked.
    UNSEEN = ""
    #: It answered, whatever it said.
    OK = "ok"
    #: It could not be reached, or failed.
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class VisitResult:
    """How a visit to a row ended: the state it moves to, and what is to be kept about it.

    `after` is when the row is due again (for pending, performed and unknown). `counts` says whether the try
    counts as an attempt (a look does not). `receipt` is kept for the next look, `reference` and `evidence`
    are shown to people. `guard` is who holds it. `health` steers the remote's breaker.
    """

    state: State
    reason: str = ""
    after: timedelta = timedelta()
    counts: bool = False
    receipt: str | None = None
    reference: str = ""
    evidence: str = ""
    health: Health = Health.UNSEEN
    #: Of a held row: who holds it.
    guard: Guard | None = None
    #: Whether the EDR showed nothing of an order that it had accepted; None if it was not seen.
    is_blank: bool | None = None
    #: Of a failed row: why, by kinds (see `causes`).
    cause: str = ""
    #: What it met that may pass by itself; nothing says that this is over.
    hindered: Hindrance = Hindrance.NONE
    #: Skipped for no other reason than that it is a dry run.
    would: bool = False


def contradiction(claim: Claim) -> str | None:
    """Where a row and its order do not say the same. Then one of them was not written by us: nothing may be asked for it.

    The guards and the ledger's switches were asked about the row, the credential and the target come from the order.
    """
    try:
        said = _said_by_action(claim.action()) if claim.kind == "action" else _said_by_delivery(claim.delivery())
    except ValidationError:
        return "the order cannot be read"
    name = claim.row_id.partition(".")[0] if claim.kind == "action" else ""
    row = _Said(claim.customer, claim.verb, claim.edr, claim.lane, claim.remote, name)
    if row == said:
        return None
    pairs = zip(_Said._fields, row, said, strict=True)
    return "; ".join(f"{field}: row {ours or 'none'}, order {theirs or 'none'}" for field, ours, theirs in pairs if ours != theirs)


class _Said(NamedTuple):
    """What a row and its order must both say; of a delivery there is no id in the order."""

    customer: str
    verb: str
    edr: str
    lane: str
    remote: str
    id: str


def _said_by_action(action: Action) -> _Said:
    edr = next((each.edr for each in action.endpoints if each.edr is not action.edr), action.edr)
    return _Said(action.customer, action.verb, edr, lane_of(action), action.edr, identity(action))


def _said_by_delivery(delivery: Delivery) -> _Said:
    receiver = delivery.receiver
    return _Said(delivery.customer, receiver.channel, "", "", receiver.place, "")
