"""Carbon Black Cloud: an alert of `/api/alerts/v7/.../alerts` as a published threat.

The verdict on a file is its reputation: known malware, or banned by the customer. A severity is none, nor is a hit of
a watchlist. The process may be killed where its image is malicious. An alert that was determined to be a true positive
makes nothing malicious: it may be about an abused tool. A remote domain has no verdict: it is told, and not acted on.
An alert is over that is closed, or that was determined to be a false positive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, console, endpoint, published
from .evidence import Evidence
from .reading import Fields, ended, judged, line_of

if TYPE_CHECKING:
    from ..domain.events import Event
    from ..domain.unread import Unread

#: `severity`, 1 to 10, from this number on. The API documents no bands: these are ours.
SEVERITIES = {1: Severity.LOW, 4: Severity.MEDIUM, 7: Severity.HIGH}
#: `*_reputation` and `*_effective_reputation` of a file. Suspected and unwanted programs are not malware.
VERDICTS = {
    "known_malware": True,
    "company_black_list": True,
    "company_white_list": False,
    "trusted_white_list": False,
}
#: What ends an alert: the `status` and `closure_reason` of its `workflow` (v6: `state`), and its `determination`.
ENDED = frozenset({"closed", "dismissed", "resolved_benign_known_good", "false_positive"})
#: The first of the vendor's consoles, where the record names none.
CONSOLE = "https://defense.conferdeploy.net/alerts"
_CONSOLES = ("conferdeploy.net", "confer.net", "carbonblack.io", "carbonblack.vmware.com")
_PLATFORMS = {"WINDOWS": OS.WINDOWS, "MAC": OS.MACOS, "LINUX": OS.LINUX}
#: When the service and when people last changed an alert: the service's time does not move with the people's.
UPDATES = ("backend_update_timestamp", "user_update_timestamp")
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
            ending=_ending(alert),
            updated_at=alert.latest(*UPDATES),
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
    return judged(reputations, VERDICTS)


def _ending(alert: Fields) -> Ending:
    found = alert.raw("workflow")
    workflow = Fields(found if isinstance(found, dict) else {})
    words = [workflow.raw("status"), workflow.raw("state"), workflow.raw("closure_reason")]
    determination = alert.part("determination", optional=True).raw("value")
    return Ending(ended([*words, determination], ENDED), line_of(workflow.raw("changed_by")), workflow.latest("change_timestamp"))


def _hashes(alert: Fields, role: str) -> dict[HashType, object]:
    return {kind: alert.raw(f"{role}_{kind}") for kind in (HashType.SHA256, HashType.MD5)}
