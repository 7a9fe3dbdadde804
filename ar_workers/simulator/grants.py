"""What a vendor remembers of the tokens that it gave out."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .server import Request
from .world import Credential, Tenant


@dataclass(frozen=True)
class Grant:
    """A token that was given out."""

    tenant: Tenant
    credential: Credential
    expires: float


class Grants:
    """The tokens by what they say; one that has expired is still known."""

    def __init__(self) -> None:
        self._given: dict[str, Grant] = {}
        self._lock = threading.Lock()

    def give(self, token: str, grant: Grant) -> None:
        with self._lock:
            self._given[token] = grant

    def revoke(self, token: str) -> None:
        with self._lock:
            self._given.pop(token, None)

    def of(self, request: Request) -> Grant | None:
        """The grant of the call's bearer."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            return self._given.get(bearer) if scheme.lower() == "bearer" else None
