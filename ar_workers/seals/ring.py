"""Ed25519 keys, by the library `cryptography` (Apache-2.0 or BSD-3-Clause): nothing here is cryptography of our own.

It is loaded when the first seal is made or looked at: a command that only lists needs none of it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, TypeAdapter, model_validator

from ..domain.errors import KeyUnusable
from ..domain.model import Value
from ..domain.seals import SEALED_FOR, Role

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

#: Of the SHA-256 of a public key, in hex: enough to tell keys apart.
_ID = 16
_RAW = 32


def key_id_of(public: bytes) -> str:
    """By what a key is known."""
    return hashlib.sha256(public).hexdigest()[:_ID]


def _of_right_size(text: str) -> str:
    if len(base64.b64decode(text, validate=True)) != _RAW:
        raise ValueError(f"a public key has {_RAW} bytes, in base64")
    return text


PublicKey = Annotated[str, AfterValidator(_of_right_size)]


class TrustedKey(Value):
    """A public key. One with `until` has been replaced: what it has signed before is trusted until then."""

    id: str
    public: PublicKey
    since: AwareDatetime
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _is_its_own(self) -> Self:
        if self.id != key_id_of(self.raw):
            raise ValueError("the id is another key's")
        return self

    @property
    def raw(self) -> bytes:
        """The key itself."""
        return base64.b64decode(self.public)

    def is_trusted(self, at: datetime) -> bool:
        """Whether its word counts now."""
        return self.until is None or at < self.until


def _without_deciders(found: object) -> object:
    """Versions before 0.5 had a key of the machine for what people decide: whoever could read it was anybody."""
    return {role: keys for role, keys in found.items() if role != "decide"} if isinstance(found, dict) else found


#: By role, the newest first.
Trusted = Annotated[dict[Role, tuple[TrustedKey, ...]], BeforeValidator(_without_deciders)]
TRUSTED: TypeAdapter[Trusted] = TypeAdapter(Trusted)


def new_key() -> Ed25519PrivateKey:
    """A private key that nobody has yet."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.generate()


def as_pem(key: Ed25519PrivateKey) -> bytes:
    """PKCS #8, as OpenSSL reads and writes it."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def from_pem(data: bytes, name: str) -> Ed25519PrivateKey:
    """Raises KeyUnusable, which says nothing of what stands in the file but its name."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        found = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyUnusable(
            f"{name} is no Ed25519 key in PEM (PKCS #8, without a password): put the right one back, or see `arctl keys --help`"
        )
    return found


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Its public half, 32 bytes."""
    return key.public_key().public_bytes_raw()


def trusted_key(key: Ed25519PrivateKey, since: datetime) -> TrustedKey:
    """Its public half, as others are to trust it."""
    raw = public_of(key)
    return TrustedKey(id=key_id_of(raw), public=base64.b64encode(raw).decode(), since=since)


def replaced(keys: tuple[TrustedKey, ...], new: TrustedKey, at: datetime, *, are_revoked: bool) -> tuple[TrustedKey, ...]:
    """With the new key before them: what they have signed may live so long, unless they are revoked."""
    until = at + SEALED_FOR
    kept = () if are_revoked else (each if each.until else each.model_copy(update={"until": until}) for each in keys if each.is_trusted(at))
    return new, *kept


@lru_cache(maxsize=64)
def _public(raw: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=4096)
def is_signed(public: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether the key signed the statement. The rows of a plan share one: it is verified once in a process."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        _public(public).verify(signature, statement)
    except InvalidSignature:
        return False
    return True
