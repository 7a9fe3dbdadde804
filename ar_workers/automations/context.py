"""What an automation may know besides its event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..domain.capabilities import Capabilities
    from ..domain.endpoints import Endpoint
    from ..domain.notifications import Receiver
    from ..domain.policies import Policy
    from ..domain.summaries import Summary
    from ..domain.undo import Made


@dataclass(frozen=True)
class Context:
    """`endpoints` are the event's endpoints as their EDR shows them now, by agent id; one that is missing is unknown."""

    policy: Policy
    capabilities: Capabilities
    now: datetime
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    #: What was done and what is outstanding for the event's threat, where it is needed.
    summary: Summary | None = None
    #: What was done for the event's threat, where it may be undone.
    made: tuple[Made, ...] = ()
    #: Who is told by the managed automations.
    tre_receivers: tuple[Receiver, ...] = ()
    #: Of a delivery that a receiver of the TREs has refused: whether it is the day's first, of all customers.
    is_first_refusal: bool = False

    def see(self, endpoint: Endpoint) -> Endpoint:
        """The freshest view of an endpoint: the EDR's, or what the event said."""
        return self.endpoints.get(endpoint.agent_id, endpoint)

    def out_of_reach(self, endpoint: Endpoint) -> str | None:
        """Why automation must leave the endpoint alone, or None. Unknown groups are let through: the guard asks the EDR."""
        if endpoint.groups is None or self.policy.may_remediate(endpoint):
            return None
        return "not in a remediate group"
