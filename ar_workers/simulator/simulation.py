"""The whole pretend world, started on loopback ports: twins, inboxes, journal, faults, clock."""

from __future__ import annotations

import ssl
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from .clock import VirtualClock
from .faults import FaultPlan
from .inbox import Place
from .inboxes import INBOXES
from .journal import Journal
from .server import Server
from .world import World


def twin_of(vendor: str) -> Any:
    """The twin that the module of this name here says is its `TWIN`. Raises ValueError for a vendor that has none."""
    name = f"{__package__}.{vendor}"
    twin = getattr(import_module(name), "TWIN", None) if vendor.isidentifier() and find_spec(name) else None
    if twin is None:
        raise ValueError(f"there is no twin of {vendor!r}: {name} has no TWIN")
    return twin


class Simulation:
    """Everything at the other end of the wire: of each vendor that has tenants its twin, and every inbox.

    `ports` fixes ports by name, which are those of `addresses`. With a folder for its `authority` the certificates are signed
    by the same one after a restart; without, each run has its own.
    """

    def __init__(
        self,
        world: World,
        *,
        speed: float = 1.0,
        journal: Path | None = None,
        ports: dict[str, int] | None = None,
        seed: int = 0,
        authority: Path | None = None,
    ) -> None:
        twins = {vendor: twin_of(vendor) for vendor in sorted({tenant.vendor for tenant in world.tenants.values()})}
        self.world = world
        self.clock = world.clock = VirtualClock(speed=speed)
        self.journal = Journal(self.clock, journal)
        self.faults = FaultPlan(seed=seed)
        self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
        self.ca_pem, tls = self._certificates(authority or Path(self._folder.name))
        place = Place(journal=self.journal, faults=self.faults, clock=self.clock, tls=tls, ports=ports or {})
        self.twins: dict[str, Server] = {
            vendor: place.over_http(vendor, twin(world, self.clock, self.journal), tls=False) for vendor, twin in twins.items()
        }
        self._settings = {name: {**each.settings, **world.inboxes.get(name, {})} for name, each in INBOXES.items()}
        self.inboxes: dict[str, Any] = {}
        for name, each in INBOXES.items():
            self.inboxes |= each.servers(place, **self._settings[name])

    @staticmethod
    def _certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
        path, key = folder / "ca.pem", folder / "ca.key"
        authority = trustme.CA.from_pem(path.read_bytes(), key.read_bytes()) if key.exists() else trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        authority.cert_pem.write_to_path(str(path))
        authority.private_key_pem.write_to_path(str(key))
        return path, context

    def start(self) -> Self:
        for server in self._servers():
            server.start()
        return self

    def stop(self) -> None:
        for server in self._servers():
            server.stop()
        self.journal.close()
        self._folder.cleanup()

    def addresses(self) -> dict[str, Any]:
        """Where everything listens, and the inboxes' pretend secrets."""
        found: dict[str, Any] = {vendor: server.url for vendor, server in self.twins.items()}
        for each in INBOXES.values():
            found |= each.addresses(self.inboxes)
        return {**found, "ca_pem": str(self.ca_pem), "inboxes": self._settings}

    def _servers(self) -> list[Any]:
        return [*self.twins.values(), *self.inboxes.values()]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
