"""Carbon Black Cloud: an alert of `/api/alerts/v7/.../alerts` as a published threat.

The verdict on a file is its reputation: known malware, or banned by the customer. A severity is none, nor is a hit of
a watchlist. The process may be killed where its image is malicious. An alert that was determined to be a false
positive makes nothing malicious, and one that is a true positive does not either: it may be about an abused tool.
A remote domain has no verdict: it is told, and not acted on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.threats import Severity
from .alerts import Alert, alert_id, console, endpoint, published
from .evidence import Evidence
from .reading import Fields, judged, line_of, taken_back

if TYPE_CHECKING:
    from ..domain.events import Event
    from ..domain.unread import Unread

#: `severity`, 1 to 10, from this number on. The API documents no bands: these are ours.
SEVERITIES = {1: Severity.LOW, 4: Severity.MEDIUM, 7: Severity.HIGH}
#: `*_reputation` and `*_effective_reputation` of a file, and the alert's `determination`. Suspected and unwanted programs are not malware.
VERDICTS = {
    "known_malware": True,
    "company_black_list": True,
    "company_white_list": False,
    "trusted_white_list": False,
    "false_positive": False,
}
#: The first of the vendor's consoles, where the record names none.
CONSOLE = "https://defense.conferdeploy.net/alerts"
_CONSOLES = ("conferdeploy.net", "confer.net", "carbonblack.io", "carbonblack.vmware.com")
_PLATFORMS = {"WINDOWS": OS.WINDOWS, "MAC": OS.MACOS, "LINUX": OS.LINUX}
#: Whose file is told of: the process itself, what it started, and what was kept from running.
_ROLES = ("process", "childproc", "blocked")


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished. Raises InvalidEvent."""
    alert = Fields.of(record)
    where = endpoint(
        Vendor.CARBON_BLACK_CLOUD,
        alert,
        "device_id",
        hostname=line_of(alert.raw("device_name")).rsplit("\\", 1)[-1],
        os=_PLATFORMS.get(alert.text("device_os", ""), OS.UNKNOWN),
    )
    return published(
        Alert(
            vendor=Vendor.CARBON_BLACK_CLOUD,
            id=alert_id(alert, "id"),
            occurred_at=alert.moment("backend_timestamp"),
            severity=alert.ranks("severity", SEVERITIES),
            classification=alert.shown("type", default="Alert"),
            title=alert.shown("report_name", "reason", default="Carbon Black Cloud alert"),
            url=console(alert.raw("alert_url"), *_CONSOLES, default=CONSOLE),
            summary=[alert.text("reason", "")],
            endpoint=where,
            evidence=_evidence(alert, where),
            taken_back=taken_back([_determination(alert)], VERDICTS),
        ),
        customer,
    )


def _evidence(alert: Fields, where: Endpoint | Unread | None) -> Evidence:
    evidence = Evidence(where)
    for role in _ROLES:
        evidence.image(_hashes(alert, role), path=alert.raw(f"{role}_name"), malicious=_is_malicious(alert, role))
    evidence.process(
        alert.raw("process_pid"),
        _hashes(alert, "process"),
        path=alert.raw("process_name"),
        malicious=_is_malicious(alert, "process"),
    )
    evidence.domain(alert.raw("netconn_remote_domain"), malicious=False)
    return evidence


def _is_malicious(alert: Fields, role: str) -> bool:
    reputations = [alert.raw(f"{role}_reputation"), alert.raw(f"{role}_effective_reputation")]
    return judged([*reputations, _determination(alert)], VERDICTS)


def _determination(alert: Fields) -> object:
    return alert.part("determination", optional=True).raw("value")


def _hashes(alert: Fields, role: str) -> dict[HashType, object]:
    return {kind: alert.raw(f"{role}_{kind}") for kind in (HashType.SHA256, HashType.MD5)}
