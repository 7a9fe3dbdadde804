"""What an inbox says of itself in its `INBOX`, so that the simulation can start it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .clock import VirtualClock
from .faults import FaultPlan
from .journal import Journal
from .server import Server, Twin


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where inboxes are started. `ports` fixes ports by name."""

    journal: Journal
    faults: FaultPlan
    clock: VirtualClock
    tls: ssl.SSLContext
    ports: dict[str, int]

    def over_http(self, name: str, twin: Twin, *, tls: bool) -> Server:
        """A server of its own for the twin."""
        port, context = self.ports.get(name, 0), self.tls if tls else None
        return Server(twin, journal=self.journal, faults=self.faults, port=port, tls=context, clock=self.clock)


class Inbox(NamedTuple):
    """How it is started, where it then listens, and its pretend secrets unless the world names others."""

    #: (place, **settings) -> what is started and stopped, by name.
    servers: Callable[..., dict[str, Any]]
    #: The servers, as `servers` gave them -> name -> address.
    addresses: Callable[..., dict[str, str]]
    settings: dict[str, Any]


def over_https(name: str, twin: Callable[..., Twin], *, path: str = "", **settings: Any) -> Inbox:
    """An inbox that is one twin behind one HTTPS server, made of the journal and its settings."""
    return Inbox(
        lambda place, **own: {name: place.over_http(name, twin(place.journal, **own), tls=True)},
        lambda servers: {name: f"{servers[name].url}{path}"},
        settings,
    )
