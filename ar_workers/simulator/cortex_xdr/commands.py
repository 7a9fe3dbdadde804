"""What the scripts in the library do on an endpoint: the vendor's own, and the pair that a responder keeps there."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

from ..endpoints import Endpoint, Process, StoredFile
from ..vital import is_vital_file, is_vital_key, vital

Effects = list[tuple[str, str, bool]]
Outcome = tuple[Any, Effects]
Row = dict[str, Any]


def delete_file(endpoint: Endpoint, given: Row) -> Outcome:
    """False where there is no such file: the script still has completed successfully."""
    is_gone = endpoint.delete(given["file_path"])
    return is_gone, [("delete_file", given["file_path"], is_gone)]


def file_exists(endpoint: Endpoint, given: Row) -> Outcome:
    return endpoint.file(given["path"]) is not None, []


def process_kill_name(endpoint: Endpoint, given: Row) -> Outcome:
    """Every process of this name."""
    found = [one for one in endpoint.processes if one.name == given["process_name"]]
    for one in found:
        endpoint.processes.remove(one)
    return bool(found), [("kill_process", str(one.pid), True) for one in found]


def look(endpoint: Endpoint, given: Row) -> Outcome:
    return _responder(endpoint, given, acting=False)


def act(endpoint: Endpoint, given: Row) -> Outcome:
    return _responder(endpoint, given, acting=True)


def _responder(endpoint: Endpoint, given: Row, *, acting: bool) -> Outcome:
    """The responder's pair: a JSON text in base64 in, a JSON text with `state` and `why` out."""
    text = given["judged_request"]
    order = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    verb = order["verb"]
    state, effects = _VERBS[verb](endpoint, order, acting)
    if acting and not effects:
        effects = [(verb, str(order.get("path") or order.get("key") or order.get("pid")), False)]
    return json.dumps({"why": f"seen on {endpoint.hostname}", "image": "", **_words(endpoint, order, state)}), effects


def _words(endpoint: Endpoint, order: Row, state: str) -> Row:
    """The state, and what is told of a process that is there."""
    if order["verb"] == "delete_file_on_volume" and endpoint.located(order["path"]) == order["path"]:
        return {"state": state, "why": "which drive its volume is cannot be told here"}
    if state == "locked":
        return {"state": state, "why": "the file is locked or cannot be read"}
    found = endpoint.process(order["pid"]) if order["verb"] == "kill_process" else None
    if found is None or state not in {"present", "vital"}:
        return {"state": state}
    return {"state": state, "image": found.path} if state == "present" else {"state": state, "why": vital(found.path)}


def _kill(endpoint: Endpoint, order: Row, acting: bool) -> tuple[str, Effects]:  # noqa: FBT001
    found = endpoint.process(order["pid"])
    if found is None:
        return "absent", []
    if order.get("sha256") and endpoint.is_locked(found.path):
        return "locked", []
    if not _is_meant(endpoint, found, order):
        return "mismatch", []
    if acting and vital(found.path):
        return "vital", []
    if acting:
        endpoint.processes.remove(found)
    return ("done", [("kill_process", str(found.pid), True)]) if acting else ("present", [])


def _is_meant(endpoint: Endpoint, found: Process, order: Row) -> bool:
    if order.get("sha256"):
        return bool(found.sha256 == order["sha256"])
    if order.get("path") and not endpoint.same(found.path, endpoint.located(order["path"])):
        return False
    started = datetime.fromisoformat(found.started).timestamp()
    return order.get("started") is None or abs(started - order["started"]) <= 2


def _delete(endpoint: Endpoint, order: Row, acting: bool) -> tuple[str, Effects]:  # noqa: FBT001
    path = endpoint.located(order["path"])
    found: StoredFile | None = endpoint.file(path)
    if path.startswith(("\\Device\\", "\\\\?\\")):
        return "mismatch", []
    if found is None:
        return "absent", []
    if is_vital_file(path):
        return "mismatch", []
    if found.locked and (acting or order.get("sha256")):
        return "locked", []
    if order.get("sha256") and found.sha256 != order["sha256"]:
        return "mismatch", []
    if acting:
        endpoint.files.remove(found)
    return ("done", [("delete_file", found.path, True)]) if acting else ("present", [])


def _unregister(endpoint: Endpoint, order: Row, acting: bool) -> tuple[str, Effects]:  # noqa: FBT001
    if endpoint.platform != "Windows":
        return "failed", []
    key, value = order["key"], order.get("value") or None
    if is_vital_key(key, value):
        return "mismatch", []
    if (endpoint.registry_value(key, value) if value else endpoint.registry_key(key)) is None:
        return "absent", []
    if not acting:
        return "present", []
    endpoint.unregister(key, value)
    return "done", [("delete_registry_key", "|".join(filter(None, (key, value))), True)]


_VERBS = {"kill_process": _kill, "delete_file": _delete, "delete_file_on_volume": _delete, "delete_registry_key": _unregister}


def _row(name: str, run: Any, *inputs: str, uid: str = "", high_risk: bool = True) -> Row:
    """The vendor's uids are those of its library; a tenant's own are of any kind."""
    return {
        "script_id": len(name),
        "name": name,
        "script_uid": uid or hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
        "windows_supported": True,
        "macos_supported": True,
        "linux_supported": True,
        "is_high_risk": high_risk,
        "script_inputs": [{"name": each, "type": "string"} for each in inputs],
        "run": run,
    }


LIBRARY = [
    _row("delete_file", delete_file, "file_path", uid="548023b6e4a01ec51a495ba6e5d2a15d"),
    _row("file_exists", file_exists, "path", uid="414763381b5bfb7b05796c9fe690df46", high_risk=False),
    _row("process_kill_name", process_kill_name, "process_name", uid="fd0a544a99a9421222b4f57a11839481"),
    _row("ar_workers_look", look, "judged_request", high_risk=False),
    _row("ar_workers_act", act, "judged_request"),
]
