"""What the endpoint itself shows of a process, a file or a registry key, through Live Response."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...domain.errors import Denied, Unreadable, Unsupported, VendorFault
from ...domain.facts import Fact, Sight
from ...domain.instants import instant_of
from ...domain.keys import hive_problem
from ...domain.meant import not_meant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...domain.indicators import File, Process, RegistryKey
    from .live_response import Session


def process_fact(session: Session, process: Process) -> Fact:
    """By `process list`; a process that is there is the one meant only if its image confirms it."""
    listing = session.read("process list")
    if not listing.is_complete or not listing.rows("processes"):
        raise VendorFault(f"Live Response process list: {listing.said}")
    found = next((row for row in listing.rows("processes") if _of(row, "pid") == process.pid), None)
    if found is None:
        return Fact(sight=Sight.PRESENT, evidence=f"no process {process.pid}")
    path = str(_of(found, "path") or "")
    reason = _not_meant(session, process, found, path)
    if reason:
        return Fact(sight=Sight.MISMATCH, evidence=f"pid {process.pid} is not confirmed to be the malicious process: {reason}")
    return Fact(sight=Sight.ABSENT, evidence=f"pid {process.pid} runs {path}", image=path, handle=session.id)


def _of(row: Mapping[str, Any], name: str) -> Any:
    """v6 writes `process_pid`; the SDK's own examples write `pid`."""
    return row.get(f"process_{name}", row.get(name))


def _not_meant(session: Session, process: Process, row: Mapping[str, Any], path: str) -> str | None:
    """Why the process is not, or cannot be shown to be, the one that is meant. A hash outweighs a name."""
    if not path:
        return "its image is not shown"
    start = _of(row, "create_time")
    return not_meant(process, path, sha256=lambda: session.sha256_of(path)[1], started=lambda: started_at(start))


def started_at(value: object) -> datetime | None:
    """A start time: ISO 8601, or a number whose unit and beginning are not documented. One without an offset is of UTC."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and not value.isdigit() else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and not found.tzinfo else instant_of(value)


def file_fact(session: Session, file: File) -> Fact:
    """By its content where the SHA-256 is known, else by the listing of its folder."""
    return _content_fact(session, file.path, file.sha256) if file.sha256 else _listed_fact(session, file.path)


def _content_fact(session: Session, path: str, sha256: str) -> Fact:
    command, found = session.sha256_of(path)
    if command.is_absent:
        return Fact(sight=Sight.PRESENT, evidence="no file at that path")
    if not found:
        reason = "it could not be fetched" if command.is_complete else command.said
        raise Unreadable(f"the file is locked or cannot be read: {reason}")
    if found != sha256:
        return Fact(sight=Sight.MISMATCH, evidence="another file is at that path now: its SHA-256 differs")
    return Fact(sight=Sight.ABSENT, evidence=f"the file is there, sha256 {found}", handle=session.id)


def _listed_fact(session: Session, path: str) -> Fact:
    cut = max(path.rfind("\\"), path.rfind("/")) + 1
    listing = session.read("directory list", path=path[:cut])
    if listing.is_absent:
        return Fact(sight=Sight.PRESENT, evidence="no such folder")
    if not listing.is_complete:
        raise VendorFault(f"Live Response directory list: {listing.said}")
    found = next((row for row in listing.rows("files") if _is_named(row, path[cut:], is_exact="/" in path)), None)
    if found is None:
        return Fact(sight=Sight.PRESENT, evidence="no file at that path")
    if "DIRECTORY" in (found.get("attributes") or []):
        return Fact(sight=Sight.MISMATCH, evidence="a folder is at that path, not a file")
    return Fact(sight=Sight.ABSENT, evidence="the file is there, its content unknown", handle=session.id)


def _is_named(row: Mapping[str, Any], name: str, *, is_exact: bool) -> bool:
    shown = str(row.get("filename") or "")
    return shown == name if is_exact else shown.casefold() == name.casefold()


def registry_path(registry: RegistryKey) -> str:
    """The path of the key, or of its value.

    Raises Denied for a value with a backslash, which would name another key's, Unsupported for a user's own hive.
    """
    hive = hive_problem(registry)
    if hive:
        raise Unsupported(hive)
    if registry.value and "\\" in registry.value:
        raise Denied("a value with a backslash in its name cannot be told from another key's value")
    return f"{registry.key}\\{registry.value}" if registry.value else registry.key


def registry_fact(session: Session, path: str, *, is_value: bool) -> Fact:
    """By `reg query value`, or `reg enum key` for a whole key."""
    name = "reg query value" if is_value else "reg enum key"
    command = session.read(name, path=path)
    if command.is_absent:
        return Fact(sight=Sight.PRESENT, evidence="no such registry entry")
    if not command.is_complete:
        raise VendorFault(f"Live Response {name}: {command.said}")
    if command.body.get("sub_keys"):
        # Each would need an order of its own, and none of them was confirmed to be malicious.
        return Fact(sight=Sight.REFUSED, evidence="the key has subkeys, and Live Response deletes only a key without: name the deepest")
    return Fact(sight=Sight.ABSENT, evidence="the registry entry is there", handle=session.id)
