"""Indicators: what blocks a file or a domain in a whole tenant, and what only seems to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.facts import Fact, Sight
from .orders import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: AlertAndBlock is the old word of Block.
_BLOCKING = frozenset({"Block", "BlockAndRemediate", "AlertAndBlock"})


def indicator_body(kind: str, value: str, effect: str) -> dict[str, Any]:
    """The body of an indicator for all machines that never expires. It raises no alert: that would come in as a new event."""
    return {
        "indicatorValue": value,
        "indicatorType": kind,
        "action": effect,
        "title": "Active Remediation",
        "description": "Confirmed malicious; banned by ar_workers",
        "severity": "High",
        "generateAlert": False,
        "rbacGroupNames": [],
    }


def indicator_fact(rows: Sequence[dict[str, Any]], kind: str, value: str, now: datetime) -> Fact:
    """Whether the rows of this value block it everywhere. An allowing one outweighs them, and is somebody's decision."""
    exact = [row for row in rows if row.get("indicatorType") == kind and str(row.get("indicatorValue", "")).lower() == value]
    live = [row for row in exact if not _is_expired(row, now)]
    if any(row.get("action") == "Allowed" for row in live):
        return Fact(sight=Sight.MISMATCH, evidence="the tenant has an indicator that allows this: a person decides")
    blocking = [row for row in live if row.get("action") in _BLOCKING and not row.get("rbacGroupNames")]
    if blocking:
        return Fact(sight=Sight.PRESENT, evidence=f"Defender holds the indicator, action {blocking[0]['action']}; endpoints follow")
    shown = ", ".join(sorted({str(row.get("action")) for row in exact})) or "none"
    return Fact(sight=Sight.ABSENT, evidence=f"no indicator that blocks everywhere (there is {shown})")


def _is_expired(row: dict[str, Any], now: datetime) -> bool:
    ends = instant(row.get("expirationTime"))
    return ends is not None and ends <= now
