"""What was accepted for a customer that has no file (any more): a person is told, once per customer, and it waits for the file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..domain.errors import ARError
from ..domain.events import WorkHindered
from .ingest import ingest

if TYPE_CHECKING:
    from .services import Services

#: What marks a customer as told of, until it is configured.
NOT_CONFIGURED = "not_configured"
#: How long events of one wait for the file, and how often it is looked for: those of a longer time ago are nobody's to act on.
WAIT, LOOK_AGAIN = timedelta(days=1), timedelta(minutes=5)
#: Several of its events at once are told of as one.
_TOGETHER = timedelta(minutes=1)


class NotConfigured(ARError):
    """The customer has no file."""


def tell(services: Services, customer: str) -> None:
    """Tell the TREs, unless they were told and it was not configured since. Who has forged an id that is none is nobody's customer."""
    ledger = services.ledger
    if ledger.knows(customer, NOT_CONFIGURED) or not ledger.tick(f"{NOT_CONFIGURED}/{customer}", _TOGETHER):
        return
    now = services.clock.now()
    try:
        event = WorkHindered(
            id=f".{NOT_CONFIGURED}-{int(now.timestamp() * 1000)}",
            customer=customer,
            occurred_at=now,
            threat_ref="configuration",
            what=f"Customer {customer} is not configured: what was accepted for it is not done",
            facts=(
                ("State", f"its events wait for {WAIT.days * 24} hours, and its actions fail"),
                ("What to do", f"add customers/{customer}.toml or bring it back; arctl doctor shows what waits, arctl threats what it is"),
            ),
            once=NOT_CONFIGURED,
        )
    except ValidationError:
        return
    ingest(ledger, services.doorbell, [event])


def forget(services: Services) -> None:
    """Of those that are configured now people may be told anew when they are not. Safe to repeat."""
    told = [f"{NOT_CONFIGURED}/{receiver.place}" for receiver in services.tre_receivers]
    for customer in services.policies:
        services.ledger.forget(customer, told)
