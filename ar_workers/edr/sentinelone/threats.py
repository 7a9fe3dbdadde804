"""Threats, as far as a quarantine needs them: which one a file belongs to, and what became of an order to mitigate it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...domain.endpoints import OS
from ...domain.facts import Fact, Sight
from .api import Row

if TYPE_CHECKING:
    from ...domain.actions import QuarantineFile

MITIGATE_QUARANTINE = "threats/mitigate/quarantine"
#: Windows paths come by device, and which drive that is the console does not tell.
_VOLUME = re.compile(r"^(?:\\device\\harddiskvolume\d+|[a-z]:)(?=\\)", re.IGNORECASE)


def threat_of(row: Row, action: QuarantineFile) -> bool:
    """Whether a threat (v2.1 shape) is of this file's content and path on this endpoint. Its SHA-256 is often null: then no."""
    info, agent = row.get("threatInfo") or {}, row.get("agentRealtimeInfo") or {}
    return (
        isinstance(row.get("id"), str)
        and agent.get("agentId") == action.endpoint.agent_id
        and str(info.get("sha256") or "").lower() == action.file.sha256
        and _same_path(str(info.get("filePath") or ""), action.file.path, action.endpoint.os)
    )


def _same_path(shown: str, meant: str, os: OS) -> bool:
    if os is OS.LINUX:
        return shown == meant
    return _VOLUME.sub("", shown).casefold() == _VOLUME.sub("", meant).casefold()


def quarantine_report(threat: Row) -> Row:
    """The newest report on a quarantine, or on its undoing; empty if there is none. Older ones stay in the list."""
    reports = [each for each in threat.get("mitigationStatus") or [] if isinstance(each, dict)]
    about = [each for each in reports if str(each.get("action")).replace("-", "") in {"quarantine", "unquarantine"}]
    return max(about, key=lambda each: str(each.get("lastUpdate") or ""), default={})


def quarantine_fact(threat: Row) -> Fact:
    """What the newest report says. A success that found no file, or fewer than it looked for, is none."""
    report = quarantine_report(threat)
    status = str(report.get("status") or "none")
    if not report or report["action"] != "quarantine":
        return Fact(sight=Sight.ABSENT, evidence="the threat's file is not quarantined")
    if status == "pending":
        return Fact(sight=Sight.PENDING, evidence="SentinelOne reports the quarantine as pending")
    counts = {name: int(number or 0) for name, number in (report.get("actionsCounters") or {}).items()}
    left = [f"{counts[name]} {words}" for name, words in _SHORTFALLS.items() if counts.get(name)]
    if status == "success" and counts.get("pendingReboot") and not counts.get("notFound") and not counts.get("failed"):
        return Fact(sight=Sight.PENDING, evidence="the file is quarantined when the endpoint restarts")
    if status == "success" and not left and counts.get("success", 1):
        return Fact(sight=Sight.PRESENT, evidence=f"SentinelOne reports the file as quarantined at {report.get('lastUpdate')}")
    return Fact(sight=Sight.REFUSED, evidence=f"quarantine {status}" + (f": {', '.join(left)}" if left else ""))


_SHORTFALLS = {"notFound": "not found", "failed": "failed", "pendingReboot": "waiting for a restart"}


def instant(text: Any) -> datetime | None:
    """A time as the vendor writes it, or None."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
