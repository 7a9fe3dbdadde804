"""An EDR behind its gate: every request is taken out of the customer's allowance first, whichever worker makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.verbs import CONTAINMENT
from ..http import allowance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ..domain.actions import Action
    from ..domain.capabilities import Capability
    from ..domain.endpoints import Endpoint, Vendor
    from ..domain.facts import Fact, Receipt
    from ..domain.indicators import HashType
    from ..domain.limits import Limits
    from ..ports import EDR, Ledger


class Gated:
    """`ports.EDR`, asked only as often as the vendor allows, and not before the time that it named in a 429."""

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
        with self._open(may_use_reserve=action.verb in CONTAINMENT):
            return self._edr.perform(action, seen)

    def withdraw(self, action: Action, receipt: Receipt) -> Fact:
        """Take back an order that is not in effect."""
        with self._open(may_use_reserve=action.verb in CONTAINMENT):
            return self._edr.withdraw(action, receipt)

    def _open(self, *, may_use_reserve: bool) -> AbstractContextManager[None]:
        return allowance(self._ledger, self._customer, self.vendor, may_use_reserve=may_use_reserve)
