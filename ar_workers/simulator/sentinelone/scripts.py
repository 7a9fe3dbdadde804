"""What the library's script does on a pretend endpoint: reads its one word, confirms, acts, and prints a line of JSON."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ..endpoints import Endpoint
from ..languages import Says
from ..vital import is_vital_file, is_vital_key, vital

Effects = list[tuple[str, str, bool]]
#: What ends one command and begins another where a parameter reaches a shell bare.
_SEPARATORS = re.compile(r"[;&|\n\r`]+")


def run(endpoint: Endpoint, parameters: str, fails: str) -> tuple[str, Effects]:
    """What is printed and done. A parameter that is no single word is taken apart as a shell would: each part is carried out."""
    if fails == "with_error":
        return "Traceback: something broke\n", []
    lines, effects = [], []
    for word in filter(None, map(str.strip, _SEPARATORS.split(parameters))):
        try:
            request = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        except ValueError:
            lines.append("cannot read the order")
            continue
        outcome, detail, done = ORDERS.get(request["verb"], _unknown)(endpoint, request)
        effects += done
        lines.append(json.dumps({"ar_workers": request["order"], "outcome": outcome, "detail": detail}))
    return ("" if fails else "\n".join([Says.BEGUN.to(endpoint.language), *lines]) + "\n"), effects


def _unknown(endpoint: Endpoint, request: dict[str, Any]) -> tuple[str, str, Effects]:
    del endpoint, request
    return "failed", "an order that this script does not know", []


def _kill(endpoint: Endpoint, request: dict[str, Any]) -> tuple[str, str, Effects]:
    found = endpoint.process(int(request["pid"]))
    if found is None:
        return "absent", "no such process", [("kill_process", request["pid"], False)]
    if vital(found.path):
        return "vital", vital(found.path), [("kill_process", request["pid"], False)]
    if request["sha256"] and endpoint.is_locked(found.path):
        return "locked", f"the image of pid {found.pid} is locked or cannot be read", [("kill_process", request["pid"], False)]
    is_other = (
        (not request["sha256"] and request["path"] and not endpoint.same(endpoint.located(request["path"]), found.path))
        or (request["sha256"] and request["sha256"] != found.sha256)
        or (request["started"] and request["started"][:19] != found.started[:19])
    )
    if is_other:
        return "mismatch", f"pid {found.pid} is another process", [("kill_process", request["pid"], False)]
    endpoint.processes.remove(found)
    return "done", "killed", [("kill_process", request["pid"], True)]


def _delete(endpoint: Endpoint, request: dict[str, Any]) -> tuple[str, str, Effects]:
    path = endpoint.located(request["path"])
    found = endpoint.file(path)
    if path.startswith(("\\Device\\", "\\\\?\\")):
        return "mismatch", "which drive its volume is cannot be told here", [("delete_file", request["path"], False)]
    if is_vital_file(path):
        return "mismatch", "a system or sensor file: never touched by automation", [("delete_file", request["path"], False)]
    if found is None:
        return "absent", "no such file", [("delete_file", request["path"], False)]
    if found.locked:
        return "locked", "the file is locked or cannot be read", [("delete_file", request["path"], False)]
    if (request["sha256"] and request["sha256"] != found.sha256) or request.get("sha1", "") not in {"", found.sha1}:
        return "mismatch", "another file is at that path", [("delete_file", request["path"], False)]
    endpoint.files.remove(found)
    return "done", "deleted", [("delete_file", request["path"], True)]


def _delete_key(endpoint: Endpoint, request: dict[str, Any]) -> tuple[str, str, Effects]:
    target = "|".join(filter(None, (request["key"], request["value"])))
    if is_vital_key(request["key"], request["value"] or None):
        return "mismatch", "a vital registry key: never touched by automation", [("delete_registry_key", target, False)]
    is_gone = endpoint.unregister(request["key"], request["value"] or None)
    word = ("done", "deleted") if is_gone else ("absent", "no such key or value")
    return *word, [("delete_registry_key", target, is_gone)]


ORDERS = {"kill_unless_vital": _kill, "delete_file": _delete, "delete_confirmed_file": _delete, "delete_registry_key": _delete_key}
