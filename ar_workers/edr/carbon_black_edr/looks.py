"""What Live Response shows of a process, a file or a registry entry, as Facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.errors import Unreadable, VendorFault
from ...domain.facts import Fact, Sight
from ...domain.instants import instant_of
from ...domain.meant import SAME_START, not_meant
from .api import number
from .live_response import rows_of

if TYPE_CHECKING:
    from datetime import datetime

    from ...domain.endpoints import OS
    from ...domain.indicators import File, Process, RegistryKey
    from .live_response import Shell


def process_fact(shell: Shell, process: Process, os: OS) -> Fact:
    """By the list of processes; one of this pid is the one meant only if image or start time confirm it."""
    rows = rows_of(shell.look("process list"), "processes", "process list")
    if not rows:
        raise VendorFault("Live Response process list: it is empty, which no running system's is")
    row = next((each for each in rows if number(each.get("pid")) == process.pid), None)
    if row is None:
        return Fact(sight=Sight.PRESENT, evidence=f"no process {process.pid}")
    path = str(row.get("path") or "")
    reason = _not_meant(shell, process, row, os)
    if reason:
        return Fact(sight=Sight.MISMATCH, evidence=f"pid {process.pid} is not confirmed to be the malicious process: {reason}")
    return Fact(sight=Sight.ABSENT, evidence=f"pid {process.pid} runs {path}", image=path, handle=shell.session)


def _not_meant(shell: Shell, process: Process, row: dict[str, Any], os: OS) -> str | None:
    """Why the process in `row` is not, or cannot be shown to be, the one that is meant. A hash outweighs a name, and no start time."""
    path = str(row.get("path") or "")
    if not path:
        return "its image is not shown"
    started = _started(row)
    if process.started_at and started and abs(started - process.started_at) > SAME_START:
        return f"it started at {started.isoformat()}"
    return not_meant(process, path, sha256=lambda: _image_hash(shell, path, os), started=lambda: started)


def _image_hash(shell: Shell, image: str, os: OS) -> str:
    return shell.sha256_of(image) if shell.entry(image, os) else ""


def _started(row: dict[str, Any]) -> datetime | None:
    """`create_time` counts from 1970; zero means that the sensor does not know."""
    return instant_of(number(row.get("create_time")))


def file_fact(shell: Shell, file: File, os: OS) -> Fact:
    """By the list of its folder: absent, there with the content that is meant, or another file."""
    entry = shell.entry(file.path, os)
    if entry is None:
        return Fact(sight=Sight.PRESENT, evidence="no file at that path")
    if "DIRECTORY" in (entry.get("attributes") or []):
        return Fact(sight=Sight.MISMATCH, evidence="a folder is at that path")
    if file.sha256:
        found = shell.sha256_of(file.path)
        if not found:
            raise Unreadable("the file is locked or cannot be read: it could not be fetched")
        if found != file.sha256:
            return Fact(sight=Sight.MISMATCH, evidence="another file is at that path now: its SHA-256 differs")
    return Fact(sight=Sight.ABSENT, evidence=f"the file is there, sha256 {file.sha256 or 'not compared'}", handle=shell.session)


def registry_fact(shell: Shell, registry: RegistryKey) -> Fact:
    """By the values of the key."""
    found = shell.look("reg enum key", registry.key)
    gone = Fact(sight=Sight.PRESENT, evidence="no such registry entry")
    if found.says_absent:
        return gone
    values = rows_of(found, "values", "reg enum key")
    wanted = (registry.value or "").casefold()
    if wanted and not any(str(each.get("value_name")).casefold() == wanted for each in values):
        return gone
    return Fact(sight=Sight.ABSENT, evidence="the registry entry is there", handle=shell.session)
