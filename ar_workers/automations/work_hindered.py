"""Work hindered: a record that cannot be read, a customer without a file: the TREs are told (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan

if TYPE_CHECKING:
    from ..domain.events import WorkHindered
    from .context import Context


def plan(event: WorkHindered, context: Context) -> Plan:  # noqa: ARG001 - every automation takes the same two
    """Tell the TREs by Slack and PagerDuty. No condition: whoever raised it has counted what belongs together as one."""
    return Plan(
        notifications=(
            Notification(
                audience=Audience.TRE,
                kind=Kind.ACTION_NEEDED,
                customer=event.customer,
                headline=event.what,
                facts=tuple((label, value or "not told") for label, value in event.facts),
                once=event.once,
                incident=event.id,
            ),
        )
    )
