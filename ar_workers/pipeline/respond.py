"""An accepted event becomes a recorded plan, and the plan starts to play."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ..automations import plan_for
from ..automations.context import Context
from ..domain.backpressure import left_to_the_sweep
from ..domain.canvas import Canvas
from ..domain.causes import Trouble, kind_of
from ..domain.errors import ARError
from ..domain.events import DeliveryFailed, NoteAdded, ThreatClosed, UndoRequested, WorkHindered
from ..domain.new_rows import EventPlan, action_row, delivery_row, skip_row, untold_row
from ..domain.notifications import Audience, Delivery, Digest, Kind, Receiver
from ..domain.policies import Policy
from ..domain.retries import delivery_life, life_of
from ..domain.routes import ONE_CAUSE, Target, route
from ..domain.seals import Flaw
from ..domain.text import whole
from ..domain.verbs import VERBS
from . import orphans, unbelieved
from .lookups import looked_up
from .orphans import NotConfigured
from .summary import summary_of
from .workflow import arrange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ..domain.actions import Action
    from ..domain.events import Event
    from ..domain.new_rows import NewRow
    from ..domain.notifications import Notification
    from ..domain.plans import Plan
    from ..domain.summaries import Summary
    from ..domain.undo import Made
    from .services import Services

_log = logging.getLogger(__name__)
#: For how long it is known that a receiver's refusal was told: longer than the day that is part of its name.
REFUSAL_KEPT = timedelta(days=2)
RETRY_PLANNING = timedelta(seconds=15)
#: What was planned is recorded after so many seconds at the latest, even if an EDR is still to be asked about the next event, and
#: before another event of its threat is planned.
HELD_BACK = 0.05


def respond(services: Services, refs: Sequence[str]) -> None:
    """Plan the events `refs` of one customer, record each plan in one step, and ring its workers. A repetition does nothing.

    An event that cannot be planned is tried again and then set aside as failed, where operators see it; it is never dropped.
    Of a customer without a file the TREs are told, once, and its events wait for the file for a day.
    """
    since, plans = services.monotonic(), list[EventPlan]()
    for ref, event in zip(refs, services.ledger.events(refs), strict=True):
        if event is None:
            continue
        if isinstance(event, Flaw):
            _set_aside(services, ref, event)
            continue
        is_about_planned = any(plan.event.threat_id == event.threat_id for plan in plans)
        if is_about_planned or services.monotonic() - since > HELD_BACK:
            _play(services, plans)
            since, plans = services.monotonic(), []
        plan = _planned(services, ref, event)
        if plan:
            plans.append(plan)
    _play(services, plans)


def _play(services: Services, plans: Sequence[EventPlan]) -> None:
    """Record them, and ring for all but what is left to the sweep."""
    if not plans:
        return
    unrung = left_to_the_sweep(services.doorbell.backlog(), partial(services.ledger.outstanding, plans[0].event.customer))
    rung = services.ledger.record(plans, unrung=unrung)
    steps = [step for rings in rung for step in arrange([ring for ring in rings or () if ring.queue not in unrung]).steps]
    services.doorbell.play(Canvas(steps=tuple(steps)))


def _planned(services: Services, ref: str, event: Event) -> EventPlan | None:
    try:
        _check(ref, event)
        plan = plan_for(event, context_for(services, event))
        return EventPlan(event=event, rows=list(rows_of(services, event, plan)), closes=plan.closes)
    except NotConfigured as error:
        services.ledger.event_failed(ref, str(error), orphans.LOOK_AGAIN, most=orphans.WAIT // orphans.LOOK_AGAIN)
        _log.error("planning %s failed: %s", ref, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the event must be kept and shown
        services.ledger.event_failed(ref, whole(f"{type(error).__name__}: {error}"), RETRY_PLANNING)
        _log.exception("planning %s failed", ref)
    owner = ref.partition(":")[0]
    if owner not in services.policies:
        orphans.tell(services, owner)
    return None


def _set_aside(services: Services, ref: str, flaw: Flaw) -> None:
    """What is forged is tried only once: nothing makes it better than it is, but that the same is published again. A person is told."""
    if flaw.may_pass:
        services.ledger.event_failed(ref, flaw.reason, RETRY_PLANNING)
        return
    _log.critical("%s is not planned: %s", ref, flaw.reason)
    services.ledger.event_failed(ref, whole(f"security: {flaw.reason}"), RETRY_PLANNING, most=1)
    customer, _, event_id = ref.partition(":event/")
    unbelieved.tell(services, customer, event_id, flaw.reason)


def _check(ref: str, event: Event) -> None:
    """Raises ARError for an event that stands under another name than its own: we did not write it there."""
    if ref != f"{event.customer}:event/{event.id}":
        raise ARError(f"security: it says of itself that it is event {event.id} of {event.customer}")


def context_for(services: Services, event: Event) -> Context:
    """What the automations may know: the customer's policy, and the endpoints as their EDR shows them.

    That a customer has no policy is told by one under which nothing may be done. Raises NotConfigured for anything else.
    """
    policy = services.policies.get(event.customer)
    if policy is None and isinstance(event, WorkHindered):
        policy = Policy(customer=event.customer)
    if policy is None:
        raise NotConfigured(f"customer {event.customer} has no configuration: add customers/{event.customer}.toml")
    return Context(
        policy=policy,
        capabilities=services.capabilities,
        now=services.clock.now(),
        endpoints=dict(looked_up(services, event)),
        summary=_summary_for(services, event),
        made=_made_for(services, event),
        tre_receivers=services.tre_receivers,
        is_first_refusal=_is_first_refusal(services, event),
    )


def _is_first_refusal(services: Services, event: Event) -> bool:
    """Planned again after a crash, the first one is still the first."""
    if not isinstance(event, DeliveryFailed) or kind_of(event.cause) is not Trouble.RECEIVER:
        return False
    name = f"refused:{event.delivery.receiver.place}:{event.occurred_at:%Y-%m-%d}"
    return services.ledger.is_first(name, f"{event.customer}:{event.id}", REFUSAL_KEPT)


def _made_for(services: Services, event: Event) -> tuple[Made, ...]:
    """What was done for the threat, if the event asks for its undo or may lead to it."""
    if isinstance(event, UndoRequested) or (isinstance(event, ThreatClosed) and event.is_false_positive):
        return tuple(services.ledger.made(event.customer, event.threat_id))
    return ()


def _summary_for(services: Services, event: Event) -> Summary | None:
    """What became of the threat so far, if the event says that its remediation is complete."""
    if not isinstance(event, NoteAdded) or not event.note.remediation_complete:
        return None
    return summary_of(services.ledger, event.customer, event.threat, event.threat_id)


def rows_of(services: Services, event: Event, plan: Plan) -> Iterator[NewRow]:
    """A plan as ledger rows: actions in the order of their steps, then who is told, then every "no"."""
    yield from _action_rows(services, event, plan)
    yield from _delivery_rows(services, event, plan)
    for number, skip in enumerate(plan.skips):
        yield skip_row(skip, event.customer, event.id, number, is_dry=plan.is_dry)


def _action_rows(services: Services, event: Event, plan: Plan) -> list[NewRow]:
    rows: list[NewRow] = []
    threat = getattr(event, "threat", None)
    within = services.policies[event.customer].contained_within(threat.severity) if threat else timedelta()
    before: defaultdict[str | None, list[tuple[float, str]]] = defaultdict(list)
    for step, action in sorted(((_step(each), each) for each in plan.actions), key=lambda each: each[0]):
        after = tuple(row_id for earlier, row_id in before[action.lane] if earlier < step) if action.lane else ()
        rows.append(action_row(action, event.threat_id, after=after, life=life_of(action.verb), within=within))
        before[action.lane].append((step, rows[-1].id))
    return rows


def _step(action: Action) -> float:
    """What has none comes last, and waits for nothing: it is tenant-wide."""
    step = VERBS[action.verb].step
    return float("inf") if step is None else step


def _delivery_rows(services: Services, event: Event, plan: Plan) -> Iterator[NewRow]:
    now = services.clock.now()
    for delivery in plan.deliveries:
        yield delivery_row(delivery, event.id, event.threat_id, life=delivery_life(delivery.receiver.channel))
    for number, notification in enumerate(plan.notifications):
        targets = targets_of(services, notification, now)
        if targets is None:
            yield untold_row(notification, event.id, number)
        for target in targets or ():
            delivery = Delivery(
                notification=notification,
                receiver=target.receiver,
                occurred_at=event.happened_at,
                fallback=target.fallback,
                digest=target.digest,
            )
            life = delivery_life(target.receiver.channel)
            yield delivery_row(delivery, event.id, event.threat_id, life=life, wait=target.not_before - now)


#: So many single messages about stopped actions or closed threats the TREs get of one customer in a while; a storm is told as one.
_IN_STORMS = frozenset({Kind.ACTION_NEEDED, Kind.THREAT_CLOSED})
STORM = Digest(more_than=5, within=timedelta(minutes=10))


def targets_of(services: Services, notification: Notification, now: datetime) -> tuple[Target, ...] | None:
    """Who gets a copy: the TREs by Slack and PagerDuty, a customer by its routes or at the mail addresses that it set.

    None if the customer routes this kind, and no route takes it now.
    """
    if notification.audience is Audience.TRE:
        return tuple(_to_tre(receiver, notification, now) for receiver in _tres(services, notification))
    policy = services.policies[notification.customer]
    if any(notification.kind in each.kinds for each in policy.routes):
        return route(notification, policy.routes, policy.receivers, now) or None
    return tuple(Target(receiver=Receiver(channel="email", address=each), not_before=now) for each in _emails(policy, notification))


def _tres(services: Services, notification: Notification) -> list[Receiver]:
    """Nobody is paged because there is less to do; but who has nothing else than a pager is told there."""
    quiet = [each for each in services.tre_receivers if each.channel != "pagerduty"]
    return quiet if notification.kind is Kind.THREAT_CLOSED and quiet else list(services.tre_receivers)


def _to_tre(receiver: Receiver, notification: Notification, now: datetime) -> Target:
    """PagerDuty groups by threat of its own accord. What has one cause is told as one by each."""
    if notification.common:
        return Target(receiver=receiver, not_before=now, digest=ONE_CAUSE)
    is_gathered = notification.kind in _IN_STORMS and not notification.incident and receiver.channel != "pagerduty"
    return Target(receiver=receiver, not_before=now, digest=STORM if is_gathered else None)


def _emails(policy: Policy, notification: Notification) -> tuple[str, ...]:
    by_kind = {Kind.UNSUPPORTED_OS: policy.unsupported_os_emails, Kind.REMEDIATION_SUMMARY: policy.summary_emails}
    return by_kind.get(notification.kind, ())
