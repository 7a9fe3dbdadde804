"""Customers' endpoints as an EDR names them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import field_serializer

from .model import Value
from .text import Identifier, Line, Slug

CustomerId = Slug


class OS(StrEnum):
    """Operating system families. UNKNOWN is a platform that the EDR did not tell: nothing is assumed of it."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"
    UNKNOWN = "unknown"


#: Active Remediation covers these; Linux is not supported (Red Canary AR FAQ).
SUPPORTED_OS = frozenset({OS.WINDOWS, OS.MACOS})


class Vendor(StrEnum):
    """The EDRs of the service, by the names used in files, tables and queues."""

    CARBON_BLACK_CLOUD = "carbon_black_cloud"
    CARBON_BLACK_EDR = "carbon_black_edr"
    CORTEX_XDR = "cortex_xdr"
    CROWDSTRIKE = "crowdstrike"
    DEFENDER = "defender"
    SENTINELONE = "sentinelone"


class Endpoint(Value):
    """One endpoint, identified by the vendor's `agent_id`; the hostname is for people and is never matched on.

    `groups` are names of the EDR's groups, or None where the source did not tell.
    """

    edr: Vendor
    agent_id: Identifier
    hostname: Line
    os: OS = OS.UNKNOWN
    groups: frozenset[str] | None = None

    @field_serializer("groups")
    def _in_order(self, groups: frozenset[str] | None) -> list[str] | None:
        return None if groups is None else sorted(groups)

    @property
    def is_unsupported(self) -> bool:
        """Whether its OS is known, and automation must not act on it."""
        return self.os not in SUPPORTED_OS | {OS.UNKNOWN}
