"""Release requested: a person gives an isolated endpoint its network back, through us (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.actions import ReleaseEndpoint
from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.events import ReleaseRequested
    from .context import Context


def plan(event: ReleaseRequested, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Release the endpoint. No condition, not even a remediate group: it gives access back.

    Nobody is told: who asked, and why, stands in the timeline. Once it is recorded, no isolation that was planned
    before it can begin any more.
    """
    release = ReleaseEndpoint(customer=event.customer, edr=event.endpoint.edr, endpoint=event.endpoint, requested_by=event.requested_by)
    return Plan(actions=(release,))
