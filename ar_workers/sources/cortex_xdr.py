"""Cortex XDR: an alert as a published threat, with its events in a list (v1), as lists of fields (v2), or as plain fields.

That the agent blocked or reported something is no verdict on a file: most alerts are about what a process did, and
that may be a tool of the system. WildFire's verdict is one, on the file that the alert was raised for: what was acted
on (`action_*`), not the process that touched it (`actor_*`), but for the execution of a process that names nothing it
acted on: there the malware itself is the actor. Domains and registry keys of an alert have no verdict: they are told,
and not acted on. An alert is over that is resolved in whatever way, or allow-listed. One of a firewall has no endpoint
(`NO_HOST`): what stands as its id is an address.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ..domain.endpoints import OS, Vendor
from ..domain.indicators import HashType
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, judged

if TYPE_CHECKING:
    from ..domain.endpoints import Endpoint
    from ..domain.events import Event
    from ..domain.unread import Unread

#: `severity` (the API's list of words).
SEVERITIES = {
    "informational": Severity.LOW,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.HIGH,
    "unknown": Severity.UNKNOWN,
}
#: The alert's `name`.
VERDICTS = {"wildfire malware": True}
#: What ends an alert: `resolution_status` behind its number, whose numbers and further words differ by version of the product
#: (`STATUS_060_RESOLVED_FALSE_POSITIVE`, `STATUS_090_RESOLVED_TRUE_POSITIVE`, `STATUS_080_RESOLVED_AUTO`), and `is_whitelisted`.
RESOLVED = re.compile(r"^(?:STATUS_)?(?:[0-9]+_)?RESOLVED", re.IGNORECASE)
#: A record does not name its tenant: the gateway leads to all of them.
CONSOLE = "https://cortex-gateway.paloaltonetworks.com/"
_NO_HOST = "no_host"
_EXECUTION = "process execution"
_SYSTEMS = {"windows": OS.WINDOWS, "mac": OS.MACOS, "macos": OS.MACOS, "linux": OS.LINUX}
#: What an event names files by -> where the pid of a process of that image stands.
_IMAGES = {"action_file": "", "action_process_image": "action_process_os_pid", "actor_process_image": "actor_process_os_pid"}
_ACTED_ON, _ACTOR = ("action_file_sha256", "action_process_image_sha256"), "actor_process_image_sha256"
_DOMAINS = ("dns_query_name", "action_external_hostname")
_KEY = ("action_registry_full_key", "action_registry_value_name")
_EVENT = (
    *(f"{kind}_{what}" for kind in _IMAGES for what in ("path", "name", HashType.SHA256, HashType.MD5)),
    *filter(None, _IMAGES.values()),
    "event_type",
    *_DOMAINS,
    *_KEY,
)


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished. Raises InvalidEvent."""
    alert = Fields.of(record)
    where = _endpoint(alert)
    evidence = Evidence(where)
    events = _events(alert)
    guilty = _subject(events) if judged([alert.raw("name")], VERDICTS) else ""
    for event in events:
        _take(event, evidence, guilty)
    return published(
        Alert(
            vendor=Vendor.CORTEX_XDR,
            id=alert_id(alert, "alert_id"),
            occurred_at=alert.moment("local_insert_ts", "detection_timestamp"),
            severity=alert.means("severity", SEVERITIES),
            classification=alert.shown("category", default="Alert"),
            title=alert.shown("name", default="Cortex XDR alert"),
            url=CONSOLE,
            summary=[alert.text("description", "")],
            endpoint=where,
            evidence=evidence,
            ending=Ending(_ended(alert)),
            updated_at=alert.latest("last_modified_ts"),
        ),
        customer,
    )


def _endpoint(alert: Fields) -> Endpoint | Unread | None:
    system = _first(alert.raw("agent_os_type"))
    if system == _NO_HOST:
        return None
    os = _SYSTEMS.get(system, OS.UNKNOWN)
    return endpoint(Vendor.CORTEX_XDR, alert, "endpoint_id", hostname=alert.raw("host_name"), os=os)


def _ended(alert: Fields) -> str:
    """What people said of the alert."""
    resolution = alert.shown("resolution_status", default="")
    words = [resolution if RESOLVED.match(resolution) else "", "allow-listed" if alert.raw("is_whitelisted") is True else ""]
    return ", ".join(filter(None, words))


def _events(alert: Fields) -> list[dict[str, Any]]:
    """The events whatever the shape: in v2, the n-th entries of all lists are the n-th event."""
    if alert.raw("events") is not None:
        return [event.values for event in alert.parts("events")]
    columns = {name: value if isinstance(value := alert.raw(name), list) else [value] for name in _EVENT}
    return [dict(zip(columns, row, strict=True)) for row in zip_longest(*columns.values())]


def _subject(events: list[dict[str, Any]]) -> str:
    """The SHA-256 of the one file that the alert was raised for; empty if it may be several."""
    named = {str(event.get(name) or "").lower() for event in events for name in [_subject_of(event)]} - {""}
    return named.pop() if len(named) == 1 else ""


def _subject_of(event: dict[str, Any]) -> str:
    """The field of the file that one event is about."""
    acted_on = next((name for name in _ACTED_ON if event.get(name)), "")
    return acted_on or (_ACTOR if str(event.get("event_type")).lower() == _EXECUTION else "")


def _take(event: dict[str, Any], evidence: Evidence, guilty: str) -> None:
    """What an event names. Malicious is what has the content of the `guilty` file."""
    for kind, pid in _IMAGES.items():
        hashes = {each: event.get(f"{kind}_{each}") for each in (HashType.SHA256, HashType.MD5)}
        path, malicious = event.get(f"{kind}_path"), bool(guilty) and str(hashes[HashType.SHA256]).lower() == guilty
        evidence.image(hashes, path=path, malicious=malicious)
        evidence.process(event.get(pid), hashes, path=path or event.get(f"{kind}_name"), malicious=malicious)
    evidence.registry(*map(event.get, _KEY), malicious=False)
    for name in _DOMAINS:
        evidence.domain(event.get(name), malicious=False)


def _first(value: object) -> str:
    """The OS is a text, or in v2 a list of it for each event."""
    found = value[0] if isinstance(value, list) and value else value
    return found.lower() if isinstance(found, str) else ""
