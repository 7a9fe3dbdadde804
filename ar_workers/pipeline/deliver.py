"""One visit to a delivery: send it once, and write down what became of it."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.errors import StaleClaim
from ..domain.results import Answer
from ..domain.retries import MOST_CRASHES, delivery_retry
from ..domain.rows import Finding, Refusal
from ..domain.states import State

if TYPE_CHECKING:
    from ..domain.results import Result
    from ..domain.rows import Claim
    from ..ports import Channel
    from .services import Services

_log = logging.getLogger(__name__)
#: How often a delivery in doubt is looked at again until its deadline.
IN_DOUBT = timedelta(hours=1)


def deliver(services: Services, row_id: str) -> None:
    """Visit the delivery `row_id`, if it is due and nobody else has it. Safe to call any number of times."""
    claim = services.ledger.claim(row_id, owner=uuid.uuid4().hex, lease=services.lease)
    if isinstance(claim, Refusal):
        return
    finding = visit(services, claim)
    if finding is None:
        return
    try:
        services.ledger.conclude(claim, finding)
    except StaleClaim:
        _log.warning("%s: the lease was lost; what was found is dropped", row_id)


def visit(services: Services, claim: Claim) -> Finding | None:
    """What became of a claimed delivery. None: the ledger has moved the row itself.

    After an unknown outcome a channel whose receiver recognises repetitions sends again; one that can ask its
    provider asks; one whose copies can be told as such sends once more. Otherwise the delivery stays `unknown`
    for a person, because a second message cannot be taken back.
    """
    delivery = claim.delivery()
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
            return _finding(services, claim, known)
    return _send(services, claim, channel)


def _send(services: Services, claim: Claim, channel: Channel) -> Finding | None:
    if claim.is_late:
        return Finding(state=State.FAILED, reason="deadline passed: not delivered")
    if services.ledger.begin(claim, most_isolations=None):
        return None
    return _finding(services, claim, channel.send(claim.delivery(), claim.row_id, thread=""))


def _finding(services: Services, claim: Claim, result: Result) -> Finding:
    match result.answer:
        case Answer.ACCEPTED:
            return Finding(state=State.DONE, reference=result.reference, evidence=result.code)
        case Answer.PERMANENT:
            return Finding(state=State.FAILED, reason=result.code)
        case Answer.RETRY:
            wait = delivery_retry(claim.attempts, result.retry_after, services.random)
            return Finding(state=State.PENDING, reason=result.code, after=wait, counts=True)
        case Answer.UNKNOWN:
            wait = delivery_retry(claim.attempts, result.retry_after, services.random)
            return Finding(state=State.UNKNOWN, reason=f"may have been sent: {result.code}", after=wait, counts=True)


def _in_doubt(claim: Claim) -> Finding:
    if claim.is_late:
        return Finding(state=State.FAILED, reason="may have been sent, and the provider cannot tell: ask the receiver")
    return Finding(state=State.UNKNOWN, reason="may have been sent, and the provider cannot tell", after=IN_DOUBT)
