"""One visit to a delivery: send it once, and write down what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..domain.causes import Trouble, cause
from ..domain.claims import Health, VisitResult
from ..domain.notifications import TRE, Kind, digest_of
from ..domain.results import Answer
from ..domain.retries import LONGEST_RETRY_AFTER, USUAL_END, delivery_retry, look_for_end
from ..domain.states import TERMINAL, State
from ..ports import Following
from .visits import of_kind, visit_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.claims import Claim
    from ..domain.notifications import Delivery, Digest
    from ..domain.results import Result
    from ..domain.rows import Row, Seat
    from ..ports import Channel
    from .services import Services
    from .visits import Visit

#: How often a delivery in doubt is looked at again until its deadline.
IN_DOUBT = timedelta(hours=1)
#: How often what is in a digest looks whether that was sent.
AFTER_DIGEST = timedelta(seconds=20)


def deliver(services: Services, row_ids: Sequence[str]) -> None:
    """Visit the deliveries `row_ids`, each if it is due and nobody else has it. Safe to call any number of times."""
    deliveries = of_kind(row_ids, "delivery")
    if deliveries:
        services.doorbell.ring(visit_all(services, deliveries, visit))


def visit(each: Visit) -> VisitResult | None:
    """What became of a claimed delivery. None: the ledger has moved the row itself.

    After an unknown outcome a channel whose receiver recognises repetitions sends again; one that can ask its
    provider asks; one whose copies can be told as such sends once more. Otherwise the delivery stays `unknown`
    for a person, because a second message cannot be taken back. What a provider has accepted that tells later what became
    of it is looked at until it has, and never sent again.
    """
    delivery = each.claim.delivery()
    outdated = _outdated(each, delivery)
    if outdated:
        return VisitResult(state=State.SKIPPED, reason=outdated)
    receiver = delivery.receiver
    channel = each.services.channels.get((delivery.owner, receiver.name))
    if channel is None:
        return VisitResult(state=State.FAILED, reason=f"{delivery.owner} has no receiver {receiver.name or receiver.channel} configured")
    gathered = _gathered(each, delivery, delivery.digest) if delivery.digest else delivery
    return gathered if isinstance(gathered, VisitResult) else _tell(each, channel, gathered)


def _outdated(each: Visit, delivery: Delivery) -> str | None:
    """Why it is not true any more. A late "not contained" would page for what is contained by now, and nobody would resolve that."""
    note = delivery.notification
    row = each.services.ledger.row(note.incident) if note.kind is Kind.NOT_CONTAINED else None
    if row is None or row.state not in TERMINAL - {State.FAILED}:
        return None
    doubt = "may have been sent, and is " if each.claim.was is State.UNKNOWN else ""
    return f"{doubt}not told any more: the isolation is {row.state} by now"


def _gathered(each: Visit, delivery: Delivery, digest: Digest) -> Delivery | VisitResult:
    """What is to be sent: the delivery itself, or the digest that it carries; or how it fares in the digest of another.

    A person who requeues a delivery that was in a digest wants that one sent.
    """
    claim, ledger = each.claim, each.services.ledger
    note = delivery.notification
    counted = (delivery.receiver.place, note.kind, *((note.common.key,) if note.common else ()), *((note.dry_run,) if note.mark else ()))
    seat = ledger.seat(claim.row_id, "/".join(counted), digest)
    if seat is None or (seat.carrier != claim.row_id and claim.generation > 1):
        return delivery
    if seat.carrier != claim.row_id:
        return _carried(seat, ledger.row(seat.carrier))
    if seat.wait:
        return VisitResult(state=State.PENDING, reason="collecting for a digest", after=seat.wait)
    return digest_of(ledger.gathered(claim.row_id))


def _carried(seat: Seat, carrier: Row | None) -> VisitResult:
    if carrier is None or carrier.state is State.FAILED:
        return VisitResult(state=State.FAILED, reason=f"in digest {seat.carrier}, which failed: {carrier.reason if carrier else 'gone'}")
    if carrier.state is State.DONE:
        return VisitResult(state=State.DONE, reason=f"in digest {seat.carrier}", reference=carrier.reference)
    return VisitResult(state=State.PENDING, reason=f"collected for digest {seat.carrier}", after=max(seat.wait, AFTER_DIGEST))


def _tell(each: Visit, channel: Channel, delivery: Delivery) -> VisitResult | None:
    claim, thread = each.claim, _thread(each, delivery)
    if claim.receipt and claim.was in {State.PERFORMED, State.UNKNOWN}:
        return _followed(each, channel)
    if claim.was == State.UNKNOWN and not channel.dedupes:
        known = channel.reconcile(delivery, claim.row_id, thread=thread)
        if known is None and not (channel.marks_copies and claim.attempts + claim.crashes <= 1):
            return _in_doubt(claim)
        if known and known.answer is not Answer.RETRY:
            return _came_to(each, known)
    return _send(each, channel, delivery)


def _send(each: Visit, channel: Channel, delivery: Delivery) -> VisitResult | None:
    if each.claim.is_late:
        return VisitResult(state=State.FAILED, reason="deadline passed: not delivered")
    if not each.may_write():
        return None
    return _came_to(each, channel.send(delivery, each.claim.row_id, thread=_thread(each, delivery)))


def _followed(each: Visit, channel: Channel) -> VisitResult:
    """Done is what has arrived. What shows no end in the usual time may have arrived or not; at its deadline the fallback is told."""
    claim = each.claim
    known, provider = (channel.end(claim.receipt), channel.provider) if isinstance(channel, Following) else (None, "the provider")
    if known and not known.is_on_its_way:
        return _came_to(each, known)
    said = f"last it said: {known.code}" if known else "it cannot be asked"
    health = Health.OK if known else Health.BAD
    if claim.was == State.PERFORMED and claim.unseen_for < USUAL_END:
        return VisitResult(state=State.PERFORMED, after=look_for_end(claim.looks), evidence=_on_its_way(provider, said), health=health)
    reason = f"accepted by {provider}, end not known ({said})"
    if claim.is_late:
        return VisitResult(state=State.FAILED, reason=f"{reason}: ask the receiver", health=health)
    return VisitResult(state=State.UNKNOWN, reason=reason, after=look_for_end(claim.looks), health=health)


def _on_its_way(provider: str, said: str) -> str:
    return f"accepted by {provider}, not yet said to have arrived ({said})"


def _thread(each: Visit, delivery: Delivery) -> str:
    """The thread of the threat; a digest about several belongs into none."""
    return each.claim.thread if delivery.notification.threat else ""


def _came_to(each: Visit, result: Result) -> VisitResult:
    retry_after = min(result.retry_after or timedelta(), LONGEST_RETRY_AFTER)
    if retry_after:  # the receiver's own, and so of everybody: as the gate tells it of an EDR
        each.services.ledger.stay_away(each.claim.customer, each.claim.remote, retry_after)
    wait = delivery_retry(each.claim.attempts, result.retry_after, each.services.random)
    health = Health.BAD if result.answer in {Answer.RETRY, Answer.UNKNOWN} and not retry_after else Health.OK
    match result.answer:
        case Answer.ACCEPTED if result.is_on_its_way:
            evidence = _on_its_way("the provider", f"last it said: {result.code}")
            return VisitResult(
                state=State.PERFORMED,
                reference=result.reference,
                receipt=result.reference,
                evidence=evidence,
                after=look_for_end(0),
                counts=True,
                health=health,
            )
        case Answer.ACCEPTED:
            return VisitResult(state=State.DONE, reference=result.reference, evidence=result.code, health=health)
        case Answer.PERMANENT:
            return VisitResult(state=State.FAILED, reason=result.code, cause=_refusal(each, result), health=health)
        case Answer.RETRY:
            return VisitResult(state=State.PENDING, reason=result.code, after=wait, counts=True, health=health)
        case Answer.UNKNOWN:
            reason = f"may have been sent: {result.code}"
            return VisitResult(state=State.UNKNOWN, reason=reason, after=wait, counts=True, health=health)


def _refusal(each: Visit, result: Result) -> str:
    """A receiver of the TREs that takes nothing any more: the ledger brings it in as an event, so that the others say so."""
    return cause(Trouble.RECEIVER, result.fix) if result.fix and each.claim.delivery().owner == TRE else ""


def _in_doubt(claim: Claim) -> VisitResult:
    if claim.is_late:
        return VisitResult(state=State.FAILED, reason="may have been sent, and the provider cannot tell: ask the receiver")
    return VisitResult(state=State.UNKNOWN, reason="may have been sent, and the provider cannot tell", after=IN_DOUBT)
