"""Threats, as far as a quarantine needs them: which one a file belongs to, and what became of an order to mitigate it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...domain.endpoints import OS
from ...domain.facts import Fact, Sight
from ...domain.indicators import HashType
from ...domain.volumes import ends_alike, plain, split
from .api import Row

if TYPE_CHECKING:
    from ...domain.actions import QuarantineFile, UnquarantineFile
    from ...domain.indicators import File

MITIGATE_QUARANTINE = "threats/mitigate/quarantine"
MITIGATE_UNQUARANTINE = "threats/mitigate/un-quarantine"


def threat_of(row: Row, action: QuarantineFile | UnquarantineFile) -> bool:
    """Whether a threat (v2.1 shape) is of this file's content and path on this endpoint.

    Its SHA-256 is often null, and then its SHA-1 tells; where both are known, both must agree.
    """
    info, agent = row.get("threatInfo") or {}, row.get("agentRealtimeInfo") or {}
    return (
        isinstance(row.get("id"), str)
        and agent.get("agentId") == action.endpoint.agent_id
        and _same_content(info, action.file)
        and _same_path(str(info.get("filePath") or ""), action.file.path, action.endpoint.os)
    )


def _same_content(info: Row, file: File) -> bool:
    known = [(str(info.get(kind) or "").lower(), getattr(file, kind)) for kind in (HashType.SHA256, HashType.SHA1)]
    both = [shown == meant for shown, meant in known if shown and meant]
    return bool(both) and all(both)


def _same_path(shown: str, meant: str, os: OS) -> bool:
    """Windows paths come by device, and which drive that is the console does not tell."""
    if os is OS.LINUX:
        return shown == meant
    return plain(shown).casefold() == plain(meant).casefold() or (bool(split(shown) or split(meant)) and ends_alike(shown, meant))


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


def unquarantine_fact(threat: Row) -> Fact:
    """What the newest report says of a file's return. Where there is none, the file is in no quarantine."""
    report = quarantine_report(threat)
    status = str(report.get("status") or "none")
    if report.get("action") == "quarantine":
        is_there = quarantine_fact(threat).sight
        if is_there is Sight.PENDING:
            return Fact(sight=Sight.ABSENT, evidence="the quarantine is still under way")
        words = f"quarantine {status} at {report.get('lastUpdate')}"
        return Fact(sight=Sight.ABSENT if is_there is Sight.PRESENT else Sight.PRESENT, evidence=f"SentinelOne reports {words}")
    if not report:
        return Fact(sight=Sight.PRESENT, evidence="SentinelOne reports no quarantine of the file")
    if status == "pending":
        return Fact(sight=Sight.PENDING, evidence="SentinelOne reports the file's return as pending")
    counts = {name: int(number or 0) for name, number in (report.get("actionsCounters") or {}).items()}
    left = [f"{counts[name]} {words}" for name, words in _SHORTFALLS.items() if counts.get(name)]
    if status == "success" and not left and counts.get("success", 1):
        return Fact(sight=Sight.PRESENT, evidence=f"SentinelOne reports the file as given back at {report.get('lastUpdate')}")
    return Fact(sight=Sight.REFUSED, evidence=f"un-quarantine {status}" + (f": {', '.join(left)}" if left else ""))


_SHORTFALLS = {"notFound": "not found", "failed": "failed", "pendingReboot": "waiting for a restart"}


def instant(text: Any) -> datetime | None:
    """A time as the vendor writes it, or None."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
