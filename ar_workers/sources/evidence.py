"""The indicators of one alert: each is validated by itself, so that one that cannot be read costs only itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..domain.endpoints import Endpoint
from ..domain.indicators import IOC, HashType
from ..domain.unread import Unread, glimpse, read_ioc
from .reading import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: The kernel's names of the hives, which some sensors report; with or without `\REGISTRY` before them.
_KERNEL_HIVE = re.compile(r"^(?:\\?registry\\)?(machine|user)\\", re.IGNORECASE)
_HIVES = {"machine": "HKLM\\", "user": "HKU\\"}


class Evidence:
    """Collects what an alert names. `malicious` is the vendor's verdict on that very thing: only then may it be acted on.

    What is seen twice is kept once, with the graver verdict.
    """

    def __init__(self, where: Endpoint | Unread | None) -> None:
        self._agent_id = where.agent_id if isinstance(where, Endpoint) else None
        self._found: dict[tuple[str, str], IOC] = {}
        self._unread: dict[Unread, None] = {}

    @property
    def iocs(self) -> list[IOC]:
        """What was found, in the order of the record."""
        return list(self._found.values())

    @property
    def unread(self) -> list[Unread]:
        """What could not be read."""
        return list(self._unread)

    def image(self, hashes: Mapping[HashType, Any], *, path: Any = None, malicious: bool) -> None:
        """A file by its content, and by its path where that is more than a name."""
        good = self._good(hashes, noted=True)
        if good:
            self._add({"type": "hash", **good}, malicious=malicious)
        if is_path(path):
            content = {"sha256": good.get(HashType.SHA256), "sha1": good.get(HashType.SHA1)}
            self._add({"type": "file", "path": path, **content}, malicious=malicious)

    def process(
        self, pid: Any, hashes: Mapping[HashType, Any], *, path: Any = None, started_at: datetime | None = None, malicious: bool
    ) -> None:
        """A process by the endpoint's own pid. Pid 0 is how some vendors write that they know none."""
        if pid in {None, "", "0"} if isinstance(pid, str | None) else pid == 0:
            return
        sha256 = self._good(hashes, noted=False).get(HashType.SHA256)
        indicator = {"type": "process", "pid": number_of(pid), "image_path": path or None, "sha256": sha256, "started_at": started_at}
        self._add(indicator, malicious=malicious, shown=pid)

    def domain(self, name: Any, *, malicious: bool) -> None:
        """A domain, or the host part of a URL."""
        if name is None or name == "":
            return
        self._add({"type": "domain", "domain": name}, malicious=malicious, shown=name)

    def registry(self, key: Any, value: Any = None, *, malicious: bool) -> None:
        """A registry key, or one value of it."""
        if key is None or key == "":
            return
        short = _KERNEL_HIVE.sub(lambda found: _HIVES[found[1].lower()], key) if isinstance(key, str) else key
        self._add({"type": "registry", "key": short, "value": value or None}, malicious=malicious, shown=key)

    def _good(self, hashes: Mapping[HashType, Any], *, noted: bool) -> dict[str, str]:
        """The hashes that are some; all zeros means that none was computed."""
        good: dict[str, str] = {}
        for kind, value in hashes.items():
            if value is None or (isinstance(value, str) and not value.strip("0 ")):
                continue
            found = read_ioc({"indicator": {"type": "hash", kind: value}})
            if isinstance(found, IOC):
                good[kind] = value
            elif noted:
                self._unread[found] = None
        return good

    def _add(self, indicator: dict[str, Any], *, malicious: bool, shown: Any = None) -> None:
        ioc = read_ioc({"indicator": indicator, "confirmed_malicious": malicious, "safe_to_act": malicious, "agent_id": self._agent_id})
        if isinstance(ioc, Unread):
            self._unread[ioc if shown is None else Unread(kind=ioc.kind, shown=glimpse(shown), reason=ioc.reason)] = None
            return
        identity = (ioc.indicator.type, ioc.indicator.target)
        if malicious or identity not in self._found:
            self._found[identity] = ioc


def is_path(value: object) -> bool:
    """Whether this is more than a file's name."""
    return isinstance(value, str) and ("\\" in value or "/" in value)
