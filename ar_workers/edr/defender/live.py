"""Live response: our two library scripts, the one argument that they take, and the one line that they answer."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from ...domain.endpoints import OS
from ...domain.errors import Denied, Unsupported
from ...domain.facts import Fact, Sight
from ...domain.keys import registry_problem
from ...domain.meant import unconfirmable
from ...domain.paths import path_problem, process_problem, vital_process
from ...domain.text import whole

if TYPE_CHECKING:
    from ...domain.indicators import File, Process, RegistryKey

#: What each system runs. The API runs scripts only, and only from the tenant's library.
SCRIPTS = {OS.WINDOWS: "ar_workers.ps1", OS.MACOS: "ar_workers.sh", OS.LINUX: "ar_workers.sh"}
#: All that an argument consists of: no shell reads anything into these characters, and JSON never begins with a dash.
_ALPHABET = re.compile(r"^ey[A-Za-z0-9_-]+$")
_SIGHTS = {"done": Sight.PRESENT, "absent": Sight.PRESENT, "mismatch": Sight.MISMATCH, "locked": Sight.LOCKED}


@dataclass(frozen=True)
class Script:
    """A script as it is shipped with this package."""

    name: str
    content: bytes

    @classmethod
    def named(cls, name: str) -> Script:
        """Read it from the package."""
        return cls(name, resources.files(__package__).joinpath("scripts", name).read_bytes())

    @property
    def sha256(self) -> str:
        """What the library shows of a file with just this content."""
        return hashlib.sha256(self.content).hexdigest()


def argument(verb: str, mark: str, **values: str) -> str:
    """The script's only argument: base64url of a JSON object of base64url texts, so that no value is ever read as code."""
    order = {"verb": verb, "mark": mark, **{name: _encoded(value.encode()) for name, value in values.items()}}
    text = json.dumps(order, separators=(",", ":"))
    found = _encoded(text.encode())
    if not _ALPHABET.match(found):
        raise Denied("argument cannot be written safely for live response")
    return found


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def process_values(process: Process) -> dict[str, str]:
    """What tells the process. Raises Denied with the reason for one that must not be killed."""
    _refuse(process_problem(process))
    return {
        "pid": str(process.pid),
        "path": process.image_path or "",
        "sha256": process.sha256 or "",
        "started": str(int(process.started_at.timestamp())) if process.started_at else "",
    }


def file_values(file: File, os: OS) -> dict[str, str]:
    """What tells the file. Raises Denied with the reason for one that must not be deleted, Unsupported for one that it cannot confirm."""
    _refuse(path_problem(file.path, os))
    problem = unconfirmable(file)
    if problem:
        raise Unsupported(problem)
    return {"path": file.path, "sha256": file.sha256 or ""}


def registry_values(registry: RegistryKey) -> dict[str, str]:
    """What tells the key or value. Raises Denied with the reason for one that must not be deleted."""
    _refuse(registry_problem(registry))
    return {"key": registry.key, "value": registry.value or ""}


def _refuse(problem: str | None) -> None:
    if problem:
        raise Denied(problem)


def outcome(result: dict[str, Any], mark: str) -> Fact:
    """What the script said. One that said nothing, or stopped with an error, has not done it as far as anybody can show."""
    said = _line(str(result.get("script_output") or ""), mark)
    if said is None:
        errors = whole(str(result.get("script_errors") or ""))
        return Fact(sight=Sight.REFUSED, evidence=f"the script ended with {result.get('exit_code')} and no result: {errors or 'no error'}")
    word, reason = str(said.get("outcome")), whole(str(said.get("reason") or ""))
    if word == "vital":
        return Fact(sight=Sight.MISMATCH, evidence=vital_process(reason))
    return Fact(sight=_SIGHTS.get(word, Sight.REFUSED), evidence=f"{word}: {reason}")


def _line(output: str, mark: str) -> dict[str, Any] | None:
    """The line that answers this very order; the rest of the output is the shell's own talk."""
    for line in output.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("mark") == mark:
            return found
    return None
