"""A feed behind its gate: its requests are taken out of the allowance that the customer's actions have, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.errors import VendorFault
from ..http import allowance, understood

if TYPE_CHECKING:
    from ..domain.limits import Limits
    from ..ports import Feed, Ledger, Page


class GatedFeed:
    """`ports.Feed`, read only as often as the vendor allows. Isolations keep the reserve of the allowance for themselves."""

    def __init__(self, feed: Feed, ledger: Ledger, customer: str) -> None:
        self._feed, self._ledger, self._customer = feed, ledger, customer

    @property
    def name(self) -> str:
        """The vendor's name."""
        return self._feed.name

    @property
    def reader(self) -> str:
        """The input format of its records."""
        return self._feed.reader

    @property
    def limits(self) -> Limits:
        """How often it may be asked."""
        return self._feed.limits

    def page(self, cursor: str) -> Page:
        """Each request of the page passes the gate for itself."""
        with allowance(self._ledger, self._customer, self.name), understood(self.name, VendorFault):
            return self._feed.page(cursor)
