"""One visit to an action: look, ask the guards, ask the EDR, look again, and write down what is known.

observe --SO--> settled         NOT_SO --guards--> begin --> perform --> performed (the receipt is kept)
   ^                                                                          |
   '---------------- due again: look, until it is so or the deadline passes --'
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from ..domain.actions import Effect
from ..domain.errors import ARError, EDRError, EndpointNotFound, NotSent, StaleClaim, Throttled, Unsupported
from ..domain.facts import Fact, Receipt, Sight
from ..domain.guards import Verdict, rule
from ..domain.retries import MOST_CRASHES, GiveUp, after_error, look_again
from ..domain.rows import Finding, Refusal
from ..domain.states import State

if TYPE_CHECKING:
    from ..domain.actions import Action
    from ..domain.endpoints import Endpoint
    from ..domain.guards import Ruling
    from ..domain.rows import Claim
    from ..ports import EDR
    from .services import Services

_log = logging.getLogger(__name__)
#: Looks at an order that was accepted and shows no trace; with growing pauses these are several minutes.
MOST_LOOKS_FOR_ACCEPTED = 10
#: A ban is justified by any of the threat's endpoints; so many are asked before it is refused.
MOST_JUSTIFYING_READS = 5


def execute(services: Services, row_id: str, *, is_followed: bool = False) -> None:
    """Visit the action `row_id`, if it is due and nobody else has it. Safe to call any number of times.

    `is_followed`: the caller rings what this visit sets free, so that it need not be rung here too.
    """
    claim = services.ledger.claim(row_id, owner=uuid.uuid4().hex, lease=services.lease)
    if isinstance(claim, Refusal):
        return
    finding = visit(services, claim)
    if finding is None:
        return
    try:
        rings = services.ledger.conclude(claim, finding)
    except StaleClaim:
        _log.warning("%s: the lease was lost; what was found is dropped", row_id)
        return
    if not is_followed:
        services.doorbell.ring(rings)


def visit(services: Services, claim: Claim) -> Finding | None:
    """What was found and done about a claimed action. None: the ledger has moved the row itself."""
    action = claim.action()
    edr = services.edrs.get((action.customer, action.edr))
    if edr is None:
        return _given_up(f"{action.customer} has no {action.edr} configured")
    if claim.crashes >= MOST_CRASHES:
        return _given_up(f"set aside: {claim.crashes} workers were lost with this action in hand")
    try:
        return _look_then_act(services, claim, action, edr)
    except EDRError as error:
        return _after_error(services, claim, error, was_asked=False)
    except Unsupported as error:
        return Finding(state=State.SKIPPED, reason=f"unsupported: {error}")


def _look_then_act(services: Services, claim: Claim, action: Action, edr: EDR) -> Finding | None:
    receipt = Receipt.model_validate_json(claim.receipt) if claim.receipt else None
    fact = edr.observe(action, receipt)
    settled = _from_sight(claim, fact)
    if settled:
        return settled
    if claim.was == State.PERFORMED:
        return _still_to_come(claim, fact)
    if claim.is_late:
        return _given_up(f"deadline passed: {fact.evidence or 'not in effect'}")
    return _in_doubt(claim, action, fact) or _perform(services, claim, action, edr, fact)


def _from_sight(claim: Claim, fact: Fact) -> Finding | None:
    """What the sight alone decides."""
    match fact.sight:
        case Sight.SO:
            asked = claim.was in {State.PERFORMED, State.UNKNOWN}
            return Finding(state=State.DONE if asked else State.ALREADY, evidence=fact.evidence)
        case Sight.MISMATCH:
            return Finding(state=State.SKIPPED, reason=fact.evidence)
        case Sight.REFUSED:
            return _given_up(f"the EDR could not: {fact.evidence}")
        case Sight.PENDING if claim.was != State.PERFORMED:
            # Somebody's order is on its way, perhaps our own whose answer was lost: wait for it like for ours.
            return Finding(state=State.PERFORMED, after=look_again(0), evidence=fact.evidence)
        case _:
            return None


def _still_to_come(claim: Claim, fact: Fact) -> Finding:
    """Accepted, and not yet so: look again, but never ask twice. A person may have released it meanwhile."""
    if claim.is_late or (fact.sight is Sight.NOT_SO and claim.looks > MOST_LOOKS_FOR_ACCEPTED):
        return _given_up(f"accepted by the EDR but not in effect: {fact.evidence}")
    if fact.sight is Sight.UNKNOWABLE:
        return Finding(state=State.DONE, evidence=f"accepted; the EDR cannot show it: {fact.evidence}")
    return Finding(state=State.PERFORMED, after=look_again(claim.looks), evidence=fact.evidence)


def _in_doubt(claim: Claim, action: Action, fact: Fact) -> Finding | None:
    """After a lost answer nothing is destroyed blindly. What the EDR shows not to have happened may be asked again."""
    if claim.was == State.UNKNOWN and fact.sight is Sight.UNKNOWABLE and action.effect is Effect.DESTRUCTIVE:
        return _given_up("outcome unknown: the worker or the answer was lost, and the EDR cannot show it; look, then requeue")
    return None


def _perform(services: Services, claim: Claim, action: Action, edr: EDR, fact: Fact) -> Finding | None:
    ruling = _ruling(services, action, edr)
    if ruling.verdict is Verdict.REFUSE:
        return Finding(state=State.SKIPPED, reason=ruling.reason)
    if ruling.verdict is Verdict.HOLD and not claim.is_approved:
        return Finding(state=State.HELD, reason=ruling.reason)
    most = services.policies[action.customer].isolations_per_hour
    if services.ledger.begin(claim, most_isolations=most):
        return None
    try:
        receipt = edr.perform(action, fact)
    except EDRError as error:
        return _after_error(services, claim, error, was_asked=True)
    return _first_look(edr, action, receipt)


def _first_look(edr: EDR, action: Action, receipt: Receipt) -> Finding:
    """What the EDR shows right after it accepted: often already done. An error here only means that it is looked at later."""
    try:
        fact = edr.observe(action, receipt)
    except EDRError:
        fact = Fact(sight=Sight.PENDING)
    kept = {"counts": True, "receipt": receipt.model_dump_json(), "reference": receipt.reference, "evidence": fact.evidence}
    if fact.sight is Sight.SO:
        return Finding(state=State.DONE, **kept)
    return Finding(state=State.PERFORMED, after=look_again(0), **kept)


def _ruling(services: Services, action: Action, edr: EDR) -> Ruling:
    return rule(action, services.policies[action.customer], _fresh(action, edr))


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


def _after_error(services: Services, claim: Claim, error: EDRError, *, was_asked: bool) -> Finding:
    """An error while looking changes nothing about the row; one after asking leaves the outcome unknown, unless
    the vendor surely did nothing.
    """
    decision = after_error(error, claim.attempts, services.random)
    reason = _reason(error)
    if isinstance(decision, GiveUp):
        accepted = "accepted by the EDR, and cannot be verified: " if claim.was == State.PERFORMED else ""
        return _given_up(accepted + reason)
    if claim.is_late:
        return _given_up(f"deadline passed; last: {reason}")
    surely_nothing = isinstance(error, NotSent | Throttled)
    state = State(claim.was)
    if was_asked:
        state = state if surely_nothing else State.UNKNOWN
    return Finding(state=state, reason=reason, after=decision.after, counts=True)


def _given_up(reason: str) -> Finding:
    return Finding(state=State.FAILED, reason=reason)


def _reason(error: ARError) -> str:
    return f"{type(error).__name__}: {error}"[:400]
