"""An EDR behind its gate: every request is taken out of the customer's allowance first, whichever worker makes it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..domain.errors import OutcomeUnknown, VendorFault
from ..domain.verbs import CONTAINMENT
from ..http import allowance, understood

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.actions import Action
    from ..domain.capabilities import Capability
    from ..domain.endpoints import Endpoint, Vendor
    from ..domain.errors import EDRError
    from ..domain.facts import Fact, Receipt
    from ..domain.indicators import HashType
    from ..domain.limits import Limits
    from ..ports import EDR, Ledger


class Gated:
    """`ports.EDR`, asked only as often as the vendor allows, and not before the time that it named in a 429.

    An answer that nobody can read is an error of the vendor's, too; behind a write it leaves the outcome unknown.
    """

    def __init__(self, edr: EDR, ledger: Ledger, customer: str) -> None:
        self._edr, self._ledger, self._customer = edr, ledger, customer

    @property
    def vendor(self) -> Vendor:
        """Whose EDR it is."""
        return self._edr.vendor

    @property
    def hash_types(self) -> tuple[HashType, ...]:
        """The hash types that a ban takes, best first."""
        return self._edr.hash_types

    @property
    def limits(self) -> Limits:
        """How often it may be asked."""
        return self._edr.limits

    def capabilities(self) -> tuple[Capability, ...]:
        """The rows of the capability table."""
        return self._edr.capabilities()

    def endpoint(self, agent_id: str) -> Endpoint:
        """One cheap read that decides whether anything may be done: it is never kept waiting behind other work."""
        with self._open(may_use_reserve=True):
            return self._edr.endpoint(agent_id)

    def members(self, group: str) -> Iterator[Endpoint]:
        """Page by page through the gate, which is closed again while the caller works on an endpoint."""
        found = iter(self._edr.members(group))
        while True:
            with self._open(may_use_reserve=False):
                endpoint = next(found, None)
            if endpoint is None:
                return
            yield endpoint

    def observe(self, action: Action, receipt: Receipt | None) -> Fact:
        """Look whether the action's effect is there."""
        with self._open(may_use_reserve=action.verb in CONTAINMENT):
            return self._edr.observe(action, receipt)

    def perform(self, action: Action, seen: Fact) -> Receipt:
        """Ask for the effect."""
        with self._open(may_use_reserve=action.verb in CONTAINMENT, otherwise=OutcomeUnknown):
            return self._edr.perform(action, seen)

    def withdraw(self, action: Action, receipt: Receipt) -> Fact:
        """Take back an order that is not in effect."""
        with self._open(may_use_reserve=action.verb in CONTAINMENT, otherwise=OutcomeUnknown):
            return self._edr.withdraw(action, receipt)

    @contextmanager
    def _open(self, *, may_use_reserve: bool, otherwise: type[EDRError] = VendorFault) -> Iterator[None]:
        with allowance(self._ledger, self._customer, self.vendor, may_use_reserve=may_use_reserve), understood(self.vendor, otherwise):
            yield
