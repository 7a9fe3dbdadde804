"""Notifications to try templates on: every kind, with as much and as little in it as there can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification, remediation_summary
from ..domain.summaries import Entry, Section, Summary, Who
from ..domain.threats import Severity, Threat

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_THREAT = Threat(
    id="THREAT-1", severity=Severity.HIGH, classification="Malware <&> \"'", title="Sample", url="https://console.example/threats/1"
)
_BARE = Entry(verb="ban hash", subject="0" * 64, outcome="not done yet")
_FULL = Entry(
    verb="isolate",
    subject="SAMPLE-1",
    outcome="done",
    is_verified=True,
    edr="CrowdStrike",
    why="Falcon shows status contained",
    reference="order-1",
    accepted_at=_AT,
    settled_at=_AT,
    who=Who.CUSTOMER,
    todo="look",
)


def samples() -> Iterator[Notification]:
    """Each is valid, and none is anybody's."""
    empty = Summary(threat_id=_THREAT.id, severity=_THREAT.severity, classification=_THREAT.classification, url=_THREAT.url)
    sections = {name: Section(title=name, entries=(_FULL, _BARE), left_out=3) for name in ("outstanding", "completed", "not_done", "would")}
    full = empty.model_copy(update={**sections, "accepted_at": _AT, "isolated": ("SAMPLE-1",)})
    yield remediation_summary("sample", _THREAT, empty)
    yield remediation_summary("sample", _THREAT, full, by="A TRE", text="First.\n\nSecond.")
    for kind in Kind:
        if kind is Kind.REMEDIATION_SUMMARY:
            continue
        bare = Notification(audience=Audience.TRE, kind=kind, customer="sample", headline="A sample")
        yield bare
        yield bare.model_copy(update={"threat": _THREAT, "facts": (("Endpoints", "SAMPLE-1"),), "body": "First.\n\nSecond."})
