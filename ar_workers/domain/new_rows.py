"""What a plan wants written down: actions, deliveries and every "no" as rows to be recorded.

What is made dozens of times per threat of what is valid already is a dataclass: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from .actions import IsolateEndpoint, identity, lane_of
from .canvas import Queue
from .dry_runs import DryRun
from .notifications import delivery_identity
from .states import State
from .verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .actions import Action
    from .events import Event
    from .notifications import Delivery, Notification
    from .plans import Skip
    from .rows import RowKind


@dataclass(frozen=True, kw_only=True)
class NewRow:
    """A row to be recorded. `id` is its identity; the ledger adds which repeat it is where it is justified anew.

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
    #: Of an undo: who wants it, and the row that it takes back, where there is one.
    asked_by: str = ""
    undoes: str = ""
    #: Of an isolation: after so long without effect people are told; zero is never.
    watch: timedelta = timedelta()
    #: Of a dry run.
    is_dry: bool = False


@dataclass(frozen=True, kw_only=True)
class EventPlan:
    """What an event comes to: its rows in the order of the plan; `closes`, a reason, calls off what its threat still has open."""

    event: Event
    rows: Sequence[NewRow]
    closes: str | None = None


def action_row(action: Action, threat_id: str, *, after: tuple[str, ...], life: timedelta, within: timedelta = timedelta()) -> NewRow:
    """An action as a row to be recorded. Of an isolation in earnest that is not in effect `within` that time people are told."""
    return NewRow(
        id=identity(action),
        kind="action",
        verb=action.verb,
        edr=action.edr,
        subject=action.label,
        queue=VERBS[action.verb].queue,
        label=f"{'DRY RUN: ' if action.is_dry else ''}{action.verb} {action.label} · {action.customer} · {threat_id}",
        lane=lane_of(action) or None,
        remote=action.edr,
        after=after,
        order=action.written(),
        life=life,
        asked_by=getattr(action, "requested_by", ""),
        undoes=getattr(action, "undoes", ""),
        watch=within if isinstance(action, IsolateEndpoint) and not action.is_dry else timedelta(),
        is_dry=action.is_dry,
    )


def delivery_row(delivery: Delivery, event_id: str, threat_id: str, *, life: timedelta, wait: timedelta = timedelta()) -> NewRow:
    """A delivery as a row to be recorded. Its life begins when it may be told, be it in a digest."""
    collecting = delivery.digest.within if delivery.digest else timedelta()
    return NewRow(
        id=delivery_identity(delivery, event_id),
        kind="delivery",
        verb=delivery.receiver.channel,
        subject=f"{delivery.notification.mark}{delivery.notification.kind} to {delivery.receiver.address}",
        queue=Queue.NOTIFY,
        remote=delivery.receiver.place,
        label=f"tell {delivery.receiver.channel} · {delivery.notification.kind} · {delivery.customer} · {threat_id}",
        order=delivery.written(),
        life=life + wait + collecting,
        wait=wait,
        has_fallback=delivery.fallback is not None,
        once=delivery.notification.once and f"{delivery.notification.once}/{delivery.receiver.place}",
        is_dry=delivery.notification.dry_run is DryRun.YES,
    )


def untold_row(notification: Notification, event_id: str, number: int) -> NewRow:
    """A notification that no route takes: nobody is told, which is recorded."""
    return NewRow(
        id=f"{notification.customer}:deliver:none-{event_id}-{number}",
        kind="delivery",
        verb="deliver",
        subject=f"{notification.mark}{notification.kind} to nobody",
        queue=Queue.NOTIFY,
        label=f"tell nobody · {notification.kind} · {notification.customer}",
        state=State.SKIPPED,
        reason="no route of the customer takes it",
        life=timedelta(),
        is_dry=notification.dry_run is DryRun.YES,
    )


def skip_row(skip: Skip, customer: str, event_id: str, number: int, *, is_dry: bool = False) -> NewRow:
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
        is_dry=is_dry,
    )
