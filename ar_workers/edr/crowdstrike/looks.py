"""What Real Time Response shows of a process, a file or a registry entry, as Facts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ...domain.errors import VendorFault
from ...domain.facts import Fact, Sight
from .rtr import is_quotable, name_in, path_in, process_line, sha256_in

if TYPE_CHECKING:
    from ...domain.indicators import Process
    from .rtr import Shell

#: Start times are compared to the second.
_SAME_START = timedelta(seconds=2)


def process_fact(shell: Shell, process: Process) -> Fact:
    """By `ps`; a process of this pid is the one meant only if its image, hash or start time confirms it."""
    listing = shell.read("ps")
    if not listing.complete or not listing.stdout.strip():
        raise VendorFault("RTR ps: the sensor has not answered in time")
    line = process_line(listing.stdout, process.pid)
    if line is None:
        return Fact(sight=Sight.PRESENT, evidence=f"no process {process.pid}")
    path = path_in(line)
    image = path or name_in(line)
    reason = _not_meant(shell, process, line, path) if image else "its image is not shown"
    if reason:
        return Fact(sight=Sight.MISMATCH, evidence=f"pid {process.pid} is not confirmed to be the malicious process: {reason}"[:300])
    return Fact(sight=Sight.ABSENT, evidence=f"pid {process.pid} runs {image}"[:300], image=image, handle=shell.session_id)


def _not_meant(shell: Shell, process: Process, line: str, path: str) -> str | None:
    """Why the process in `line` is not, or cannot be shown to be, the one that is meant. A hash outweighs a name."""
    if process.image_path and not _same_image(process.image_path, path, line):
        return f"its image is {path or 'another'}"
    image = path or process.image_path or ""
    if process.sha256 and is_quotable(image):
        hashed = shell.read("filehash", image)
        if not hashed.complete:
            raise VendorFault("RTR filehash: the sensor has not answered in time")
        found = sha256_in(hashed.stdout)
        if found:
            return None if found == process.sha256 else "its image has another SHA-256"
    if process.started_at:
        started = _instant_in(line)
        if started:
            return None if abs(started - process.started_at) <= _SAME_START else f"it started at {started.isoformat()}"
    return None if process.image_path and not process.sha256 else "neither hash nor start time could be read"


def _same_image(meant: str, shown: str, line: str) -> bool:
    if shown:
        return meant.replace("/", "\\").casefold() == shown.replace("/", "\\").casefold()
    return meant.replace("\\", "/").rsplit("/", 1)[-1].casefold() in line.casefold().split()


def _instant_in(line: str) -> datetime | None:
    for word in line.split():
        try:
            found = datetime.fromisoformat(word)
        except ValueError:
            continue
        if found.tzinfo:
            return found
    return None


def file_fact(shell: Shell, path: str, sha256: str | None) -> Fact:
    """By `filehash`: absent, there with the content that is meant, or another file."""
    output = shell.read("filehash", path)
    if not output.complete:
        raise VendorFault("RTR filehash: the sensor has not answered in time")
    if output.says_absent:
        return Fact(sight=Sight.PRESENT, evidence="no file at that path")
    found = sha256_in(output.stdout)
    if sha256 and not found:
        return Fact(sight=Sight.MISMATCH, evidence=f"the file's content cannot be confirmed: {output.stderr or 'no hash shown'}"[:300])
    if sha256 and found != sha256:
        return Fact(sight=Sight.MISMATCH, evidence="another file is at that path now: its SHA-256 differs")
    if output.stderr:
        raise VendorFault(f"RTR filehash: {output.stderr}")
    return Fact(sight=Sight.ABSENT, evidence=f"the file is there, sha256 {found or 'unknown'}", handle=shell.session_id)


def registry_fact(shell: Shell, arguments: tuple[str, ...]) -> Fact:
    """By `reg query`."""
    output = shell.read("reg query", *arguments)
    if not output.complete:
        raise VendorFault("RTR reg query: the sensor has not answered in time")
    if output.says_absent:
        return Fact(sight=Sight.PRESENT, evidence="no such registry entry")
    if output.stderr:
        raise VendorFault(f"RTR reg query: {output.stderr}")
    return Fact(sight=Sight.ABSENT, evidence="the registry entry is there", handle=shell.session_id)
