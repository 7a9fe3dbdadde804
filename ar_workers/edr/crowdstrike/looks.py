"""What Real Time Response shows of a process, a file or a registry entry, as Facts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ...domain.errors import Unreadable, VendorFault
from ...domain.facts import Fact, Sight
from ...domain.meant import not_meant
from ...domain.paths import image_name
from ...domain.volumes import is_bare, split
from .absence import is_there, is_unregistered
from .rtr import WINDOWS_ITSELF, drive_in, folder_in, is_quotable, name_in, path_in, process_line, sha256_in

if TYPE_CHECKING:
    from ...domain.indicators import Process
    from .rtr import Shell


def process_fact(shell: Shell, process: Process) -> Fact:
    """By `ps`; a process of this pid is the one meant only if its image, hash or start time confirms it."""
    listing = shell.look("ps")
    if not listing.stdout.strip():
        raise VendorFault("RTR ps: it shows no process, which no running system does")
    line = process_line(listing.stdout, process.pid)
    if line is None:
        return Fact(sight=Sight.PRESENT, evidence=f"no process {process.pid}")
    path = path_in(line)
    image = path or name_in(line)
    reason = _not_meant(shell, process, line, image) if image else "its image is not shown"
    if reason:
        return Fact(sight=Sight.MISMATCH, evidence=f"pid {process.pid} is not confirmed to be the malicious process: {reason}")
    return Fact(sight=Sight.ABSENT, evidence=f"pid {process.pid} runs {image}", image=image, handle=shell.session_id)


def _not_meant(shell: Shell, process: Process, line: str, image: str) -> str | None:
    """Why the process in `line` is not, or cannot be shown to be, the one that is meant. A hash outweighs a name."""
    return not_meant(process, image, sha256=lambda: _image_hash(shell, process, image), started=lambda: _instant_in(line))


def _image_hash(shell: Shell, process: Process, image: str) -> str:
    """The hash of the image that is shown; where that is only a name, of the file of this name that the order names."""
    path = process.image_path or "" if is_bare(image) and image_name(process.image_path or "") == image_name(image) else image
    path = path if split(path) is None else drive_path(shell, path) or ""
    if is_bare(path) or not is_quotable(path):
        return ""
    return sha256_in(shell.look("filehash", path).stdout)


def _instant_in(line: str) -> datetime | None:
    for word in line.split():
        try:
            found = datetime.fromisoformat(word)
        except ValueError:
            continue
        if found.tzinfo:
            return found
    return None


def drive_path(shell: Shell, path: str) -> str | None:
    """A path on a volume without a letter, as the endpoint's own shell tells the drive; None if it does not."""
    found = split(path)
    if found is None:
        return path
    output = shell.look("reg query", WINDOWS_ITSELF, "SystemRoot") if found.is_system_root else shell.look("mount")
    at = folder_in(output.stdout) if found.is_system_root else drive_in(output.stdout, found.volume)
    return at + found.tail if at else None


def file_fact(shell: Shell, path: str, sha256: str | None) -> Fact:
    """By `filehash`: there with the content that is meant, or another file; and where it tells none, by what its folder lists.

    Raises Unreadable for a file that is there, or may be, and whose content nobody can tell.
    """
    output = shell.look("filehash", path)
    found = sha256_in(output.stdout)
    if not found and not is_there(shell, path):
        return Fact(sight=Sight.PRESENT, evidence="no file at that path")
    if not found and (sha256 or output.stderr):
        raise Unreadable(f"the file is locked or cannot be read: {output.stderr or 'no hash shown'}")
    if sha256 and found != sha256:
        return Fact(sight=Sight.MISMATCH, evidence="another file is at that path now: its SHA-256 differs")
    return Fact(sight=Sight.ABSENT, evidence=f"the file is there, sha256 {found or 'unknown'}", handle=shell.session_id)


def registry_fact(shell: Shell, arguments: tuple[str, ...]) -> Fact:
    """By `reg query`, whose failure is absence only if the same endpoint says the same of what surely is not there."""
    output = shell.look("reg query", *arguments)
    if not output.stderr:
        return Fact(sight=Sight.ABSENT, evidence="the registry entry is there", handle=shell.session_id)
    if is_unregistered(shell, arguments, output.stderr):
        return Fact(sight=Sight.PRESENT, evidence="no such registry entry")
    raise VendorFault(f"RTR reg query: {output.stderr}")
