"""What the user of Carbon Black EDR's token must be, and what its server must have switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import Denied
from ..probes import Probe
from .live_response import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import ResponseAPI

INFO = "/api/info"
_SHELL = "kill process, delete file and delete registry key"


def probes(api: ResponseAPI) -> Iterator[Probe]:
    """The server has roles rather than permissions, and says of few routes what they want."""
    yield Probe("View sensor groups", "every action", lambda: api.rows("/api/v3/group"))
    yield Probe("View the ban list", "ban hash", lambda: api.rows("/api/v1/banning/blacklist", count=1))
    yield Probe("Live Response", _SHELL, lambda: api.rows(SESSIONS))
    yield Probe("Banning switched on at the server", "ban hash", lambda: _banning(api))
    yield Probe("Isolate sensors", "isolate and release")
    yield Probe("Ban hashes", "ban hash and unban hash")


def _banning(api: ResponseAPI) -> None:
    if api.document(INFO).get("banningEnabled") is False:
        raise Denied("banning is switched off on the server: a ban would block nothing")
