"""One alert per vendor with everything that a reader takes, and how the vendor's API serves it."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

from tests.builders import EVIL, hash_of, sha256

AT = "2026-11-24T12:00:00.1234567Z"
EVIL_KEY = r"HKEY_CURRENT_USER\Software\Evil"
SHA256, SHA1, MD5 = sha256("evil"), hash_of("sha1", "evil"), hash_of("md5", "evil")
TOOL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"

CROWDSTRIKE = {
    "composite_id": f"{'c' * 32}:ind:{'a' * 32}:123-4-5",
    "agent_id": "a" * 32,
    "device": {"device_id": "a" * 32, "hostname": "FIN-LT-07", "platform_name": "Windows", "groups": ["g1"], "status": "normal"},
    "severity": 70,
    "severity_name": "High",
    "status": "new",
    "tactic": "Malware",
    "technique": "Malicious File",
    "display_name": "Known malware",
    "description": "A file is known malware.",
    "created_timestamp": AT,
    "updated_timestamp": AT,
    "falcon_host_link": f"https://falcon.us-2.crowdstrike.com/activity-v2/detections/{'c' * 32}:ind:1?_cid=token",
    "sha256": SHA256,
    "sha1": "0" * 40,
    "md5": MD5,
    "filename": "evil.exe",
    "filepath": EVIL,
    "local_process_id": "4711",
    "process_id": "289741187433",
    "process_start_time": "1795521600",
    "ioc_type": "domain",
    "ioc_value": "evil.example",
    "ioc_context": [{"ioc_type": "registry_key", "ioc_value": r"\REGISTRY\USER\S-1-5-21-1\Software\Evil"}],
    "quarantined_files": [{"id": f"{'a' * 32}_{SHA256}", "state": "quarantined"}],
    "pattern_disposition_details": {"quarantine_file": True, "kill_process": True, "detect": False},
}
_PIECE = {"evidenceCreationTime": AT, "detectionStatus": "Prevented", "accountName": None, "ipAddress": None}
DEFENDER = {
    "id": "da637_1364",
    "incidentId": 7,
    "severity": "High",
    "status": "New",
    "classification": None,
    "category": "Malware",
    "threatName": "Trojan:Win32/Evil",
    "threatFamilyName": "Evil",
    "title": "'Evil' malware was prevented",
    "description": "Malware was prevented.",
    "alertCreationTime": AT,
    "lastUpdateTime": AT,
    "machineId": hash_of("sha1", "FIN-LT-07"),
    "computerDnsName": "fin-lt-07",
    "evidence": [
        {**_PIECE, "entityType": "File", "sha256": SHA256, "sha1": SHA1, "filePath": EVIL.rpartition("\\")[0], "fileName": "evil.exe"},
        {
            **_PIECE,
            "entityType": "Process",
            "sha256": sha256("tool"),
            "filePath": TOOL.rpartition("\\")[0],
            "fileName": "powershell.exe",
            "processId": 4711,
            "processCreationTime": AT,
        },
        {**_PIECE, "entityType": "Url", "url": "https://evil.example:8443/path?token=x"},
        {**_PIECE, "entityType": "RegistryKey", "registryHive": "HKEY_CURRENT_USER", "registryKey": r"Software\Evil"},
        {**_PIECE, "entityType": "User", "accountName": "kim"},
    ],
}
SENTINELONE = {
    "id": "4000000000000000001",
    "threatInfo": {
        "threatId": "4000000000000000001",
        "threatName": "evil.exe",
        "classification": "Trojan",
        "confidenceLevel": "malicious",
        "analystVerdict": "undefined",
        "mitigationStatus": "not_mitigated",
        "isFileless": False,
        "isValidCertificate": False,
        "sha1": SHA1,
        "sha256": SHA256,
        "md5": None,
        "filePath": EVIL,
        "createdAt": AT,
        "updatedAt": AT,
        "incidentStatus": "unresolved",
    },
    "agentRealtimeInfo": {"agentId": "1" * 19, "agentComputerName": "FIN-LT-07", "agentOsType": "windows", "groupName": "Remediate"},
    "mitigationStatus": [],
}
STAR = {
    "alertInfo": {
        "alertId": "77",
        "createdAt": AT,
        "updatedAt": AT,
        "eventType": "PROCESSCREATION",
        "analystVerdict": "Undefined",
        "dnsRequest": "evil.example",
        "registryKeyPath": r"MACHINE\SOFTWARE\Evil",
    },
    "ruleInfo": {"severity": "Critical", "treatAsThreat": "Malicious", "name": "Evil rule"},
    "sourceProcessInfo": {"pid": "4711", "filePath": EVIL, "fileHashSha256": SHA256, "fileHashMd5": MD5, "pidStarttime": AT},
    "targetProcessInfo": {"tgtFilePath": TOOL, "tgtFileHashSha256": sha256("tool")},
    "agentRealtimeInfo": {"id": "1" * 19, "name": "FIN-LT-07", "os": "windows"},
}
CARBON_BLACK_CLOUD = {
    "id": "887e6bbc-6224-4f36-ad37-084038b7fcab",
    "type": "CB_ANALYTICS",
    "alert_url": "https://defense-eu.conferdeploy.net/alerts?s=1&orgKey=ABCD1234",
    "backend_timestamp": AT,
    "backend_update_timestamp": AT,
    "severity": 8,
    "reason": "Known malware ran.",
    "determination": {"value": "NONE"},
    "device_id": 101,
    "device_name": "CORP\\FIN-LT-07",
    "device_os": "WINDOWS",
    "process_pid": 4711,
    "process_name": EVIL,
    "process_sha256": SHA256,
    "process_md5": MD5,
    "process_reputation": "KNOWN_MALWARE",
    "process_effective_reputation": "KNOWN_MALWARE",
    "childproc_name": TOOL,
    "childproc_sha256": sha256("tool"),
    "childproc_effective_reputation": "TRUSTED_WHITE_LIST",
    "netconn_remote_domain": "evil.example",
}
CARBON_BLACK_EDR = {
    "unique_id": "1d0e9f1a-0000-4000-8000-000000000001",
    "alert_type": "watchlist.hit.query.process",
    "created_time": AT,
    "status": "Unresolved",
    "alert_severity": 75.5,
    "watchlist_name": "Evil",
    "sensor_id": 7,
    "hostname": "FIN-LT-07",
    "group": "Remediate",
    "os_type": "windows",
    "md5": MD5,
    "sha256": SHA256,
    "process_path": EVIL,
    "process_id": "00000007-0000-1267-01d8-000000000001",
    "ioc_type": "dns",
    "ioc_value": "evil.example",
}
CORTEX_XDR = {
    "alert_id": "50820",
    "severity": "critical",
    "name": "WildFire Malware",
    "category": "Malware",
    "description": "Suspicious executable detected",
    "source": "XDR Agent",
    "action": "BLOCKED",
    "detection_timestamp": 1_795_521_600_123,
    "local_insert_ts": 1_795_521_600_500,
    "resolution_status": "STATUS_010_NEW",
    "is_whitelisted": False,
    "endpoint_id": "a" * 32,
    "host_name": "FIN-LT-07",
    "agent_os_type": "Windows",
    "events": [
        {
            "actor_process_os_pid": 4711,
            "actor_process_image_path": TOOL,
            "actor_process_image_sha256": sha256("tool"),
            "action_file_path": EVIL,
            "action_file_sha256": SHA256,
            "action_file_md5": MD5,
            "action_registry_full_key": EVIL_KEY,
            "dns_query_name": "evil.example",
        }
    ],
}


class Sample(NamedTuple):
    """A format, a record of it, where the endpoint's id, the title and the hash stand in it, and how people take the alert back."""

    kind: str
    record: dict
    endpoint: tuple[str | int, ...]
    title: tuple[str | int, ...]
    sha256: tuple[str | int, ...]
    benign: tuple[tuple[str, ...], object]


SAMPLES = {
    "crowdstrike": Sample(
        kind="crowdstrike",
        record=CROWDSTRIKE,
        endpoint=("device", "device_id"),
        title=("display_name",),
        sha256=("sha256",),
        benign=(("tags",), ["false_positive"]),
    ),
    "defender": Sample(
        kind="defender",
        record=DEFENDER,
        endpoint=("machineId",),
        title=("title",),
        sha256=("evidence", 0, "sha256"),
        benign=(("classification",), "FalsePositive"),
    ),
    "sentinelone": Sample(
        kind="sentinelone",
        record=SENTINELONE,
        endpoint=("agentRealtimeInfo", "agentId"),
        title=("threatInfo", "threatName"),
        sha256=("threatInfo", "sha256"),
        benign=(("threatInfo", "analystVerdict"), "false_positive"),
    ),
    "star": Sample(
        kind="sentinelone",
        record=STAR,
        endpoint=("agentRealtimeInfo", "id"),
        title=("ruleInfo", "name"),
        sha256=("sourceProcessInfo", "fileHashSha256"),
        benign=(("alertInfo", "analystVerdict"), "False_Positive"),
    ),
    "carbon_black_cloud": Sample(
        kind="carbon_black_cloud",
        record=CARBON_BLACK_CLOUD,
        endpoint=("device_id",),
        title=("reason",),
        sha256=("process_sha256",),
        benign=(("determination",), {"value": "FALSE_POSITIVE"}),
    ),
    "carbon_black_edr": Sample(
        kind="carbon_black_edr",
        record=CARBON_BLACK_EDR,
        endpoint=("sensor_id",),
        title=("watchlist_name",),
        sha256=("sha256",),
        benign=(("status",), "False Positive"),
    ),
    "cortex_xdr": Sample(
        kind="cortex_xdr",
        record=CORTEX_XDR,
        endpoint=("endpoint_id",),
        title=("name",),
        sha256=("events", 0, "action_file_sha256"),
        benign=(("resolution_status",), "STATUS_090_RESOLVED_FALSE_POSITIVE"),
    ),
}


def changed(record, *changes):
    """A copy of the record, with a value at each path: `(path, value)`."""
    copy = deepcopy(record)
    for path, value in changes:
        holder = copy
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value
    return copy


def said(event):
    """What the event would have done: a word for each indicator, with a star where it may be acted on."""
    return [f"{ioc.indicator.type}{'*' if ioc.confirmed_malicious and ioc.safe_to_act else ''}" for ioc in event.iocs]
