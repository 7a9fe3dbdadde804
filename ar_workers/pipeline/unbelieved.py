"""An event in the ledger whose seal is not good: nothing is done about it, and a person is told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..domain.events import WorkHindered
from .ingest import ingest

if TYPE_CHECKING:
    from .services import Services


def tell(services: Services, customer: str, event_id: str, why: str) -> None:
    """Tell the TREs, of each customer the first one of a day. Who has forged an id that is none is nobody's customer."""
    now = services.clock.now()
    with contextlib.suppress(ValidationError):
        event = WorkHindered(
            id=f".unbelieved-{now:%Y-%m-%d}",
            customer=customer,
            occurred_at=now,
            threat_ref="security",
            what="security: an event in the ledger is not believed, and nothing is done about it",
            facts=(
                ("Event", event_id),
                ("Why, and what to do", why),
                ("Others", "of this customer and day are told in the log of the worker for respond alone"),
            ),
        )
        ingest(services.ledger, services.doorbell, [event])
