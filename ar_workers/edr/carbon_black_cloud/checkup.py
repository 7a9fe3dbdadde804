"""What the access level of the organisation's API key must allow, permission by permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import Denied
from ..probes import Probe
from .devices import DEVICES, GROUPS, POLICIES
from .live_response import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import Answer, CloudAPI

#: A session that nobody has: "not found" for a key that may look for it.
_NOBODY = f"{SESSIONS}/00000000-0000-4000-8000-000000000000"
_OVERRIDES = "/appservices/v6/orgs/{org}/reputations/overrides/_search"
_SHELL = "kill process, delete file and delete registry key"


def devices(api: CloudAPI) -> Answer:
    """One device of the organisation, if it has any."""
    return api.post(f"{DEVICES}/_scroll", {"criteria": {}, "rows": 1})


def probes(api: CloudAPI, *, by_policy: bool) -> Iterator[Probe]:
    """Searches are reads. What a command needs inside a session shows only there."""
    yield Probe("device: READ", "every action", lambda: devices(api))
    if by_policy:
        yield Probe("org.policies: READ", "every action", lambda: api.get(POLICIES))
    else:
        yield Probe("group-management: READ", "every action", lambda: api.post(f"{GROUPS}/_search", {"rows": 1, "start": 0}))
    yield Probe("device.quarantine: EXECUTE", "isolate and release")
    yield Probe("org.reputations: READ", "ban hash", lambda: api.post(_OVERRIDES, {"rows": 1}))
    yield Probe("org.reputations: CREATE", "ban hash")
    yield Probe("org.reputations: DELETE", "unban hash")
    yield Probe("org.liveresponse.session: READ", _SHELL, lambda: api.get(_NOBODY), (Denied,))
    yield Probe("org.liveresponse.file: READ", "delete file", lambda: api.get(f"{_NOBODY}/files/1/content"), (Denied,))
    yield Probe("org.liveresponse.session: CREATE", _SHELL)
    yield Probe("org.liveresponse.file: DELETE, .process: READ and EXECUTE, .registry: READ and DELETE", _SHELL)
