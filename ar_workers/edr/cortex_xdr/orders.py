"""Orders that Cortex keeps in its action centre: how one is signed for, and what has become of it."""

from __future__ import annotations

from typing import Any

from ...domain.errors import VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.text import LONGEST, shortened
from .api import V1, CortexAPI, count

#: A status that is in none of these sets is waited for, until the action's deadline.
COMPLETED = frozenset({"COMPLETED_SUCCESSFULLY", "COMPLETED_PARTIAL"})
#: The endpoint has surely done nothing. The vendor spells one of them in two ways.
NEVER_RAN = frozenset({"EXPIRED", "CANCELED", "CANCELLED"})
FAILED = NEVER_RAN | {"FAILED", "TIMEOUT", "ABORTED"}


def receipt_of(reply: Any, what: str) -> Receipt:
    """The order's id, of an answer that took exactly one endpoint."""
    found = reply if isinstance(reply, dict) else {}
    action_id, taken = found.get("action_id") or found.get("group_action_id"), count(found.get("endpoints_count"))
    if action_id is None or taken not in {None, 1}:
        raise VendorFault(f"{what}: the answer names no order for exactly one endpoint")
    return Receipt(reference=str(action_id))


def number(receipt: Receipt) -> int:
    """An order's id as Cortex takes it."""
    if not receipt.reference.isdigit():
        raise VendorFault(f"{receipt.reference!r} is no order of Cortex")
    return int(receipt.reference)


def progress(api: CortexAPI, agent_id: str, receipt: Receipt | None) -> Fact | None:
    """What has become of an order: PENDING, REFUSED, or None where only the endpoint's own state can tell."""
    if receipt is None or not receipt.reference:
        return None
    reply = api.read(f"{V1}/actions/get_action_status", {"group_action_id": number(receipt)})
    found = reply if isinstance(reply, dict) else {}
    states = found.get("data")
    status = str(states.get(agent_id) or "") if isinstance(states, dict) else ""
    if not status or status in COMPLETED:
        return None
    reason = _reason(found, agent_id)
    evidence = f"order {receipt.reference} is {shortened(status, 60)}" + (f": {reason}" if reason else "")
    return Fact(sight=Sight.REFUSED if status in FAILED else Sight.PENDING, evidence=evidence)


def _reason(reply: dict[str, Any], agent_id: str) -> str:
    """Newer tenants add a map of reasons, whose shape is not documented: any text in it is for people."""
    reasons = reply.get("errorReasons")
    found = reasons.get(agent_id) if isinstance(reasons, dict) else None
    texts = found.values() if isinstance(found, dict) else [found]
    return shortened(", ".join(each for each in texts if isinstance(each, str)), LONGEST)
