"""CrowdStrike Falcon: an alert of `/alerts/combined/alerts/v1` or `/alerts/entities/alerts/v2` as a published threat.

A file is malicious if Falcon quarantined that very content and nobody released it. What Falcon did to the process
(`pattern_disposition_details`) is no verdict on its image: that may be a tool of the system, or what wrote the file.
The process may be killed where its image is malicious. A domain or registry key of an alert has no verdict: it is
told, and not acted on. An alert is over that is closed, called false or ignored, or whose quarantined files were all
released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.instants import instant_of
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, console, endpoint, published
from .evidence import Evidence
from .reading import Fields, ended, judged

if TYPE_CHECKING:
    from ..domain.events import Event
    from ..domain.unread import Unread
    from .alerts import AlertId

#: `severity` from this number on. The bands are those of `severity_name`: Low from 20, Medium from 40, High from 60, Critical from 80.
SEVERITIES = {0: Severity.LOW, 40: Severity.MEDIUM, 60: Severity.HIGH}
#: The `state` of a quarantined file.
VERDICTS = {
    "quarantined": True,
    "purged": True,
    "release_pending": False,
    "released": False,
}
#: What ends an alert: its `status`, what analysts say of it (`resolution`, `tags`), and the `state` that all its files have.
#: `reopened` and `true_positive` do not.
ENDED = frozenset({"closed", "false_positive", "ignored", "release_pending", "released"})
CONSOLE = "https://falcon.crowdstrike.com/activity-v2/detections"
_PLATFORMS = {"Windows": OS.WINDOWS, "Mac": OS.MACOS, "Linux": OS.LINUX}


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished. Raises InvalidEvent."""
    alert = Fields.of(record)
    device = alert.part("device", optional=True)
    hostname, system = device.raw("hostname"), _PLATFORMS.get(device.text("platform_name", ""), OS.UNKNOWN)
    where = endpoint(Vendor.CROWDSTRIKE, device, "device_id", hostname=hostname, os=system) or endpoint(
        Vendor.CROWDSTRIKE, alert, "agent_id", hostname=hostname, os=system
    )
    tactic, technique = alert.shown("tactic", "type", default="Detection"), alert.shown("technique", default="")
    return published(
        Alert(
            vendor=Vendor.CROWDSTRIKE,
            id=_id(alert),
            occurred_at=alert.moment("created_timestamp", "timestamp"),
            severity=alert.ranks("severity", SEVERITIES),
            classification=f"{tactic} ({technique})" if technique else tactic,
            title=alert.shown("display_name", "name", default="Falcon alert"),
            url=console(alert.raw("falcon_host_link"), "crowdstrike.com", "crowdstrike.mil", default=CONSOLE),
            summary=[alert.text("description", "")],
            endpoint=where,
            evidence=_evidence(alert, where),
            ending=Ending(ended(_said(alert), ENDED)),
            updated_at=alert.latest("updated_timestamp"),
        ),
        customer,
    )


def _id(alert: Fields) -> AlertId:
    """`composite_id` without the cid before it: that is the tenant, for which our customer stands."""
    whole = alert.text("composite_id")
    return alert_id(Fields({"composite_id": whole.partition(":")[2] or whole}), "composite_id")


def _evidence(alert: Fields, where: Endpoint | Unread | None) -> Evidence:
    evidence = Evidence(where)
    hashes = {kind: alert.raw(kind) for kind in HashType}
    states = {_sha256(file): file.raw("state") for file in alert.parts("quarantined_files")}
    malicious = judged([states.pop(str(hashes[HashType.SHA256]).lower(), None)], VERDICTS)
    evidence.image(hashes, path=alert.raw("filepath"), malicious=malicious)
    evidence.process(
        alert.raw("local_process_id"),
        hashes,
        path=alert.raw("filepath") or alert.raw("filename"),
        started_at=instant_of(alert.raw("process_start_time")),
        malicious=malicious,
    )
    for sha256, state in states.items():
        evidence.image({HashType.SHA256: sha256}, malicious=judged([state], VERDICTS))
    for named in (alert, *alert.parts("ioc_context")):
        _named(named, evidence)
    return evidence


def _said(alert: Fields) -> list[object]:
    """What analysts said of the alert, and what became of its files if one thing became of all."""
    tags, states = alert.raw("tags"), {file.text("state", "") for file in alert.parts("quarantined_files")}
    return [alert.raw("status"), alert.raw("resolution"), *(tags if isinstance(tags, list) else []), *_released(states)]


def _released(states: set[str]) -> list[str]:
    """A file that is still kept away keeps the alert open."""
    return sorted(states) if all(VERDICTS.get(state.lower()) is False for state in states) else []


def _sha256(file: Fields) -> str:
    """A quarantined file's id is `<aid>_<sha256>`."""
    return file.text("id", "").rpartition("_")[2].lower()


def _named(source: Fields, evidence: Evidence) -> None:
    """The IOC that a part of the alert names: what triggered it, without a verdict."""
    value = source.raw("ioc_value")
    match source.raw("ioc_type"):
        case "domain":
            evidence.domain(value, malicious=False)
        case "hash_sha256":
            evidence.image({HashType.SHA256: value}, malicious=False)
        case "hash_md5":
            evidence.image({HashType.MD5: value}, malicious=False)
        case "registry_key":
            evidence.registry(value, malicious=False)
