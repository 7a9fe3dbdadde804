"""What Falcon's API client must be allowed to do, scope by scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import Denied, EndpointNotFound
from ..probes import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import FalconAPI

#: A request id that nobody was given: "not found" for a client that may ask.
_NOBODY = {"cloud_request_id": "00000000-0000-4000-8000-000000000000", "sequence_id": 0}
_COMMAND = "/real-time-response/entities/command/v1"
_ACTIVE_COMMAND = "/real-time-response/entities/active-responder-command/v1"
_SHELL = "kill process, delete file and delete registry key"


def probes(api: FalconAPI) -> Iterator[Probe]:
    """The read scopes by a read of theirs. That of active responder commands asks for the write scope (Falcon's OpenAPI)."""
    unknown = (Denied, EndpointNotFound)
    yield Probe("Hosts: read", "every action", lambda: api.get("/devices/combined/devices/v1", limit=1))
    yield Probe("Host groups: read", "every action", lambda: api.get("/devices/combined/host-groups/v1", limit=1))
    yield Probe("Hosts: write", "isolate and release")
    yield Probe("IOC Management: read", "ban hash and ban domain", lambda: api.get("/iocs/combined/indicator/v1", limit=1))
    yield Probe("IOC Management: write", "ban hash and ban domain, and to unban them")
    yield Probe("Real time response: read", _SHELL, lambda: api.get(_COMMAND, **_NOBODY), unknown)
    yield Probe("Real time response: write", _SHELL, lambda: api.get(_ACTIVE_COMMAND, **_NOBODY), unknown)
