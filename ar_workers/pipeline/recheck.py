"""The re-check of unsupported OS: page through every remediate group, count it, and tell of each such endpoint once."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ..automations.context import Context
from ..automations.unsupported_os import is_unsupported, once_key
from ..domain.blast_radius import name_of
from ..domain.errors import ARError
from ..domain.events import UnsupportedOSDetected
from .ingest import ingest
from .shares import counting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..domain.endpoints import Endpoint, Vendor
    from ..ports import EDR
    from .services import Services

_log = logging.getLogger(__name__)
TICK = timedelta(minutes=4)


def whose_turn_it_is(services: Services) -> Iterable[tuple[str, Vendor]]:
    """Customer and name of every EDR, once in a while, however many ask."""
    return tuple(services.edrs) if services.ledger.tick("recheck_unsupported_os", TICK) else ()


def recheck_unsupported_os(services: Services, customer: str, vendor: Vendor) -> int:
    """Ingest an event per endpoint that came into a remediate group, and forget those that left. Returns how many came.

    Nothing is forgotten of an EDR whose groups could not all be read: an unread group is not an empty one.
    """
    edr = services.edrs.get((customer, vendor))
    if edr is None:  # its section was taken away since somebody rang for it
        return 0
    prefix = f"unsupported_os/{vendor}/"
    try:
        present = {once_key(endpoint): endpoint for endpoint in _unsupported(services, customer, vendor, edr)}
    except ARError as error:
        _log.warning("re-check of %s %s is incomplete, nothing was forgotten: %s", customer, vendor, error)
        return 0
    told = services.ledger.knows(customer, prefix)
    services.ledger.forget(customer, [key for key in told if _subject(key) not in present])
    subjects = {_subject(key) for key in told}
    new = [endpoint for key, endpoint in present.items() if key not in subjects]
    ingest(services.ledger, services.doorbell, [_event(services, customer, endpoint) for endpoint in new])
    return len(new)


def _subject(key: str) -> str:
    """The endpoint's part of a key that also names the receiver."""
    return "/".join(key.split("/")[:3])


def _unsupported(services: Services, customer: str, vendor: Vendor, edr: EDR) -> Iterable[Endpoint]:
    policy = services.policies[customer]
    context = Context(policy=policy, capabilities=services.capabilities, now=services.clock.now())
    for group in sorted(policy.remediate_groups.get(vendor, ())):
        for endpoint in counting(services, customer, name_of(vendor, group), edr.members(group)):
            groups = (endpoint.groups or frozenset()) | {group}
            seen = endpoint.model_copy(update={"groups": groups})
            if is_unsupported(seen, context):
                yield seen


def _event(services: Services, customer: str, endpoint: Endpoint) -> UnsupportedOSDetected:
    now = services.clock.now()
    # An agent's id may be as long as an event's own.
    agent = hashlib.sha256(endpoint.agent_id.encode()).hexdigest()[:32]
    return UnsupportedOSDetected(
        id=f"unsupported-os-{endpoint.edr}-{agent}-{int(now.timestamp())}", customer=customer, occurred_at=now, endpoint=endpoint
    )
