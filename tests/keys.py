"""Keys that nobody else has: one folder of them for a session, which its processes inherit as AR_KEYS, and rings in memory. And a folder for the record."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ar_workers.domain.errors import KeyUnusable
from ar_workers.domain.seals import Role, Signed
from ar_workers.seals import keyring_of, seals_of
from ar_workers.seals.ring import TrustedKey, is_signed, new_key, trusted_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if "AR_KEYS" not in os.environ:
    os.environ["AR_KEYS"] = tempfile.mkdtemp(prefix="ar-test-keys-")
    atexit.register(shutil.rmtree, os.environ["AR_KEYS"], ignore_errors=True)

if "AR_AUDIT" not in os.environ:
    os.environ["AR_AUDIT"] = tempfile.mkdtemp(prefix="ar-test-audit-")
    atexit.register(shutil.rmtree, os.environ["AR_AUDIT"], ignore_errors=True)

FOLDER = Path(os.environ["AR_KEYS"])
keyring_of(os.environ).make()
SEALS = seals_of(os.environ)


@dataclass
class Ring:
    """`ports.Keyring` in memory."""

    own: dict[Role, Ed25519PrivateKey]
    trusted: dict[Role, TrustedKey]
    place: str = "the keyring of this test"

    def check(self, *roles: Role) -> None:
        if not {*roles} <= {*self.own}:
            raise KeyUnusable("no such key")

    def sign(self, role: Role, statement: bytes) -> Signed:
        self.check(role)
        return Signed(trusted_key(self.own[role], datetime.now(UTC)).id, self.own[role].sign(statement))

    def is_signed(self, role: Role, key_id: str, statement: bytes, signature: bytes) -> bool | None:
        known = self.trusted.get(role)
        return is_signed(known.raw, statement, signature) if known and known.id == key_id else None


def a_ring() -> Ring:
    """A key of every role."""
    own = {role: new_key() for role in Role}
    return Ring(own, {role: trusted_key(key, datetime.now(UTC)) for role, key in own.items()})
