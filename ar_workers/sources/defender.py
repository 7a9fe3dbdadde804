"""Microsoft Defender for Endpoint: an alert of `/api/alerts` (with `$expand=evidence`) as a published threat.

`detectionStatus` says what Defender did to a piece of evidence, not what it is: a rundll32.exe that ran a malicious
DLL is "Detected" too. It counts as a verdict only if Defender stopped the thing and the alert names the malware
(`threatName`, `threatFamilyName`); a `verdict` of its own, which newer exports carry, counts by itself. The verdict on
a process is none on its image. An alert is over that is resolved, or that analysts classified as false or expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import Vendor
from ..domain.indicators import HashType
from ..domain.instants import instant_of
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, ended, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domain.events import Event

#: `severity` (Microsoft's page on the alert resource type; it has no Critical).
SEVERITIES = {
    "unspecified": Severity.UNKNOWN,
    "informational": Severity.LOW,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
}
#: Words on one piece of evidence: `verdict`, and `detectionStatus` of an alert that names the malware.
VERDICTS = {
    "malicious": True,
    "prevented": True,
    "blocked": True,
    "clean": False,
    "nothreatsfound": False,
}
#: What ends an alert: its `status`, `classification` and `determination` (Microsoft's page on updating an alert). Defender resolves
#: by itself what it has dealt with. Authorized testing was once classified as a true positive: the determination says it alone.
ENDED = frozenset(
    {
        "resolved",
        "falsepositive",
        "informationalexpectedactivity",
        "securitytesting",
        "securitypersonnel",
        "confirmedactivity",
        "confirmeduseractivity",
        "lineofbusinessapplication",
        "notmalicious",
        "clean",
    }
)
#: The portal of all tenants; the address of one alert in it is not documented with the API.
CONSOLE = "https://security.microsoft.com/alerts/"


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished. It does not tell the OS of its endpoint. Raises InvalidEvent."""
    alert = Fields.of(record)
    own_id = alert_id(alert, "id")
    severity = alert.means("severity", SEVERITIES)
    where = endpoint(Vendor.DEFENDER, alert, "machineId", hostname=alert.raw("computerDnsName"))
    category, threat = alert.shown("category", default="Alert"), alert.shown("threatFamilyName", "threatName", default="")
    evidence = Evidence(where)
    for piece in alert.parts("evidence"):
        _KINDS.get(piece.text("entityType", "").lower(), _ignore)(piece, evidence, _is_malicious(alert, piece))
    return published(
        Alert(
            vendor=Vendor.DEFENDER,
            id=own_id,
            occurred_at=alert.moment("alertCreationTime"),
            severity=severity,
            classification=f"{category} ({threat})" if threat else category,
            title=alert.shown("title", default="Defender alert"),
            url=CONSOLE if own_id.doubt else CONSOLE + own_id.text,
            summary=[alert.text("description", "")],
            endpoint=where,
            evidence=evidence,
            ending=_ending(alert),
            updated_at=alert.latest("lastUpdateTime"),
        ),
        customer,
    )


def _is_malicious(alert: Fields, piece: Fields) -> bool:
    names_malware = bool(alert.shown("threatName", "threatFamilyName", default=""))
    return judged([piece.raw("verdict"), piece.raw("detectionStatus") if names_malware else None], VERDICTS)


def _ending(alert: Fields) -> Ending:
    words = [alert.raw(name) for name in ("status", "classification", "determination")]
    return Ending(ended(words, ENDED), at=alert.latest("resolvedTime"))


def _file(piece: Fields, evidence: Evidence, malicious: bool) -> None:  # noqa: FBT001 - one of a table of functions
    evidence.image(_hashes(piece), path=_path(piece), malicious=malicious)


def _process(piece: Fields, evidence: Evidence, malicious: bool) -> None:  # noqa: FBT001 - one of a table of functions
    path, started = _path(piece), instant_of(piece.raw("processCreationTime"))
    evidence.image(_hashes(piece), path=path, malicious=False)
    evidence.process(piece.raw("processId"), _hashes(piece), path=path, started_at=started, malicious=malicious)


def _url(piece: Fields, evidence: Evidence, malicious: bool) -> None:  # noqa: FBT001 - one of a table of functions
    evidence.domain(piece.raw("url"), malicious=malicious)


def _registry(piece: Fields, evidence: Evidence, malicious: bool) -> None:  # noqa: FBT001 - one of a table of functions
    """Hive and key come apart. A value whose name is not told must not cost the whole key."""
    hive, key, value = piece.text("registryHive", ""), piece.raw("registryKey"), piece.raw("registryValueName")
    is_whole = piece.text("entityType").lower() == "registrykey"
    whole = f"{hive}\\{key}" if hive and isinstance(key, str) and key else key
    evidence.registry(whole, value, malicious=malicious and (is_whole or bool(value)))


def _ignore(_piece: Fields, _evidence: Evidence, _malicious: bool) -> None:  # noqa: FBT001 - one of a table of functions
    """Users and addresses: no action exists for them."""


_KINDS: dict[str, Callable[[Fields, Evidence, bool], None]] = {
    "file": _file,
    "process": _process,
    "url": _url,
    "registrykey": _registry,
    "registryvalue": _registry,
}


def _hashes(piece: Fields) -> dict[HashType, object]:
    return {kind: piece.raw(kind) for kind in HashType}


def _path(piece: Fields) -> object:
    """`filePath` is the folder alone."""
    folder, name = piece.raw("filePath"), piece.raw("fileName")
    if not isinstance(folder, str) or not isinstance(name, str) or not folder or not name:
        return name
    between = "/" if folder.startswith("/") else "\\"
    return folder.rstrip(between) + between + name
