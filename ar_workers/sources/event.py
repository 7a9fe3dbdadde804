"""Our own format: the JSON of an event, as `arctl ingest --schema` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.errors import InvalidEvent
from ..domain.events import parse_event

if TYPE_CHECKING:
    from ..domain.events import Event


def read(record: object, *, customer: str | None) -> Event:
    """The event. Where a customer is given, the event must be that customer's."""
    event = parse_event(record)
    if customer and event.customer != customer:
        raise InvalidEvent("customer", f"is {event.customer}, and --customer says {customer}")
    return event
