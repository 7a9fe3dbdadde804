"""Orders through the API: asked for once, taken over if they are open already, found again, cancelled."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import identity
from ...domain.errors import Denied, Throttled, VendorFault
from ...domain.facts import Receipt
from .api import OPEN_ALREADY
from .orders import newest, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...domain.actions import Action
    from .api import DefenderAPI
    from .orders import Order

MACHINES = "/api/machines"
MACHINE_ACTIONS = "/api/machineactions"
#: So long the result of an earlier order of ours tells of the endpoint as it is: a worker died before writing it down.
#: Later the same order may be a new one, about a file that came back.
_FRESH = timedelta(hours=1)
#: After this long an order that is in the way may be gone.
_IN_THE_WAY = timedelta(seconds=20)


class Orders:
    """A tenant's machine actions. What is asked for is sent once."""

    def __init__(self, api: DefenderAPI) -> None:
        self._api = api

    def of(self, agent_id: str) -> list[Order]:
        """All that are on record for an endpoint."""
        return [order(row) for row in self._api.pages(MACHINE_ACTIONS, **{"$filter": f"machineId eq '{agent_id}'"})]

    def behind(self, receipt: Receipt) -> Order:
        """The one that a receipt names."""
        return order(self._api.get(f"{MACHINE_ACTIONS}/{receipt.reference}"))

    def ours(self, action: Action, kind: str) -> Order | None:
        """Our own order for this very action, if it is open or has just ended: its receipt was never written down."""
        mark = identity(action)
        marked = [each for each in self.of(action.endpoints[0].agent_id) if each.kind == kind and mark in each.comment]
        opened = next((each for each in marked if each.is_open), None)
        last = newest(marked)
        return opened or (last if last and datetime.now(UTC) - last.updated < _FRESH else None)

    def result(self, found: Order) -> dict[str, Any]:
        """What the script of a live response has left behind."""
        link = self._api.get(f"{MACHINE_ACTIONS}/{found.id}/GetLiveResponseResultDownloadLink(index=0)")
        return self._api.download(str(link.get("value")))

    def ask(self, action: Action, route: str, body: dict[str, Any], is_same: Callable[[Order], bool]) -> Receipt:
        """Ask once. That the same is open already is no failure: it is taken over. Raises Throttled if it is another's."""
        agent_id = action.endpoints[0].agent_id
        try:
            made = self._api.post(f"{MACHINES}/{agent_id}/{route}", {"Comment": _comment(action), **body})
        except Denied as error:
            if error.code != OPEN_ALREADY:
                raise
            return self._taken_over(agent_id, is_same, error)
        if not made.get("id") or made.get("machineId") not in {None, agent_id}:
            raise VendorFault(f"{route}: accepted without an action on this machine")
        return Receipt(reference=str(made["id"]))

    def _taken_over(self, agent_id: str, is_same: Callable[[Order], bool], error: Denied) -> Receipt:
        found = next((each for each in self.of(agent_id) if each.is_open and is_same(each)), None)
        if not found:
            raise Throttled(f"another action is open on this machine: {error}", retry_after=_IN_THE_WAY, code=error.code)
        return Receipt(reference=found.id)

    def cancel(self, action: Action, against: tuple[Order, ...], *, is_enough: bool) -> Receipt:
        """Cancel the first order that is in the way. Raises Throttled while more than that is to be done."""
        first = against[0]
        try:
            self._api.post(f"{MACHINE_ACTIONS}/{first.id}/cancel", {"Comment": _comment(action)})
        except Denied as error:
            raise Throttled(f"{first.story}, and cannot be cancelled any more: {error}", retry_after=_IN_THE_WAY) from None
        if is_enough and len(against) == 1:
            return Receipt(reference=first.id)
        raise Throttled(f"cancelled what was in the way: {first.story}", retry_after=timedelta(seconds=1))

    def withdrawn(self, action: Action, receipt: Receipt) -> Order:
        """What has become of our own order once it was asked to be cancelled; one that has begun is not."""
        found = self.behind(receipt)
        if not found.is_open:
            return found
        with contextlib.suppress(Denied):
            self._api.post(f"{MACHINE_ACTIONS}/{found.id}/cancel", {"Comment": _comment(action)})
        return self.behind(receipt)


def _comment(action: Action) -> str:
    """What the portal shows beside the order, and what we know our own orders by."""
    return f"Active Remediation {identity(action)}"
