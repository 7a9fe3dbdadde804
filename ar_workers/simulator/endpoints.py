"""A pretend endpoint: what it runs and stores, and how its isolation moves as it checks in."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from .documents import fields_of
from .languages import LANGUAGES

STATUSES = frozenset({"normal", "containment_pending", "contained", "lift_containment_pending"})
PLATFORMS = frozenset({"Windows", "Mac", "Linux"})
SETTLES_AS = {"containment_pending": "contained", "lift_containment_pending": "normal"}


class Switch(NamedTuple):
    """One way of changing an endpoint's isolation: the verb in the journal, the status until its check-in, and the one after."""

    verb: str
    pending: str
    settled: str


ISOLATE = Switch("isolate", "containment_pending", "contained")
RELEASE = Switch("release", "lift_containment_pending", "normal")


#: The volumes of an endpoint of which nothing else is said: device -> drive.
VOLUMES = {"\\Device\\HarddiskVolume3": "C:", "\\Device\\HarddiskVolume5": "D:"}


def hash_of(kind: str, seed: str) -> str:
    """A believable hash for things whose content nobody described."""
    return hashlib.new(kind, seed.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Process:
    pid: int
    path: str
    sha256: str = ""
    started: str = "2024-01-01T00:00:00.000000Z"
    command_line: str = ""

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hash_of("sha256", self.path)

    @property
    def name(self) -> str:
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]


@dataclass
class StoredFile:
    path: str
    sha256: str = ""
    md5: str = ""
    size: int = 1024
    sha1: str = ""
    #: Somebody holds it: its name shows, and it is neither read nor deleted.
    locked: bool = False

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hash_of("sha256", self.path)
        self.md5 = self.md5 or hash_of("md5", self.path)
        self.sha1 = self.sha1 or hash_of("sha1", self.path)


@dataclass
class Endpoint:
    """One sensor. `status` is in Falcon's words, and each twin says it in its vendor's.

    `check_in_delay` is in virtual seconds; an offline endpoint does not check in.
    """

    agent_id: str
    hostname: str
    platform: str = "Windows"
    os_version: str = "Windows 11"
    #: That of its system and its shell.
    language: str = "en"
    product_type_desc: str = "Workstation"
    groups: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    online: bool = True
    status: str = "normal"
    check_in_delay: float = 2.0
    decommissioned: bool = False
    local_ip: str = "10.0.0.10"
    external_ip: str = "192.0.2.10"
    first_seen: str = "2024-01-01T00:00:00Z"
    last_seen: str = ""
    processes: list[Process] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    registry: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Whatever else a vendor's twin shows of an endpoint.
    facts: dict[str, Any] = field(default_factory=dict)
    settles_at: float | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"{self.hostname}: unknown status {self.status!r}")
        if self.platform not in PLATFORMS:
            raise ValueError(f"{self.hostname}: unknown platform {self.platform!r}")
        if self.language not in LANGUAGES:
            raise ValueError(f"{self.hostname}: unknown language {self.language!r}")

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Endpoint:
        """Build from JSON; `files` may also be written {path: {sha256, md5}}."""
        plain = fields_of(cls, document, "unknown endpoint fields")
        files = plain.get("files") or []
        if isinstance(files, dict):
            files = [{"path": path, **facts} for path, facts in files.items()]
        plain["files"] = [StoredFile(**one) for one in files]
        plain["processes"] = [Process(**one) for one in plain.get("processes") or []]
        plain["registry"] = {key: dict(values) for key, values in (plain.get("registry") or {}).items()}
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def folds_case(self) -> bool:
        return self.platform != "Linux"

    def same(self, one: str, other: str) -> bool:
        return one.casefold() == other.casefold() if self.folds_case else one == other

    def process(self, pid: int) -> Process | None:
        return next((one for one in self.processes if one.pid == pid), None)

    def file(self, path: str) -> StoredFile | None:
        return next((one for one in self.files if self.same(one.path, path)), None)

    def located(self, path: str) -> str:
        """A path by its drive, where it names a volume by its device (`facts["volumes"]`) or is below Windows' own folder."""
        for name, at in {"\\SystemRoot": "C:\\Windows", **self.facts.get("volumes", VOLUMES)}.items():
            if self.same(path[: len(name) + 1], name + "\\"):
                return str(at) + path[len(name) :]
        return path

    def files_under(self, folder: str) -> list[StoredFile]:
        separator = "\\" if self.platform == "Windows" else "/"
        stem = folder.rstrip(separator) + separator
        return [one for one in self.files if self.same(one.path[: len(stem)], stem)]

    def content(self, file: StoredFile) -> bytes:
        """What is in a file: its path, of which an undescribed file's hash is made, unless `facts["contents"]` says otherwise."""
        return str(self.facts.get("contents", {}).get(file.path, file.path)).encode()

    def registry_key(self, key: str) -> str | None:
        """The key as it is written in the registry, which does not mind upper and lower case."""
        wanted = long_hive(key).casefold().rstrip("\\")
        return next((one for one in self.registry if long_hive(one).casefold() == wanted), None)

    def kill(self, pid: int) -> bool:
        """End a process; whether it ran."""
        found = self.process(pid)
        if found:
            self.processes.remove(found)
        return found is not None

    def is_locked(self, path: str) -> bool:
        """Whether there is a file that nobody can read or delete."""
        found = self.file(path)
        return found is not None and found.locked

    def delete(self, path: str) -> bool:
        """Delete a file; whether it is gone now, and was there."""
        found = self.file(path)
        if found is None or found.locked:
            return False
        self.files.remove(found)
        return True

    def registry_value(self, key: str, name: str) -> tuple[str, str] | None:
        """A key and its value as they are written; None where either is missing."""
        found = self.registry_key(key)
        values = self.registry.get(found or "", {})
        return next(((found, one) for one in values if found is not None and one.casefold() == name.casefold()), None)

    def unregister(self, key: str, name: str | None = None) -> bool:
        """Delete a key, or only the value of this name; whether it was there."""
        found = self.registry_key(key)
        value = self.registry_value(key, name) if name is not None else None
        if found is None or (name is not None and value is None):
            return False
        if value is None:
            del self.registry[found]
        else:
            del self.registry[found][value[1]]
        return True

    def move_to(self, pending: str, *, now: float) -> None:
        """Begin a change of isolation; it settles one check-in later, or never while offline."""
        self.status = pending
        self.settles_at = now + self.check_in_delay if self.online else None

    def settle(self, now: float) -> None:
        """Let the check-ins that happened up to `now` take effect."""
        if self.online:
            self.last_seen = ""
        if self.settles_at is not None and now >= self.settles_at:
            self.status = SETTLES_AS.get(self.status, self.status)
            self.settles_at = None

    def go_offline(self, *, seen: str) -> None:
        self.online, self.last_seen, self.settles_at = False, seen, None

    def come_back(self, *, now: float) -> None:
        self.online, self.last_seen = True, ""
        if self.status in SETTLES_AS:
            self.settles_at = now + self.check_in_delay


HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}


def long_hive(key: str) -> str:
    hive, separator, rest = key.partition("\\")
    return HIVES.get(hive.upper().rstrip(":"), hive) + separator + rest
