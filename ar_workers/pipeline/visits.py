"""What every visit to rows of the ledger has in common: claimed together, visited one by one, written down together."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.rows import Refusal
from ..domain.scores import Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..domain.rows import Claim, Finding
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

    def may_write(self) -> bool:
        """Immediately before the write: still ours, not cancelled, not paused. If not, the ledger has moved the row."""
        if self.claim.is_cleared and self.services.monotonic() < self.cleared_until:
            return True
        return self.services.ledger.begin(self.claim, most_isolations=_most_isolations(self.services, self.claim.customer)) is None


def visit_all(services: Services, row_ids: Sequence[str], look: Callable[[Visit], Finding | None]) -> list[Ring]:
    """Visit each row that is due and in nobody's hands; what `look` found is written down. Returns what can be rung now.

    `look` returns None where the ledger has moved the row itself.
    """
    customer = row_ids[0].partition(":")[0]
    left = list(dict.fromkeys(row_ids))  # to its owner a row is granted again, as after a lost reply
    most, rings = CLAIMED_AT_ONCE, list[Ring]()
    while left:
        some, left = left[:most], left[most:]
        since = services.monotonic()
        rings += _visit_some(services, customer, some, look)
        if services.monotonic() - since < HELD_BACK:
            most = len(left)
    return rings


def _visit_some(services: Services, customer: str, row_ids: Sequence[str], look: Callable[[Visit], Finding | None]) -> list[Ring]:
    most = _most_isolations(services, customer)
    claims = services.ledger.claim(row_ids, owner=uuid.uuid4().hex, lease=services.lease, most_isolations=most)
    held = [claim for claim in claims if not isinstance(claim, Refusal)]
    with services.heartbeat.holding(held):
        return _visit_each(services, held, look)


def _visit_each(services: Services, claims: Sequence[Claim], look: Callable[[Visit], Finding | None]) -> list[Ring]:
    since = services.monotonic()
    cleared_until = since + CLEARANCE
    rings: list[Ring] = []
    found: list[tuple[Claim, Finding]] = []
    for claim in claims:
        finding = look(Visit(services, claim, cleared_until))
        if finding:
            found.append((claim, finding))
        if found and services.monotonic() - since > HELD_BACK:
            rings += _write_down(services, found)
            found, since = [], services.monotonic()
    return rings + _write_down(services, found)


def _write_down(services: Services, found: list[tuple[Claim, Finding]]) -> list[Ring]:
    rings: list[Ring] = []
    for (claim, _), freed in zip(found, services.ledger.conclude(found) if found else [], strict=True):
        if freed is None:
            _log.warning("%s: the lease was lost; what was found is dropped", claim.row_id)
        else:
            rings += freed
    return rings


def _most_isolations(services: Services, customer: str) -> int | None:
    policy = services.policies.get(customer)
    return policy.isolations_per_hour if policy else None
