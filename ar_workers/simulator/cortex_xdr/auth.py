"""Who is asking: standard keys as they are, advanced keys by a signature that is good for a quarter of an hour, or once."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time

from ..server import Request
from ..world import Credential, Tenant, World
from .envelope import Refusal
from .options import Options

_NONCE = re.compile(r"^[A-Za-z0-9]{64}$")


class Gate:
    """Knows the keys of every tenant. A tenant's `facts["security_level"]` says what kind its keys are."""

    def __init__(self, world: World, options: Options) -> None:
        self._world, self._options = world, options
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def known(self, request: Request) -> tuple[Tenant, Credential] | None:
        """The key that a call names by its id; nothing is checked yet."""
        auth_id = request.headers.get("x-xdr-auth-id", "")
        return self._world.holder(Options.vendor, lambda one: one.client_id == auth_id)

    def admit(self, request: Request) -> tuple[Tenant, Credential]:
        """401 for a wrong key, a wrong kind of key, an old time or, where it is strict, a nonce that was used before."""
        found = self.known(request)
        if found is None:
            raise Refusal(401, "Unauthorized")
        tenant, credential = found
        is_advanced = tenant.facts.get("security_level", "advanced") == "advanced"
        wanted = self._signature(request, credential.client_secret) if is_advanced else credential.client_secret
        if not hmac.compare_digest(request.headers.get("authorization", ""), wanted):
            raise Refusal(401, "Unauthorized")
        return tenant, credential

    def _signature(self, request: Request, key: str) -> str:
        """What the header must be. Clients sign by the wall's clock, not by ours."""
        nonce, timestamp = request.headers.get("x-xdr-nonce", ""), request.headers.get("x-xdr-timestamp", "")
        is_fresh = timestamp.isdecimal() and abs(int(timestamp) / 1000 - time.time()) <= self._options.signature_window
        with self._lock:
            if not _NONCE.match(nonce) or not is_fresh or (self._options.strict and nonce in self._used):
                raise Refusal(401, "Unauthorized")
            self._used.add(nonce)
        return hashlib.sha256(f"{key}{nonce}{timestamp}".encode()).hexdigest()
