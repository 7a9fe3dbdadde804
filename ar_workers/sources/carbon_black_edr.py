"""Carbon Black EDR: an alert of `/api/v2/alert` as a published threat.

The server gives no verdict: an alert is a hit of a watchlist or of a feed, with a score. By that score its endpoint is
isolated as by any severity, but none of its indicators is ever acted on without a person. It does not tell the pid
either, only the server's own id of the process. An alert is over that is resolved or false, or whose report is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, ended, line_of

if TYPE_CHECKING:
    from ..domain.events import Event
    from ..domain.unread import Unread

#: `alert_severity`, 0 to 100, from this number on. The API documents no bands: these are thirds, and ours.
SEVERITIES = {0: Severity.LOW, 34: Severity.MEDIUM, 67: Severity.HIGH}
#: What ends an alert: its `status`, and ours of `report_ignored`, by which people silence all that one report of a feed hits.
ENDED = frozenset({"resolved", "false_positive", "report_ignored"})
#: Every customer has a server of its own, which no record names: an address that surely leads nowhere (RFC 2606).
CONSOLE = "https://carbon-black-edr.invalid/"
_SYSTEMS = {"windows": OS.WINDOWS, "osx": OS.MACOS, "linux": OS.LINUX}


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished. Raises InvalidEvent."""
    alert = Fields.of(record)
    where = endpoint(
        Vendor.CARBON_BLACK_EDR,
        alert,
        "sensor_id",
        hostname=alert.raw("hostname"),
        os=_SYSTEMS.get(alert.text("os_type", "").lower(), OS.UNKNOWN),
    )
    return published(
        Alert(
            vendor=Vendor.CARBON_BLACK_EDR,
            id=alert_id(alert, "unique_id"),
            occurred_at=alert.moment("created_time"),
            severity=alert.ranks("alert_severity", SEVERITIES),
            classification=alert.shown("alert_type", default="Alert"),
            title=alert.shown("watchlist_name", "feed_name", default="Carbon Black EDR alert"),
            url=CONSOLE,
            summary=[f"The server's id of the process: {alert.shown('process_id', 'process_unique_id', default='not told')}"],
            endpoint=where,
            evidence=_evidence(alert, where),
            ending=_ending(alert),
        ),
        customer,
    )


def _ending(alert: Fields) -> Ending:
    """`assigned_to` is who changed the status."""
    ignored = "report ignored" if alert.raw("report_ignored") in (True, "true") else None
    return Ending(ended([alert.raw("status"), ignored], ENDED), line_of(alert.raw("assigned_to")), alert.latest("resolved_time"))


def _evidence(alert: Fields, where: Endpoint | Unread | None) -> Evidence:
    evidence = Evidence(where)
    hashes = {HashType.SHA256: alert.raw("sha256"), HashType.MD5: alert.raw("md5")}
    evidence.image(hashes, path=alert.raw("process_path"), malicious=False)
    value = alert.raw("ioc_value")
    match alert.raw("ioc_type"):
        case "md5":
            evidence.image({HashType.MD5: value}, malicious=False)
        case "sha256":
            evidence.image({HashType.SHA256: value}, malicious=False)
        case "dns" | "domain":
            evidence.domain(value, malicious=False)
    return evidence
