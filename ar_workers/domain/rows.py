"""What the ledger keeps of an action or a delivery, as it hands it out.

What each visit makes anew of what is valid already is a dataclass: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, ValidationError

from .actions import ReleaseEndpoint, identity, load_action
from .model import Value
from .notifications import Delivery, delivery_identity, load_delivery
from .scores import Queue
from .states import State
from .threats import Threat
from .verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .actions import Action
    from .events import Event
    from .guards import Guard
    from .notifications import Notification
    from .plans import Skip

RowKind = Literal["action", "delivery"]


@dataclass(frozen=True, kw_only=True)
class NewRow:
    """A row to be recorded. `id` is its identity; the ledger adds a generation where the wish is justified anew.

    `after` are ids of rows in the same plan that must be submitted or settled first. `order` is the action or
    delivery as JSON. `once` is a key that, when it is already known, turns the row into a skipped one.
    """

    id: str
    kind: RowKind
    verb: str
    edr: str = ""
    subject: str
    queue: Queue
    label: str
    lane: str | None = None
    #: What has to answer, and is budgeted, asked by one at a time when it does not: an EDR, or a receiver.
    remote: str = ""
    after: tuple[str, ...] = ()
    order: str = ""
    state: Literal[State.PENDING, State.SKIPPED] = State.PENDING
    reason: str = ""
    life: timedelta
    #: How long it is not due yet.
    wait: timedelta = timedelta()
    #: A delivery that has a fallback: its failure comes in again as an event.
    has_fallback: bool = False
    once: str | None = None
    #: Of a release: the person who wants it.
    asked_by: str = ""


@dataclass(frozen=True, kw_only=True)
class EventPlan:
    """What an event comes to: its rows in the order of the plan; `closes`, a reason, calls off what its threat still has open."""

    event: Event
    rows: Sequence[NewRow]
    closes: str | None = None


@dataclass(frozen=True, kw_only=True)
class Containment:
    """What the EDR last showed of an endpoint, whichever threat moved it."""

    is_isolated: bool
    at: datetime


class Row(Value):
    """A row as it stands. Times are the ledger's; None means "not yet"."""

    id: str
    customer: str
    threat_id: str
    kind: RowKind
    verb: str
    edr: str = ""
    subject: str
    label: str
    queue: Queue
    state: State
    reason: str = ""
    evidence: str = ""
    reference: str = ""
    lane: str | None = None
    attempts: int = 0
    generation: int = 1
    created_at: AwareDatetime
    begun_at: AwareDatetime | None = None
    performed_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None
    deadline: AwareDatetime | None = None


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
    generation: int = 1
    receipt: str = ""
    #: Of a delivery: the reference of the first message about this threat that its receiver has accepted.
    thread: str = ""
    #: The intent's deadline has passed: look once more, then give up.
    is_late: bool = False
    #: The guards that a person has opened for this row.
    approved: frozenset[str] = frozenset()
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


class Health(StrEnum):
    """How the remote was on a visit."""

    #: It was not asked.
    UNSEEN = ""
    #: It answered, whatever it said.
    OK = "ok"
    #: It could not be reached, or failed.
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a claim was not granted; nothing needs to be done about it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How a visit to a row ended: the state it moves to, and what is to be kept about it.

    `after` is when the row is due again (for pending, performed and unknown). `counts` says whether the try
    counts as an attempt (a look does not). `receipt` is kept for the next look, `reference` and `evidence`
    are shown to people. `guard` is who holds it. `health` and `stay_away`, the remote's own wish, steer its breaker and budget.
    """

    state: State
    reason: str = ""
    after: timedelta = timedelta()
    counts: bool = False
    receipt: str | None = None
    reference: str = ""
    evidence: str = ""
    health: Health = Health.UNSEEN
    stay_away: timedelta = timedelta()
    #: Of a held row: who holds it.
    guard: Guard | None = None


class Acceptance(StrEnum):
    """What `accept` did with an event."""

    NEW = "accepted"
    DUPLICATE = "duplicate"
    #: The same id with other content: refused.
    CONFLICT = "conflict"


class TimelineEntry(Value):
    """One move of one row, or one event, at the ledger's time."""

    at: AwareDatetime
    row: str
    text: str


class ThreatRecord(Value):
    """A threat as the ledger keeps it. `timeline` is oldest first, and empty in lists."""

    customer: str
    id: str
    threat: Threat | None
    accepted_at: AwareDatetime
    closed: str = ""
    timeline: tuple[TimelineEntry, ...] = ()


def contradiction(claim: Claim) -> str | None:
    """Where a row and its order do not say the same. Then one of them was not written by us: nothing may be asked for it.

    The guards and the ledger's switches were asked about the row, the credential and the target come from the order.
    """
    try:
        said = _said_by_action(claim.action()) if claim.kind == "action" else _said_by_delivery(claim.delivery())
    except ValidationError:
        return "the order cannot be read"
    row = {"customer": claim.customer, "verb": claim.verb, "edr": claim.edr, "lane": claim.lane, "remote": claim.remote}
    row |= {"id": claim.row_id.partition(".")[0]} if claim.kind == "action" else {}
    wrong = [f"{name}: row {row[name] or 'none'}, order {said[name] or 'none'}" for name in row if row[name] != said[name]]
    return "; ".join(wrong) or None


def _said_by_action(action: Action) -> dict[str, str]:
    strangers = [each.edr for each in action.endpoints if each.edr is not action.edr]
    edr = strangers[0] if strangers else action.edr
    name = identity(action)
    return {"customer": action.customer, "verb": action.verb, "edr": edr, "lane": _lane(action), "remote": action.edr, "id": name}


def _said_by_delivery(delivery: Delivery) -> dict[str, str]:
    receiver = delivery.receiver
    return {"customer": delivery.customer, "verb": receiver.channel, "edr": "", "lane": "", "remote": receiver.place}


def _lane(action: Action) -> str:
    return f"{action.edr}/{action.lane}" if action.lane else ""


def action_row(action: Action, threat_id: str, *, after: tuple[str, ...], life: timedelta) -> NewRow:
    """An action as a row to be recorded."""
    return NewRow(
        id=identity(action),
        kind="action",
        verb=action.verb,
        edr=action.edr,
        subject=action.label,
        queue=VERBS[action.verb].queue,
        label=f"{action.verb} {action.label} · {action.customer} · {threat_id}",
        lane=_lane(action) or None,
        remote=action.edr,
        after=after,
        order=action.model_dump_json(),
        life=life,
        asked_by=action.requested_by if isinstance(action, ReleaseEndpoint) else "",
    )


class Seat(Value):
    """A delivery's place in a digest: the row that is sent for all of them, and how long until then."""

    carrier: str
    wait: timedelta


def delivery_row(delivery: Delivery, event_id: str, threat_id: str, *, life: timedelta, wait: timedelta = timedelta()) -> NewRow:
    """A delivery as a row to be recorded. Its life begins when it may be told, be it in a digest."""
    collecting = delivery.digest.within if delivery.digest else timedelta()
    return NewRow(
        id=delivery_identity(delivery, event_id),
        kind="delivery",
        verb=delivery.receiver.channel,
        subject=f"{delivery.notification.kind} to {delivery.receiver.address}",
        queue=Queue.NOTIFY,
        remote=delivery.receiver.place,
        label=f"tell {delivery.receiver.channel} · {delivery.notification.kind} · {delivery.customer} · {threat_id}",
        order=delivery.model_dump_json(),
        life=life + wait + collecting,
        wait=wait,
        has_fallback=delivery.fallback is not None,
        once=delivery.notification.once and f"{delivery.notification.once}/{delivery.receiver.place}",
    )


def untold_row(notification: Notification, event_id: str, number: int) -> NewRow:
    """A notification that no route takes: nobody is told, which is recorded."""
    return NewRow(
        id=f"{notification.customer}:deliver:none-{event_id}-{number}",
        kind="delivery",
        verb="deliver",
        subject=f"{notification.kind} to nobody",
        queue=Queue.NOTIFY,
        label=f"tell nobody · {notification.kind} · {notification.customer}",
        state=State.SKIPPED,
        reason="no route of the customer takes it",
        life=timedelta(),
    )


def skip_row(skip: Skip, customer: str, event_id: str, number: int) -> NewRow:
    """A "no" as a row that is settled from the start, so that nothing of a plan goes unrecorded."""
    return NewRow(
        id=f"{customer}:{skip.verb}:skip-{event_id}-{number}",
        kind="action",
        verb=skip.verb,
        subject=skip.subject,
        queue=Queue.IOC,
        label=f"{skip.verb} {skip.subject}",
        state=State.SKIPPED,
        reason=skip.reason,
        life=timedelta(),
    )
