"""One visit to a delivery: send it once, and write down what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.results import Answer
from ..domain.retries import LONGEST_WISH, MOST_CRASHES, delivery_retry
from ..domain.rows import Finding, Health
from ..domain.states import State
from .visits import visit_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.results import Result
    from ..domain.rows import Claim
    from ..ports import Channel
    from .services import Services
    from .visits import Visit

#: How often a delivery in doubt is looked at again until its deadline.
IN_DOUBT = timedelta(hours=1)


def deliver(services: Services, row_ids: Sequence[str]) -> None:
    """Visit the deliveries `row_ids`, each if it is due and nobody else has it. Safe to call any number of times."""
    services.doorbell.ring(visit_all(services, row_ids, visit))


def visit(each: Visit) -> Finding | None:
    """What became of a claimed delivery. None: the ledger has moved the row itself.

    After an unknown outcome a channel whose receiver recognises repetitions sends again; one that can ask its
    provider asks; one whose copies can be told as such sends once more. Otherwise the delivery stays `unknown`
    for a person, because a second message cannot be taken back.
    """
    services, claim, delivery = each.services, each.claim, each.claim.delivery()
    channel = services.channels.get(delivery.receiver.channel)
    if channel is None:
        return Finding(state=State.FAILED, reason=f"channel {delivery.receiver.channel} is not configured")
    if claim.crashes >= MOST_CRASHES:
        return Finding(state=State.FAILED, reason=f"set aside: {claim.crashes} workers were lost with it in hand")
    if claim.was == State.UNKNOWN and not channel.dedupes:
        known = channel.reconcile(delivery, claim.row_id, thread="")
        if known is None and not (channel.marks_copies and claim.attempts + claim.crashes <= 1):
            return _in_doubt(claim)
        if known and known.answer is not Answer.RETRY:
            return _finding(each, known)
    return _send(each, channel)


def _send(each: Visit, channel: Channel) -> Finding | None:
    if each.claim.is_late:
        return Finding(state=State.FAILED, reason="deadline passed: not delivered")
    if not each.may_write():
        return None
    return _finding(each, channel.send(each.claim.delivery(), each.claim.row_id, thread=""))


def _finding(each: Visit, result: Result) -> Finding:
    wish = min(result.retry_after or timedelta(), LONGEST_WISH)
    wait = delivery_retry(each.claim.attempts, result.retry_after, each.services.random)
    health = Health.BAD if result.answer in {Answer.RETRY, Answer.UNKNOWN} and not wish else Health.OK
    match result.answer:
        case Answer.ACCEPTED:
            return Finding(state=State.DONE, reference=result.reference, evidence=result.code, health=health)
        case Answer.PERMANENT:
            return Finding(state=State.FAILED, reason=result.code, health=health)
        case Answer.RETRY:
            return Finding(state=State.PENDING, reason=result.code, after=wait, counts=True, health=health, stay_away=wish)
        case Answer.UNKNOWN:
            reason = f"may have been sent: {result.code}"
            return Finding(state=State.UNKNOWN, reason=reason, after=wait, counts=True, health=health, stay_away=wish)


def _in_doubt(claim: Claim) -> Finding:
    if claim.is_late:
        return Finding(state=State.FAILED, reason="may have been sent, and the provider cannot tell: ask the receiver")
    return Finding(state=State.UNKNOWN, reason="may have been sent, and the provider cannot tell", after=IN_DOUBT)
