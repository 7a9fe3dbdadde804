"""An order that an EDR has accepted and that is not in effect: taken back where it can be, and where it cannot, that is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.causes import Trouble, cause
from ..domain.claims import VisitResult
from ..domain.errors import EDRError, Unsupported
from ..domain.facts import Sight
from ..domain.states import State
from ..domain.text import whole
from ..domain.verbs import GIVING_BACK

if TYPE_CHECKING:
    from ..domain.actions import Action
    from ..domain.facts import Fact, Receipt
    from ..ports import EDR

#: Nothing of the order shows.
BLANK = frozenset({Sight.ABSENT, Sight.UNKNOWABLE})
STANDS = "the order still stands at the EDR, and may yet take effect"
_WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Order:
    """Without a receipt it may be somebody else's, and is left alone. Taking it back twice is as taking it back once."""

    action: Action
    edr: EDR
    receipt: Receipt | None

    @property
    def was_withdrawn(self) -> bool:
        """Whether the EDR was asked to take it back, and still showed it then."""
        return self.receipt is not None and _WITHDRAWN in self.receipt.detail

    def marked_withdrawn(self) -> str | None:
        """The receipt of an order that is being taken back."""
        receipt = self.receipt
        return receipt.model_copy(update={"detail": {**receipt.detail, _WITHDRAWN: "1"}}).model_dump_json() if receipt else None

    def taken_back(self) -> tuple[Fact | None, str]:
        """What the EDR shows after it was asked to take the order back, and what became of it in words. No fact: it was not asked."""
        if self.receipt is None:
            return None, f"{STANDS}: it may not be ours"
        if self.was_withdrawn:
            return None, f"{STANDS}: the EDR was asked to take it back, and still shows it"
        try:
            fact = self.edr.withdraw(self.action, self.receipt)
        except (Unsupported, EDRError) as error:
            return None, whole(f"{STANDS}: {error}")
        said = {
            Sight.ABSENT: "the order was taken back",
            Sight.PRESENT: "the order took effect after all",
            Sight.UNKNOWABLE: "the EDR was asked to take the order back",
        }.get(fact.sight, f"the EDR was asked to take the order back, but {STANDS}")
        return fact, whole(f"{said}: {fact.evidence}")

    def given_up(self, reason: str, seen: Fact) -> VisitResult:
        """The row fails. What the EDR shows to be on its way, and an isolation in any case, is taken back first; a release never."""
        why = cause(Trouble.NOT_IN_EFFECT)
        if not self.action.lane or (seen.sight is not Sight.PENDING and self.action.verb != "isolate"):
            return VisitResult(state=State.FAILED, reason=reason, cause=why)
        if self.action.verb in GIVING_BACK:
            return VisitResult(state=State.FAILED, reason=f"{reason}; {STANDS}", cause=why)
        fact, words = self.taken_back()
        if fact and fact.sight is Sight.PRESENT:
            return VisitResult(state=State.DONE, evidence=fact.evidence)
        return VisitResult(state=State.FAILED, reason=f"{reason}; {words}", cause=why)
