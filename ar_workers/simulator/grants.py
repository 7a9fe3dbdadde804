"""What a vendor remembers of a token that it gave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import Credential, Tenant


@dataclass(frozen=True)
class Grant:
    """A token that was given out."""

    tenant: Tenant
    credential: Credential
    expires: float
