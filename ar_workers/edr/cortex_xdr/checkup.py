"""What the role of Cortex's API key must allow, permission by permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..probes import Probe
from .fleet import look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import CortexAPI
    from .scripts import Scripts

_SHELL = "kill process, delete file and delete registry key"


def probes(api: CortexAPI, scripts: Scripts, blocklist_route: str | None) -> Iterator[Probe]:
    """Endpoints, scripts and, where the tenant can show it, the block list are read; the rest shows only when it is used."""
    yield Probe("View endpoints", "every action", lambda: look(api))
    yield Probe("Isolate", "isolate and release")
    yield Probe("Quarantine", "quarantine file and unquarantine file")
    yield Probe("Block list", "ban hash and unban hash", (lambda: api.read(blocklist_route, {})) if blocklist_route else None)
    yield Probe("Scripts: view", _SHELL, scripts.look_up)
    yield Probe("Scripts: run standard and high-risk scripts", _SHELL)
