"""Customers' endpoints as an EDR names them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, field_serializer

from .lenient import Leniently
from .model import Value
from .text import LONGEST, PLAIN_WORDS, Identifier, Slug, shown

CustomerId = Slug


class OS(StrEnum):
    """Operating system families. UNKNOWN is a platform that the EDR did not tell: nothing is assumed of it."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"
    UNKNOWN = "unknown"


#: Active Remediation covers these; Linux is not supported (Red Canary AR FAQ).
SUPPORTED_OS = frozenset({OS.WINDOWS, OS.MACOS})
#: JSON may carry half of a surrogate pair, which nobody can write down, and which no pattern matches.
_Name = Annotated[str, StringConstraints(pattern="^"), WithJsonSchema({"type": "string"})]


class Role(StrEnum):
    """What an endpoint is for, where its EDR tells it."""

    WORKSTATION = "workstation"
    SERVER = "server"
    DOMAIN_CONTROLLER = "domain_controller"


class Vendor(StrEnum):
    """The EDRs of the service, by the names used in files, tables and queues."""

    CARBON_BLACK_CLOUD = "carbon_black_cloud"
    CARBON_BLACK_EDR = "carbon_black_edr"
    CORTEX_XDR = "cortex_xdr"
    CROWDSTRIKE = "crowdstrike"
    DEFENDER = "defender"
    SENTINELONE = "sentinelone"


#: As people call them.
VENDOR_NAMES: dict[str, str] = {
    Vendor.CARBON_BLACK_CLOUD: "Carbon Black Cloud",
    Vendor.CARBON_BLACK_EDR: "Carbon Black EDR",
    Vendor.CORTEX_XDR: "Cortex XDR",
    Vendor.CROWDSTRIKE: "CrowdStrike",
    Vendor.DEFENDER: "Microsoft Defender",
    Vendor.SENTINELONE: "SentinelOne",
}


def _or_unknown(system: object) -> OS:
    word = system.strip().lower() if isinstance(system, str) else ""
    return OS(word) if word in set(OS) else OS.UNKNOWN


def _not_told(_: object) -> None:
    return None


_Hostname = Annotated[str, StringConstraints(max_length=LONGEST), Leniently(shown, plain=PLAIN_WORDS, instead="agent_id")]


class Endpoint(Value):
    """One endpoint, identified by the vendor's `agent_id`; the hostname is for people and is never matched on.

    Without a hostname that can be shown, the `agent_id` is it. `groups` are names of the EDR's groups, or None where the source did
    not tell. `tags` and `role` are what the EDR shows now; they are read before anything is done, and not written down. A system,
    groups or further fields that cannot be read stop no containment: the EDR is asked before anything is done.
    """

    model_config = ConfigDict(extra="ignore")

    edr: Vendor
    agent_id: Identifier
    hostname: Annotated[_Hostname, Field(validate_default=True)] = ""
    os: Annotated[OS, Leniently(_or_unknown)] = OS.UNKNOWN
    groups: Annotated[frozenset[_Name] | None, Leniently(_not_told)] = None
    tags: Annotated[frozenset[_Name] | None, Leniently(_not_told), Field(exclude=True)] = None
    role: Annotated[Role | None, Leniently(_not_told), Field(exclude=True)] = None

    @field_serializer("groups")
    def _in_order(self, groups: frozenset[str] | None) -> list[str] | None:
        return None if groups is None else sorted(groups)

    @property
    def is_unsupported(self) -> bool:
        """Whether its OS is known, and automation must not act on it."""
        return self.os is not OS.UNKNOWN and self.os not in SUPPORTED_OS
