"""What Defender's app must be allowed to do: by the roles in its own token, and by reads where the token does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import AuthRefused, Denied, EndpointNotFound
from ..probes import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .api import DefenderAPI

#: The empty file: whoever may ask is told of it, or that it is not known.
_EMPTY = "/api/files/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_ONE = {"$top": "1"}
#: Roles that only acting would show -> the actions that need them.
_ACTING = {
    "Machine.Isolate": "isolate and release",
    "Machine.StopAndQuarantine": "quarantine file",
    "Machine.LiveResponse": "kill process, delete file and delete registry key",
}


def probes(api: DefenderAPI, scripts: Callable[[], str]) -> Iterator[Probe]:
    """`scripts` looks whether the library holds our scripts."""
    roles = api.roles()
    yield Probe("Machine.Read.All", "every action", lambda: next(api.pages("/api/machines", **_ONE), None))
    for role, serves in _ACTING.items():
        yield Probe(role, serves, _held(role, roles) if roles else None)
    yield Probe("Ti.ReadWrite.All", "ban hash and ban domain, and to unban them", lambda: next(api.pages("/api/indicators", **_ONE), None))
    yield Probe("File.Read.All", "quarantine file", lambda: api.get(_EMPTY), (EndpointNotFound, Denied))
    yield Probe("Library.Manage", _ACTING["Machine.LiveResponse"], lambda: next(api.pages("/api/libraryfiles"), None))
    yield Probe("live response scripts", _ACTING["Machine.LiveResponse"], scripts)


def _held(role: str, roles: frozenset[str]) -> Callable[[], str]:
    def look() -> str:
        if role not in roles:
            raise AuthRefused(f"the token carries no role {role}")
        return "the token carries the role"

    return look
