"""Indicators: what blocks a file or a domain in a whole tenant, and what only seems to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.facts import Fact, Sight
from ..ours import unbanned
from .orders import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...domain.actions import UnbanDomain, UnbanHash
    from ...domain.facts import Receipt

#: AlertAndBlock is the old word of Block.
_BLOCKING = frozenset({"Block", "BlockAndRemediate", "AlertAndBlock"})


def indicator_body(kind: str, value: str, effect: str, words: dict[str, str]) -> dict[str, Any]:
    """The body of an indicator for all machines that never expires. It raises no alert: that would come in as a new event.

    `words` are its title and its description.
    """
    return {
        "indicatorValue": value,
        "indicatorType": kind,
        "action": effect,
        **words,
        "severity": "High",
        "generateAlert": False,
        "rbacGroupNames": [],
    }


def words_of(row: dict[str, Any]) -> dict[str, str]:
    """What an indicator says of itself. Neither may be missing where it is stored again."""
    return {name: str(row.get(name) or "not said") for name in ("title", "description")}


def same_scope(rows: Sequence[dict[str, Any]], kind: str, value: str) -> dict[str, Any] | None:
    """The row that storing one of this value for all machines would change."""
    return next((row for row in _exact(rows, kind, value) if not row.get("rbacGroupNames")), None)


def unban_fact(rows: Sequence[dict[str, Any]], action: UnbanHash | UnbanDomain, kind: str, value: str, receipt: Receipt | None) -> Fact:
    """What of a ban is there that we made, and what somebody else did."""
    banning = [row for row in _exact(rows, kind, value) if row.get("action") in _BLOCKING]
    return unbanned(action, banning, receipt, where="Defender", words="indicator {id}, action {action}, by {createdBy}")


def _exact(rows: Sequence[dict[str, Any]], kind: str, value: str) -> list[dict[str, Any]]:
    return [row for row in rows if row.get("indicatorType") == kind and str(row.get("indicatorValue", "")).lower() == value]


def indicator_fact(rows: Sequence[dict[str, Any]], kind: str, value: str, now: datetime) -> Fact:
    """Whether the rows of this value block it everywhere. An allowing one outweighs them, and is somebody's decision.

    The handle is the row that a ban would change.
    """
    exact = _exact(rows, kind, value)
    live = [row for row in exact if not _is_expired(row, now)]
    if any(row.get("action") == "Allowed" for row in live):
        return Fact(sight=Sight.MISMATCH, evidence="the tenant has an indicator that allows this: a person decides")
    blocking = [row for row in live if row.get("action") in _BLOCKING and not row.get("rbacGroupNames")]
    if blocking:
        return Fact(sight=Sight.PRESENT, evidence=f"Defender holds the indicator, action {blocking[0]['action']}; endpoints follow")
    shown, stood = ", ".join(sorted({str(row.get("action")) for row in exact})) or "none", same_scope(rows, kind, value)
    evidence = f"no indicator that blocks everywhere (there is {shown})"
    return Fact(sight=Sight.ABSENT, evidence=evidence, handle=str(stood.get("id") or "") if stood else "")


def _is_expired(row: dict[str, Any], now: datetime) -> bool:
    ends = instant(row.get("expirationTime"))
    return ends is not None and ends <= now
