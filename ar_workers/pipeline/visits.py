"""What every visit to rows of the ledger has in common: claimed together, visited one by one, written down together."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..domain.actions import is_actions
from ..domain.causes import Trouble, cause
from ..domain.claims import Refusal, VisitResult, contradiction
from ..domain.retries import GiveUp, after_crash
from ..domain.states import State
from ..domain.text import whole
from .shares import known_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..domain.blast_radius import Share
    from ..domain.canvas import Ring
    from ..domain.claims import Claim
    from ..domain.rows import RowKind
    from ..domain.verbs import Cap
    from .services import Services

_log = logging.getLogger(__name__)
#: Seconds for which the claim's clearance of a write holds; the kill switch must bite within one.
CLEARANCE = 0.25
#: What was found is written down after so many seconds at the latest, even if more rows are still to be visited.
HELD_BACK = 0.05
#: Claimed is what will be visited soon: of a long message so many rows, and more once these have shown that it goes quickly.
CLAIMED_AT_ONCE = 10


@dataclass(frozen=True)
class Visit:
    """A claimed row in a worker's hand."""

    services: Services
    claim: Claim
    cleared_until: float
    #: The shares of remediate groups, as the claim went by them.
    shares: Mapping[str, Share] = field(default_factory=dict)

    def may_write(self, shares: Mapping[str, Share] | None = None, *, is_counted: bool = True) -> bool:
        """Immediately before the write: still ours, not cancelled, not paused. If not, the ledger has moved the row.

        The claim has looked at all that, unless it could not count the row in all of its groups' `shares`.
        """
        if is_counted and self.claim.is_cleared and self.services.monotonic() < self.cleared_until:
            return True
        caps = _caps(self.services, self.claim.customer)
        return self.services.ledger.begin(self.claim, caps=caps, shares=shares) is None

    def instead(self) -> VisitResult | None:
        """What becomes of the row without a look: it was tampered with, or too many workers were lost with it in hand."""
        claim = self.claim
        odd = f"nothing was asked: {claim.forged}" if claim.forged else _disagreement(claim)
        if odd:
            _log.critical("%s: %s", claim.row_id, odd)
            return VisitResult(state=State.FAILED, reason=whole(f"security: {odd}"), cause=cause(Trouble.TAMPERED))
        decision = after_crash(claim.crashes, self.services.random)
        if isinstance(decision, GiveUp):
            return VisitResult(state=State.FAILED, reason=decision.reason, cause=cause(Trouble.CRASHES))
        if claim.is_lost and decision.after:
            return VisitResult(state=claim.was, reason=f"waits: {claim.crashes} workers were lost with it in hand", after=decision.after)
        return None


def _disagreement(claim: Claim) -> str | None:
    odd = contradiction(claim)
    return odd and f"the row and its order do not agree, nothing was asked: {odd}"


def of_kind(row_ids: Sequence[str], kind: RowKind) -> list[str]:
    """Those that are ids of this kind. What is of the other would be claimed, not be understood, and lie there until its lease is over."""
    found = [each for each in row_ids if is_actions(each) is (kind == "action")]
    others = [each for each in row_ids if each not in found]
    if others:
        _log.warning("a message about rows of kind %s names others, which are left out: %s", kind, whole(" ".join(others)))
    return found


def visit_all(services: Services, row_ids: Sequence[str], look: Callable[[Visit], VisitResult | None]) -> list[Ring]:
    """Visit each row that is due and in nobody's hands; what `look` found is written down. Returns what can be rung now.

    `look` returns None where the ledger has moved the row itself.
    """
    customer, owner = row_ids[0].partition(":")[0], uuid.uuid4().hex
    left = list(dict.fromkeys(row_ids))  # to its owner a row is granted again, as after a lost reply
    most, caps = CLAIMED_AT_ONCE, _caps(services, customer)
    rings: list[Ring] = []
    found: list[tuple[Claim, VisitResult]] = []
    while left:
        some, left = left[:most], left[most:]
        since = services.monotonic()
        try:  # claimed before the last of the former are written down, so that the visit keeps its place at their remote
            shares = known_shares(services, customer, some)
            claims = services.ledger.claim(some, owner=owner, lease=services.lease, caps=caps, shares=shares)
        finally:
            rings += _write_down(services, found)
        visits = [Visit(services, claim, since + CLEARANCE, shares) for claim in claims if not isinstance(claim, Refusal)]
        visits, called = _without_suspects(services, visits)
        rings += called
        with services.heartbeat.holding([each.claim for each in visits], since):
            freed, found = _visit_each(visits, look)
        rings += freed
        if services.monotonic() - since < HELD_BACK:
            most = len(left)
    return rings + _write_down(services, found)


def _without_suspects(services: Services, visits: Sequence[Visit]) -> tuple[list[Visit], list[Ring]]:
    """What is to be looked at, and what can be rung now. What is not is written down before: a look may be the last thing that
    this worker does.
    """
    instead = [(each, each.instead()) for each in visits]
    rings = _write_down(services, [(each.claim, result) for each, result in instead if result])
    return [each for each, result in instead if not result], rings


def _visit_each(visits: Sequence[Visit], look: Callable[[Visit], VisitResult | None]) -> tuple[list[Ring], list[tuple[Claim, VisitResult]]]:
    """What can be rung now, and what is still to be written down."""
    rings: list[Ring] = []
    found: list[tuple[Claim, VisitResult]] = []
    since = float("-inf")
    for each in visits:
        if found and each.services.monotonic() - since > HELD_BACK:
            rings += _write_down(each.services, found)
            found = []
        if not found:
            since = each.services.monotonic()
        result = look(each)
        if result:
            found.append((each.claim, result))
    return rings, found


def _write_down(services: Services, found: list[tuple[Claim, VisitResult]]) -> list[Ring]:
    rings: list[Ring] = []
    for (claim, _), freed in zip(found, services.ledger.conclude(found) if found else [], strict=True):
        if freed is None:
            _log.warning("%s: the lease was lost; what was found is dropped", claim.row_id)
        else:
            rings += freed
    return rings


def _caps(services: Services, customer: str) -> dict[Cap, int]:
    policy = services.policies.get(customer)
    return policy.caps if policy else {}
