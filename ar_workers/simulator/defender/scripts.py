"""What the scripts of a remediation tool do on a pretend machine, told by the one argument that they take.

They are not run: no pretend machine has a shell. The argument is base64url of a JSON object with `verb`, `mark` and
base64url texts; the answer is one line of JSON. What stands behind a shell's separator is another command, and is
carried out and journaled as one: that is how a test sees what a client lets slip into an argument.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..endpoints import Endpoint
from ..languages import Says
from ..vital import is_vital_file, is_vital_key, vital

#: What ends a word or a command in PowerShell or in a POSIX shell.
SEPARATORS = re.compile(r"[;&|\n\r`]|\$\(")

Values = dict[str, str]
Effect = tuple[str, str, bool]


@dataclass
class Output:
    """What a script printed, and which effects it had: (verb, target, changed)."""

    text: str = ""
    errors: str = ""
    code: int = 0
    effects: list[Effect] = field(default_factory=list)


def run(endpoint: Endpoint, arguments: str) -> Output:
    first, *others = SEPARATORS.split(arguments)
    output = _run(endpoint, first.strip())
    output.effects += [("other_command", one.strip(), True) for one in others if one.strip()]
    return output


def _run(endpoint: Endpoint, argument: str) -> Output:
    try:
        order: Values = json.loads(_decoded(argument))
        mark, verb = order.pop("mark"), order.pop("verb")
        word, effect = VERBS[verb](endpoint, {name: _decoded(text).decode() for name, text in order.items()})
        outcome, _, reason = word.partition(" ")
    except (ValueError, KeyError, AttributeError) as error:
        return Output(errors=f"{type(error).__name__}", code=1)
    answer = json.dumps({"mark": mark, "outcome": outcome, "reason": reason or "pretended"})
    return Output(text=f"{Says.BEGUN.to(endpoint.language)}\n{answer}\n", effects=[(verb, *effect)] if effect else [])


def _decoded(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


#: The outcome, with a reason where the script's own is read; and the effect.
Done = tuple[str, tuple[str, bool] | None]


def kill_process(endpoint: Endpoint, values: Values) -> Done:
    found = endpoint.process(int(values["pid"]))
    if found is None:
        return "absent", (values["pid"], False)
    if vital(found.path):
        return f"vital {vital(found.path)}", None
    if values["sha256"] and endpoint.is_locked(found.path):
        return "locked its image is locked or cannot be read", None
    wrong_path = not values["sha256"] and values["path"] and not endpoint.same(endpoint.located(values["path"]), found.path)
    wrong_hash = values["sha256"] and values["sha256"] != found.sha256
    if wrong_path or wrong_hash:
        return "mismatch", None
    endpoint.processes.remove(found)
    return "done", (values["pid"], True)


def delete_file(endpoint: Endpoint, values: Values) -> Done:
    path = endpoint.located(values["path"])
    found = endpoint.file(path)
    if path.startswith(("\\Device\\", "\\\\?\\")):
        return "mismatch which drive its volume is cannot be told here", None
    if found is None:
        return "absent", (values["path"], False)
    if is_vital_file(path):
        return "mismatch a system or sensor file: never touched by automation", None
    if found.locked:
        return "locked the file is locked or cannot be read or deleted", None
    if values["sha256"] and values["sha256"] != found.sha256:
        return "mismatch", None
    endpoint.files.remove(found)
    return "done", (found.path, True)


def delete_registry_key(endpoint: Endpoint, values: Values) -> Done:
    target = "|".join(filter(None, (values["key"], values["value"])))
    if is_vital_key(values["key"], values["value"] or None):
        return "mismatch a vital registry key: never touched by automation", None
    is_gone = endpoint.unregister(values["key"], values["value"] or None)
    return ("done" if is_gone else "absent"), (target, is_gone)


VERBS: dict[str, Callable[[Endpoint, Values], Done]] = {
    "kill_process": kill_process,
    "delete_file": delete_file,
    "delete_registry_key": delete_registry_key,
}
