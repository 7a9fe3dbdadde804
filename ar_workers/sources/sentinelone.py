"""SentinelOne: a threat (v2.1, or the flat shape of v2.0) or a STAR alert as a published threat.

A threat is about one file; SentinelOne's confidence in it, or the verdict of its cloud in v2.0, is the verdict on that
file. It is none where the threat lived without a file, or where the file's signature is valid (a tool of somebody
else's that was abused). A STAR alert is a hit of the customer's own rule: only a rule that treats its hits as malicious
is a verdict, and only on the process, as its image may be a tool of the system. Either is over that is resolved, or
called benign or false; a threat also when its file was given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.indicators import HashType
from ..domain.instants import instant_of
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, ended, judged

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
#: The same words, a rule's `treatAsThreat`, and ours of the file.
VERDICTS = {
    "malicious": True,
    "black": True,
    "white": False,
    "without a file": False,
    "validly signed": False,
}
#: What ends a threat: `incidentStatus`, `analystVerdict`, `mitigationStatus`, the action of the report, and v2.0's `resolved` and
#: `markedAsBenign`. `mitigated` does not: the agent has dealt with one file, and nobody has looked.
ENDED = frozenset({"resolved", "false_positive", "marked_as_benign", "benign", "unquarantine", "un_quarantine"})
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
    return [info.raw(verdict), *(["validly signed"] if is_signed else [])]


def _ending(info: Fields, *given_back: object) -> Ending:
    """What people said of the threat."""
    flags = [word for name, word in (("resolved", "resolved"), ("markedAsBenign", "marked_as_benign")) if info.raw(name) is True]
    said = [info.raw(name) for name in ("incidentStatus", "analystVerdict", "mitigationStatus")]
    return Ending(ended([*said, *flags, *given_back], ENDED))


def _given_back(record: Fields) -> object:
    """The newest thing that was done about the file's quarantine, of v2.1's list; or that v2.0's report tells of its end."""
    reports, flat = record.raw("mitigationStatus"), record.raw("mitigationReport")
    if isinstance(reports, list):
        done = [(str(each.get("lastUpdate")), str(each.get("action"))) for each in reports if _is_done(each)]
        return max((each for each in done if "quarantine" in each[1]), default=("", ""))[1]
    return "unquarantine" if isinstance(flat, dict) and _is_done(flat.get("unquarantine")) else None


def _is_done(report: object) -> bool:
    return isinstance(report, dict) and report.get("status") == "success"


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
        ending=_ending(info, _given_back(record)),
        updated_at=info.latest("updatedAt"),
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
        ending=_ending(info),
        updated_at=info.latest("updatedAt"),
    )


def _star_evidence(record: Fields, info: Fields, rule: Fields, where: Endpoint | Unread | None) -> Evidence:
    evidence = Evidence(where)
    source, target = record.part("sourceProcessInfo", optional=True), record.part("targetProcessInfo", optional=True)
    malicious = judged([rule.raw("treatAsThreat")], VERDICTS)
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
