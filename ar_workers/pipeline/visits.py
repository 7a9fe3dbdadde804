"""What every visit to rows of the ledger has in common: claimed together, visited one by one, written down together."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.rows import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..domain.rows import Claim, Finding
    from ..domain.scores import Ring
    from .services import Services

_log = logging.getLogger(__name__)
#: Seconds for which the claim's clearance of a write holds; the kill switch must bite within one.
CLEARANCE = 0.25
#: What was found is written down after so many seconds at the latest, even if more rows are still to be visited.
HELD_BACK = 0.05


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
    once = list(dict.fromkeys(row_ids))  # to its owner a row is granted again, as after a lost reply
    claims = services.ledger.claim(once, owner=uuid.uuid4().hex, lease=services.lease, most_isolations=_most_isolations(services, customer))
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
