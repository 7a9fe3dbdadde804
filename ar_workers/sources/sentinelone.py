"""SentinelOne: a threat (v2.1, or the flat shape of v2.0) or a STAR alert as a published threat.

A threat is about one file; SentinelOne's confidence in it, or the verdict of its cloud in v2.0, is the verdict on that
file. It is none where the threat lived without a file, where the file's signature is valid (a tool of somebody
else's that was abused), or where an analyst cleared it. A STAR alert is a hit of the customer's own rule: only a rule
that treats its hits as malicious is a verdict, and only on the process, as its image may be a tool of the system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.instants import instant_of
from ..domain.threats import Severity
from .alerts import Alert, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, judged, taken_back

if TYPE_CHECKING:
    from ..domain.events import Event
    from ..domain.unread import Unread

#: `threatInfo.confidenceLevel`, v2.0's `cloudVerdict`, and a STAR rule's `severity`. SentinelOne has no severity of a
#: threat, so the first two are ours: what it is sure of is high, and what it does not tell is unknown.
SEVERITIES = {
    "malicious": Severity.HIGH,
    "black": Severity.HIGH,
    "suspicious": Severity.MEDIUM,
    "n/a": Severity.UNKNOWN,
    "undefined": Severity.UNKNOWN,
    "provider_unknown": Severity.UNKNOWN,
    "white": Severity.LOW,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.HIGH,
}
#: The same words, a rule's `treatAsThreat`, and what takes a verdict back: `analystVerdict`, `mitigationStatus`, and ours of the file.
VERDICTS = {
    "malicious": True,
    "black": True,
    "white": False,
    "false_positive": False,
    "marked_as_benign": False,
    "without a file": False,
    "validly signed": False,
}
#: A record does not tell its console's host: this one is the vendor's, the path that of every console.
CONSOLE = "https://sentinelone.net/incidents"
_SYSTEMS = {"windows": OS.WINDOWS, "windows_legacy": OS.WINDOWS, "macos": OS.MACOS, "linux": OS.LINUX}


def read(record: object, *, customer: str | None) -> Event:
    """The threat or alert as ThreatPublished. Raises InvalidEvent."""
    fields = Fields.of(record)
    if "alertInfo" in fields.values:
        return published(_star(fields), customer)
    is_flat = "threatInfo" not in fields.values and "threatName" in fields.values
    return published(_flat_threat(fields) if is_flat else _threat(fields), customer)


def _threat(record: Fields) -> Alert:
    info, agent = record.part("threatInfo"), record.part("agentRealtimeInfo", optional=True)
    hashes = {kind: info.raw(kind) for kind in HashType}
    words = [*_words(info, "confidenceLevel"), *(["without a file"] if info.raw("isFileless") is True else [])]
    where = _endpoint(agent, "agentId", "agentOsType", hostname=agent.raw("agentComputerName"))
    return _of_file(record, info, where, _file_of(where, hashes, info, words), severity="confidenceLevel")


def _flat_threat(record: Fields) -> Alert:
    hashes = {HashType.SHA256: record.raw("fileSha256"), HashType.SHA1: record.raw("fileContentHash")}
    words = _words(record, "cloudVerdict")
    where = _endpoint(record, "agentId", "agentOsType", hostname=record.raw("agentComputerName"))
    return _of_file(record, record, where, _file_of(where, hashes, record, words), severity="cloudVerdict")


def _words(info: Fields, verdict: str) -> list[object]:
    is_signed = info.raw("isValidCertificate") is True or info.raw("isCertValid") is True
    return [info.raw(verdict), *_said(info), *(["validly signed"] if is_signed else [])]


def _said(info: Fields) -> list[object]:
    """What people said of the threat."""
    benign = "marked_as_benign" if info.raw("markedAsBenign") is True else None
    return [info.raw("analystVerdict"), info.raw("mitigationStatus"), benign]


def _file_of(where: Endpoint | Unread | None, hashes: dict[HashType, object], info: Fields, words: list[object]) -> Evidence:
    evidence = Evidence(where)
    evidence.image(hashes, path=info.raw("filePath"), malicious=judged(words, VERDICTS))
    return evidence


def _of_file(record: Fields, info: Fields, where: Endpoint | Unread | None, evidence: Evidence, *, severity: str) -> Alert:
    own_id = alert_id(record, "id")
    return Alert(
        vendor=Vendor.SENTINELONE,
        id=own_id,
        occurred_at=info.moment("createdAt"),
        severity=info.means(severity, SEVERITIES, default="n/a"),
        classification=info.shown("classification", default="Threat"),
        title=info.shown("threatName", default="SentinelOne threat"),
        url=CONSOLE if own_id.doubt else f"{CONSOLE}/threats/{own_id.text}/overview",
        summary=[info.text("description", "")],
        endpoint=where,
        evidence=evidence,
        taken_back=taken_back(_said(info), VERDICTS),
    )


def _star(record: Fields) -> Alert:
    info, rule = record.part("alertInfo"), record.part("ruleInfo")
    agent, detected = record.part("agentRealtimeInfo", optional=True), record.part("agentDetectionInfo", optional=True)
    where = _endpoint(agent, "id", "os", hostname=agent.raw("name") or detected.raw("name"))
    return Alert(
        vendor=Vendor.SENTINELONE,
        id=alert_id(info, "alertId"),
        occurred_at=info.moment("createdAt"),
        severity=rule.means("severity", SEVERITIES),
        classification=info.shown("eventType", "indicatorCategory", default="STAR alert"),
        title=rule.shown("name", default="STAR alert"),
        url=f"{CONSOLE}/alerts",
        summary=[rule.text("description", "")],
        endpoint=where,
        evidence=_star_evidence(record, info, rule, where),
        taken_back=taken_back(_said(info), VERDICTS),
    )


def _star_evidence(record: Fields, info: Fields, rule: Fields, where: Endpoint | Unread | None) -> Evidence:
    evidence = Evidence(where)
    source, target = record.part("sourceProcessInfo", optional=True), record.part("targetProcessInfo", optional=True)
    malicious = judged([rule.raw("treatAsThreat"), info.raw("analystVerdict")], VERDICTS)
    hashes = {kind: source.raw(f"fileHash{kind.capitalize()}") for kind in HashType}
    path, started = source.raw("filePath"), instant_of(source.raw("pidStarttime"))
    evidence.image(hashes, path=path, malicious=False)
    evidence.process(source.raw("pid"), hashes, path=path, started_at=started, malicious=malicious)
    target_hashes = {kind: target.raw(f"tgtFileHash{kind.capitalize()}") for kind in (HashType.SHA256, HashType.SHA1)}
    evidence.image(target_hashes, path=target.raw("tgtFilePath"), malicious=False)
    evidence.domain(info.raw("dnsRequest"), malicious=False)
    evidence.registry(info.raw("registryKeyPath"), malicious=False)
    return evidence


def _endpoint(agent: Fields, name: str, system: str, *, hostname: object) -> Endpoint | Unread | None:
    return endpoint(
        Vendor.SENTINELONE,
        agent,
        name,
        hostname=hostname,
        os=_SYSTEMS.get(agent.text(system, ""), OS.UNKNOWN),
    )
