"""What planning asks of EDRs: the endpoints of which an event does not tell the groups or the OS."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from ..domain.endpoints import OS
from ..domain.errors import ARError, NotSent, OutcomeUnknown
from ..domain.events import ThreatPublished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.endpoints import Endpoint
    from ..domain.events import Event
    from .services import Services

_log = logging.getLogger(__name__)
#: Of one event so many endpoints are asked for when it is planned: the rest is looked at before anything is done, if it is not held.
MOST_ASKED = 1_000
#: Planning asks an EDR that gave no answer nothing for so many seconds: the events of other customers wait for the same threads.
LEFT_ALONE = 30.0


def looked_up(services: Services, event: Event) -> Iterator[tuple[str, Endpoint]]:
    """By agent id, the endpoints as their EDR shows them. What it cannot tell now stays unknown: it is asked for again before
    anything is done.
    """
    endpoints = event.endpoints if isinstance(event, ThreatPublished) else ()
    untold = (each for each in endpoints if each.groups is None or each.os is OS.UNKNOWN)
    for endpoint in islice(untold, MOST_ASKED):
        found = _asked(services, event, endpoint)
        if found:
            yield endpoint.agent_id, found


def _asked(services: Services, event: Event, endpoint: Endpoint) -> Endpoint | None:
    name = event.customer, endpoint.edr
    edr = services.edrs.get(name)
    if edr is None or services.monotonic() < services.unanswered.get(name, float("-inf")):
        return None
    try:
        return edr.endpoint(endpoint.agent_id)
    except ARError as error:
        if isinstance(error, NotSent | OutcomeUnknown):
            services.unanswered[name] = services.monotonic() + LEFT_ALONE
        _log.warning("%s: %s is not known now: %s", event.id, endpoint.agent_id, error)
        return None
