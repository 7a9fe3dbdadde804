"""The limits that adapters and feeds declare become the ledger's budgets, which all workers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services


def declare_limits(services: Services) -> None:
    """Tell the ledger how often each customer's EDRs and feeds may be asked. Safe to repeat; a changed limit holds from now on."""
    for (customer, vendor), edr in services.edrs.items():
        services.ledger.limit(customer, vendor, edr.limits)
    for (customer, name), feed in services.feeds.items():
        if (customer, name) not in services.edrs:
            services.ledger.limit(customer, name, feed.limits)
