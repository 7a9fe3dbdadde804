"""A link in the words of OCSF 1.8 (https://schema.ocsf.io/1.8.0): Remediation Activity, and for all else the Base Event.

What is mapped is a table, and what comes out are plain dicts: the library `py-ocsf-models` models findings of 1.5, and no class of the
category Remediation. The D3FEND techniques are those of the ontology of August 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import __version__
from ..domain.audit import SWITCH, state_after
from ..domain.states import State

if TYPE_CHECKING:
    from ..domain.actions import Verb
    from ..domain.audit import Link

VERSION = "1.8.0"
_ISOLATE, _EVICT, _RESTORE, _OTHER = (1, "Isolate"), (2, "Evict"), (3, "Restore"), (99, "Other")
_ANY, _FILE, _PROCESS, _NETWORK = (
    (7001, "Remediation Activity"),
    (7002, "File Remediation Activity"),
    (7003, "Process Remediation Activity"),
    (7004, "Network Remediation Activity"),
)


class _Meant(NamedTuple):
    kind: tuple[int, str]
    activity: tuple[int, str]
    technique: tuple[str, str] | None


_VERBS: dict[Verb, _Meant] = {
    "isolate": _Meant(_NETWORK, _ISOLATE, ("D3-NI", "Network Isolation")),
    "release": _Meant(_NETWORK, _RESTORE, ("D3-RNA", "Restore Network Access")),
    "ban_hash": _Meant(_FILE, _ISOLATE, ("D3-EDL", "Executable Denylisting")),
    "unban_hash": _Meant(_FILE, _RESTORE, ("D3-RF", "Restore File")),
    "ban_domain": _Meant(_NETWORK, _ISOLATE, ("D3-DNSDL", "DNS Denylisting")),
    "unban_domain": _Meant(_NETWORK, _RESTORE, ("D3-RNA", "Restore Network Access")),
    "kill_process": _Meant(_PROCESS, _EVICT, ("D3-PT", "Process Termination")),
    "delete_file": _Meant(_FILE, _EVICT, ("D3-FEV", "File Eviction")),
    "quarantine_file": _Meant(_FILE, _ISOLATE, ("D3-CQ", "Content Quarantine")),
    "unquarantine_file": _Meant(_FILE, _RESTORE, ("D3-RF", "Restore File")),
    "delete_registry_key": _Meant(_ANY, _EVICT, ("D3-RKD", "Registry Key Deletion")),
}
#: Where a row came to: `status_id`. What is on its way is unknown.
_STATUS = {
    State.DONE: (1, "Success"),
    State.ALREADY: (1, "Success"),
    State.FAILED: (2, "Failure"),
    State.SKIPPED: (99, "Skipped"),
    State.CANCELLED: (99, "Cancelled"),
    State.HELD: (99, "Held"),
}
_UNKNOWN = (0, "Unknown")


def ocsf(link: Link) -> dict[str, Any]:
    """One event."""
    verb = link["row"].split(":")[1] if link["row"].count(":") > 1 else ""
    meant = next((each for name, each in _VERBS.items() if name == verb), None)
    (class_id, name), activity = (meant.kind, meant.activity) if meant else ((0, "Base Event"), _OTHER)
    status = _STATUS.get(State(state), _UNKNOWN) if (state := state_after(link["text"])) else _UNKNOWN
    event = {
        "activity_id": activity[0],
        "activity_name": activity[1] if meant else _kind_of(link),
        "category_uid": class_id // 1000,
        "category_name": "Remediation" if meant else "Uncategorized",
        "class_uid": class_id,
        "class_name": name,
        "type_uid": class_id * 100 + activity[0],
        "severity_id": 1,
        "severity": "Informational",
        "time": link["at"],
        "message": link["text"],
        "status_id": status[0],
        "status": status[1],
        "metadata": _metadata(link),
        "unmapped": {each: link[each] for each in ("row", "threat", "by", "evidence", "seq", "prev", "number")},
    }
    if link["evidence"]:
        event["status_detail"] = link["evidence"]
    return event | (_remediation(link, meant) if meant else {})


def _remediation(link: Link, meant: _Meant) -> dict[str, Any]:
    """What these classes require: the command, and of each what it is done to, of which a link knows no more than its row."""
    more: dict[str, Any] = {"command_uid": link["row"]}
    if meant.technique:
        uid, name = meant.technique
        tactic = meant.activity[1]
        more["countermeasures"] = [{"d3f_tactic": {"name": tactic}, "d3f_technique": {"uid": uid, "name": name}}]
    if meant.kind == _FILE:
        more["file"] = {"name": link["row"], "type_id": 1}
    elif meant.kind == _PROCESS:
        more["process"] = {"uid": link["row"]}
    elif meant.kind == _NETWORK:
        more["connection_info"] = {"direction_id": 99, "direction": "Other"}
    return more


def _metadata(link: Link) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": {"name": "ar_workers", "vendor_name": "ar_workers", "version": __version__},
        "tenant_uid": link["customer"],
        "uid": f"{link['customer']}:{link['seq']}",
        "sequence": link["seq"],
        "log_name": "audit",
    } | ({"correlation_uid": link["threat"]} if link["threat"] else {})


def _kind_of(link: Link) -> str:
    if link["row"].startswith(SWITCH):
        return "kill switch"
    if link["row"].startswith("event/"):
        return "event"
    return "notification" if link["row"] else "record"
