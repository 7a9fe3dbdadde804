"""One visit to an action: look, ask the guards, ask the EDR, look again, and write down what is known.

observe --present--> settled     absent --guards--> begin --> perform --> performed (the receipt is kept)
   ^                                                                          |
   '---------------- due again: look, until it is so or the deadline passes --'
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.actions import Effect
from ..domain.causes import Trouble, cause, cure_of, of_error
from ..domain.claims import Health, VisitResult
from ..domain.endpoints import OS
from ..domain.errors import (
    ARError,
    AuthRefused,
    EDRError,
    EndpointNotFound,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unreadable,
    Unsupported,
    VendorFault,
)
from ..domain.facts import Fact, Receipt, Sight
from ..domain.guards import Guard, Verdict, rule
from ..domain.people import alone_on
from ..domain.rehearsals import is_dry
from ..domain.retries import PATIENCE, GiveUp, Hindrance, after_error, after_refused_look, look_again, usual_wait
from ..domain.states import State
from ..domain.text import whole
from ..domain.wellknown import rule_of_known
from .orders import BLANK, STANDS, Order
from .shares import planned_names, shares_of
from .visits import of_kind, visit_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.actions import Action
    from ..domain.claims import Claim
    from ..domain.endpoints import Endpoint
    from ..ports import EDR
    from .services import Services
    from .visits import Visit

#: Looks at an order that was accepted and shows no trace; with growing pauses these are several minutes.
MOST_LOOKS_FOR_ACCEPTED = 15
#: A ban is justified by any of the threat's endpoints; so many are asked before it is refused.
MOST_JUSTIFYING_READS = 5
#: After this, "not isolated" may be a person's release in the vendor's console.
LONG_UNSEEN = timedelta(minutes=10)
#: The EDR may have carried it out: nothing is left to do but to look.
_ASKED = frozenset({State.PERFORMED, State.UNKNOWN})


def execute(services: Services, row_ids: Sequence[str], *, is_followed: bool = False) -> None:
    """Visit the actions `row_ids`, each if it is due and nobody else has it. Safe to call any number of times.

    What one visit sets free among them is visited next; what else it sets free is rung, unless `is_followed`: then the
    caller rings it. What has waited for its turn is rung always.
    """
    now = of_kind(row_ids, "action")
    while now:
        rings = visit_all(services, now, visit)
        now = [ring.id for ring in rings if ring.id in row_ids]
        services.doorbell.ring([ring for ring in rings if ring.id not in row_ids and (ring.is_first or not is_followed)])


def visit(each: Visit) -> VisitResult | None:
    """What was found and done about a claimed action. None: the ledger has moved the row itself."""
    services, action = each.services, each.claim.action()
    if action.is_dry and each.claim.was is State.UNKNOWN:  # a worker was lost with it in hand, and has asked for nothing
        each = replace(each, claim=replace(each.claim, was=State.PENDING))
    edr = services.edrs.get((action.customer, action.edr))
    if edr is None:
        return _given_up(f"{action.customer} has no {action.edr} configured", cause(Trouble.UNCONFIGURED))
    try:
        found = _look_then_act(each, action, edr)
    except EDRError as error:
        return _after_error(each, error, was_asked=False)
    except Unsupported as error:
        return VisitResult(state=State.SKIPPED, reason=f"unsupported: {error}")
    found = found and _still_locked(each.claim, found)
    return found if found is None or found.health else replace(found, health=Health.OK)


def _look_then_act(each: Visit, action: Action, edr: EDR) -> VisitResult | None:
    claim = each.claim
    action = _on_known_os(action, edr)
    receipt = Receipt.model_validate_json(claim.receipt) if claim.receipt else None
    fact = edr.observe(action, receipt)
    if fact.sight is Sight.LOCKED:
        return _locked(each, Unreadable(fact.evidence), is_over=True)
    settled = _rehearsed_pending(action, fact) if action.is_dry and fact.sight is Sight.PENDING else _from_sight(claim, fact)
    if settled:
        return settled
    if claim.was == State.PERFORMED:
        order = Order(action, edr, receipt)
        return _called_off(claim, fact, order) if claim.called_off and action.lane else _still_to_come(claim, fact, order)
    if claim.is_late:
        return _given_up(f"deadline passed: {fact.evidence or 'not in effect'}", cause(Trouble.OUT_OF_TIME))
    return _in_doubt(claim, action, fact) or _perform(each, action, edr, fact)


def _on_known_os(action: Action, edr: EDR) -> Action:
    """What the EDR could not tell when the action was planned is asked for now: how it is done depends on the OS."""
    if not action.lane or action.endpoints[0].os is not OS.UNKNOWN:
        return action
    return action.model_copy(update={"endpoint": edr.endpoint(action.endpoints[0].agent_id)})


def _from_sight(claim: Claim, fact: Fact) -> VisitResult | None:
    """What the sight alone decides."""
    match fact.sight:
        case Sight.PRESENT:
            return VisitResult(state=State.DONE if claim.was in _ASKED else State.ALREADY, evidence=fact.evidence)
        case Sight.MISMATCH:
            return VisitResult(state=State.SKIPPED, reason=fact.evidence)
        case Sight.REFUSED if claim.called_off:
            return VisitResult(state=State.CANCELLED, reason=f"{claim.called_off}; the EDR shows of the order: {fact.evidence}")
        case Sight.REFUSED:
            return _given_up(f"the EDR could not: {fact.evidence}", cause(Trouble.INCAPABLE))
        case Sight.PENDING if claim.was != State.PERFORMED:
            # Somebody's order is on its way, perhaps our own whose answer was lost: wait for it like for ours.
            return VisitResult(state=State.PERFORMED, after=look_again(0), evidence=fact.evidence)
        case _:
            return None


def _still_to_come(claim: Claim, fact: Fact, order: Order) -> VisitResult:
    """Accepted, and not yet so: look again, but never ask twice. A person may have released it meanwhile.

    Looks are counted that showed nothing in a row: an endpoint that comes back after days has as many as another.
    """
    shows_nothing = fact.sight in BLANK
    if shows_nothing and order.was_withdrawn and not claim.is_late:
        return VisitResult(state=State.PENDING, reason="the order was taken back, and its threat was reopened", receipt="")
    if claim.is_late or (shows_nothing and claim.blanks > MOST_LOOKS_FOR_ACCEPTED):
        what = "it cannot show the effect" if fact.sight is Sight.UNKNOWABLE else "not in effect"
        return order.given_up(f"accepted by the EDR, but {what}: {fact.evidence}", fact)
    wait = look_again(claim.blanks if shows_nothing else claim.looks)
    return VisitResult(state=State.PERFORMED, after=wait, evidence=fact.evidence, is_blank=shows_nothing)


def _called_off(claim: Claim, fact: Fact, order: Order) -> VisitResult:
    """Accepted, not yet so, and wanted no more: the order is taken back. Where it cannot be, it is watched as before."""
    if order.was_withdrawn and fact.sight in BLANK:
        return VisitResult(state=State.CANCELLED, reason=f"{claim.called_off}; the order was taken back: {fact.evidence}")
    if claim.is_late:
        return order.given_up(f"{claim.called_off}, but the EDR had accepted it: {fact.evidence}", fact)
    taken, words = order.taken_back()
    reason = f"{claim.called_off}; {words}"
    match taken.sight if taken else None:
        case Sight.PRESENT if taken:
            return VisitResult(state=State.DONE, evidence=taken.evidence)
        case Sight.ABSENT | Sight.UNKNOWABLE:
            return VisitResult(state=State.CANCELLED, reason=reason)
        case _:
            receipt = order.marked_withdrawn() if taken else None
            return VisitResult(state=State.PERFORMED, reason=reason, after=look_again(claim.looks), evidence=fact.evidence, receipt=receipt)


def _in_doubt(claim: Claim, action: Action, fact: Fact) -> VisitResult | None:
    """After a lost answer nothing is destroyed blindly. What the EDR shows not to have happened may be asked again,
    unless it is an isolation that nobody has looked at for so long that a person may have released the endpoint.
    """
    if claim.was == State.UNKNOWN and action.verb == "isolate" and claim.unseen_for > LONG_UNSEEN:
        reason = "the answer was lost, and somebody may have released the endpoint since: a TRE decides"
        return VisitResult(state=State.HELD, reason=reason, guard=Guard.IN_DOUBT)
    if claim.was == State.UNKNOWN and fact.sight is Sight.UNKNOWABLE and action.effect is Effect.DESTRUCTIVE:
        why = "outcome unknown: the worker or the answer was lost, and the EDR cannot show it; look, then requeue"
        return _given_up(why, cause(Trouble.LOST))
    return None


def _perform(each: Visit, action: Action, edr: EDR, fact: Fact) -> VisitResult | None:
    policy = each.services.policies[action.customer]
    by_one = alone_on(each.claim.approved_by, each.claim.asked_by) if policy.two_person else None
    if by_one:
        return VisitResult(state=State.HELD, guard=Guard(by_one[0]), reason=by_one[1])
    fresh = _fresh(action, edr)
    for ruling in (rule(action, policy, fresh, fact), rule_of_known(action, policy, fresh, each.services.well_known)):
        if ruling.verdict is Verdict.REFUSE:
            return VisitResult(state=State.SKIPPED, reason=ruling.reason)
        if ruling.verdict is Verdict.HOLD and ruling.guard not in each.claim.approved:
            return VisitResult(state=State.HELD, reason=ruling.reason, guard=ruling.guard)
    shares = shares_of(each.services, action, fresh, edr, each.shares)
    if not each.may_write(shares, is_counted=shares.keys() <= each.shares.keys() & planned_names(policy, each.claim.action())):
        return None
    if is_dry(action, policy):
        return _rehearsed(each.claim, action, fact)
    try:
        receipt = edr.perform(action, fact)
    except EDRError as error:
        return _after_error(each, error, was_asked=True)
    return _first_look(edr, action, receipt)


def _rehearsed(claim: Claim, action: Action, fact: Fact) -> VisitResult:
    """Everything has let it pass, and the EDR is not asked. What had been asked for in earnest before, nobody may say to be undone."""
    if claim.was is State.UNKNOWN:
        why = "outcome unknown: the worker or the answer was lost, and in a dry run it is not asked for again; look, then requeue"
        return _given_up(why, cause(Trouble.LOST))
    reason = whole(f"would {action.verb.replace('_', ' ')} {action.label} (dry run)")
    return VisitResult(state=State.SKIPPED, reason=reason, evidence=fact.evidence, would=True)


def _rehearsed_pending(action: Action, fact: Fact) -> VisitResult:
    """Somebody's order is on its way, and so not ours: a dry one waits for no effect."""
    what = f"{action.verb.replace('_', ' ')} {action.label}"
    reason = whole(f"would wait for an order that is on its way, and not ask again: {what} (dry run)")
    return VisitResult(state=State.SKIPPED, reason=reason, evidence=fact.evidence, would=True)


def _first_look(edr: EDR, action: Action, receipt: Receipt) -> VisitResult:
    """What the EDR shows right after it accepted: often already done. An error here only means that it is looked at later."""
    try:
        fact = edr.observe(action, receipt)
    except EDRError:
        fact = Fact(sight=Sight.PENDING)
    is_done = fact.sight is Sight.PRESENT
    return VisitResult(
        is_blank=fact.sight in BLANK,
        state=State.DONE if is_done else State.PERFORMED,
        after=timedelta() if is_done else look_again(0),
        counts=True,
        receipt=receipt.model_dump_json(),
        reference=receipt.reference,
        evidence=fact.evidence,
    )


def _fresh(action: Action, edr: EDR) -> list[Endpoint]:
    """The endpoints that justify the action, read from the EDR now; the first one in a remediate group is enough."""
    found = []
    for endpoint in action.endpoints[:MOST_JUSTIFYING_READS]:
        try:
            found.append(edr.endpoint(endpoint.agent_id))
        except EndpointNotFound:
            if action.lane:
                raise
    return found


def _after_error(each: Visit, error: EDRError, *, was_asked: bool) -> VisitResult:
    """An error while looking changes nothing about the row; one after asking leaves the outcome unknown, unless
    the vendor surely did nothing.
    """
    claim = each.claim
    if isinstance(error, Unreadable):
        return _locked(each, error, is_over=False)
    if isinstance(error, AuthRefused) and claim.was in _ASKED and not was_asked and not _has_lasted(claim, Hindrance.REFUSED):
        after = after_refused_look(claim.attempts, each.services.random)
        return _hindered(claim, Hindrance.REFUSED, error, after)
    decision = after_error(error, claim.attempts, each.services.random)
    reason = _reason(error)
    health = Health.BAD if isinstance(error, NotSent | OutcomeUnknown | VendorFault) else Health.OK
    if isinstance(decision, GiveUp):
        if claim.was == State.PERFORMED:
            why = f"accepted by the EDR, and cannot be verified: {reason}{_may_stand(claim)}"
            return _given_up(why, cause(Trouble.UNVERIFIED, of_error(error)), health)
        return _given_up(reason, of_error(error), health)
    if claim.is_late:
        return _given_up(f"deadline passed; last: {reason}{_may_stand(claim)}", cause(Trouble.OUT_OF_TIME), health)
    surely_nothing = isinstance(error, NotSent | Throttled)
    state = claim.was
    if was_asked:
        state = state if surely_nothing else State.UNKNOWN
    # How long the vendor asks everybody to wait, the gate has told the ledger; what is left may be about this endpoint alone.
    return VisitResult(state=state, reason=reason, after=decision.after, counts=True, health=health)


def _locked(each: Visit, error: Unreadable, *, is_over: bool) -> VisitResult:
    """What cannot be told is neither done nor another file: it is looked at again, and, once an order about it is over, asked for again."""
    claim = each.claim
    if _has_lasted(claim, Hindrance.LOCKED):
        why = of_error(error)
        stands = "" if is_over else _may_stand(claim)
        return _given_up(f"{_reason(error)}{stands}. {cure_of(why)}", why, Health.OK)
    found = _hindered(claim, Hindrance.LOCKED, error, usual_wait(claim.attempts, each.services.random))
    return replace(found, state=State.PENDING, receipt="") if is_over else found


def _has_lasted(claim: Claim, kind: Hindrance) -> bool:
    """Whether it has lasted too long to pass by itself."""
    return claim.is_late or (claim.hindered is kind and claim.hindered_for > PATIENCE[kind])


def _hindered(claim: Claim, kind: Hindrance, error: EDRError, after: timedelta) -> VisitResult:
    return VisitResult(state=claim.was, reason=_reason(error), after=after, counts=True, health=Health.OK, hindered=kind)


def _still_locked(claim: Claim, found: VisitResult) -> VisitResult:
    """An order about a locked file shows only at its end that the file is locked no more."""
    is_under_way = claim.hindered is Hindrance.LOCKED and found.state is State.PERFORMED and not found.hindered
    return replace(found, hindered=Hindrance.LOCKED) if is_under_way else found


def _may_stand(claim: Claim) -> str:
    """Of what was accepted on an endpoint and cannot be looked at, nobody can say that it is over."""
    return f"; {STANDS}" if claim.was == State.PERFORMED and claim.lane else ""


def _given_up(reason: str, why: str, health: Health = Health.UNSEEN) -> VisitResult:
    return VisitResult(state=State.FAILED, reason=reason, cause=why, health=health)


def _reason(error: ARError) -> str:
    return whole(f"{type(error).__name__}: {error}")
