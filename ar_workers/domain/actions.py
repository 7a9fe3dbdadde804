"""What can be done against an EDR, in the imperative: one tagged union, `verb` is the tag."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cache, lru_cache
from typing import Annotated, Literal, cast, get_args

from pydantic import Field, TypeAdapter

from .endpoints import CustomerId, Endpoint, Vendor
from .facts import Receipt
from .indicators import Domain, File, FileHash, Indicator, Process, RegistryKey, label_of
from .model import Value
from .verbs import CONTAINMENT, UNDOES


class Effect(StrEnum):
    """What a repetition would mean (see the retry rules)."""

    #: Sets a state; setting it twice is the same.
    STATE = "state"
    #: Destroys something once: never repeated without having looked.
    DESTRUCTIVE = "destructive"


Verb = Literal[
    "isolate",
    "release",
    "ban_hash",
    "unban_hash",
    "ban_domain",
    "unban_domain",
    "kill_process",
    "delete_file",
    "quarantine_file",
    "unquarantine_file",
    "delete_registry_key",
]


#: What later versions added to actions that the ones before know.
_ADDED = ("is_dry", "undoes", "made")


class _Base(Value):
    customer: CustomerId
    edr: Vendor
    #: Everything is done but to ask the EDR. It is an order of its own: neither swallows the other.
    is_dry: bool = False

    @property
    def effect(self) -> Effect:
        """STATE unless the verb says otherwise."""
        return Effect.STATE

    @property
    def lane(self) -> str | None:
        """The endpoint on which actions are done one at a time, or None for a tenant-wide action."""
        return None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that justify the action: one of them must be in a remediate group."""
        raise NotImplementedError

    @property
    def indicator(self) -> Indicator | None:
        """What is acted on, where it is more than the endpoint. The guards judge it, whatever the verb."""
        field = _acted_on(type(self))
        return None if field is None else cast("Indicator", getattr(self, field))

    @property
    def target(self) -> str:
        """The canonical name of what is acted on."""
        found = self.indicator
        return found.target if found else ""

    @property
    def label(self) -> str:
        """For people: where and what, without the verb."""
        found = self.indicator
        return label_of(found) if found else ""

    def written(self) -> str:
        """As the ledger keeps it. What was added is said only where it says something, so that versions which know of none read it."""
        return self.model_dump_json(exclude={name for name in _ADDED if not getattr(self, name, None)})


@cache
def _acted_on(kind: type[_Base]) -> str | None:
    """The field of a class of actions that holds an indicator."""
    return next((name for name, field in kind.model_fields.items() if field.annotation in get_args(Indicator)), None)


class _OnEndpoint(_Base):
    endpoint: Endpoint

    @property
    def lane(self) -> str:
        return self.endpoint.agent_id

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return (self.endpoint,)

    @property
    def label(self) -> str:
        return " ".join(filter(None, (self.endpoint.hostname, super().label)))


class IsolateEndpoint(_OnEndpoint):
    """Cut the endpoint off the network, all but its EDR."""

    verb: Literal["isolate"] = "isolate"


class _Undo(_Base):
    """What takes back another action: none of this is part of its identity.

    `requested_by` wants it. `undoes` is the row that it takes back, and `made` what the EDR signed for then; a release may be wanted of
    what no row of ours has isolated.
    """

    requested_by: str = ""
    undoes: str = ""
    made: Receipt | None = None


class ReleaseEndpoint(_Undo, _OnEndpoint):
    """Give the endpoint its network back."""

    verb: Literal["release"] = "release"


class KillProcess(_OnEndpoint):
    """End one process, once its identity is confirmed."""

    verb: Literal["kill_process"] = "kill_process"
    process: Process

    @property
    def effect(self) -> Effect:
        return Effect.DESTRUCTIVE


class _OnFile(_OnEndpoint):
    file: File

    @property
    def effect(self) -> Effect:
        return Effect.DESTRUCTIVE


class DeleteFile(_OnFile):
    """Delete a binary. There is no way back."""

    verb: Literal["delete_file"] = "delete_file"


class QuarantineFile(_OnFile):
    """Put a file where it cannot run, so that it can be restored."""

    verb: Literal["quarantine_file"] = "quarantine_file"


class UnquarantineFile(_Undo, _OnFile):
    """Give a file that we have quarantined back to its place."""

    verb: Literal["unquarantine_file"] = "unquarantine_file"

    @property
    def effect(self) -> Effect:
        return Effect.STATE


class DeleteRegistryKey(_OnEndpoint):
    """Delete a registry key, or one value of it. There is no way back."""

    verb: Literal["delete_registry_key"] = "delete_registry_key"
    registry: RegistryKey

    @property
    def effect(self) -> Effect:
        return Effect.DESTRUCTIVE


class _TenantWide(_Base):
    """`because` are the endpoints of the threat; they justify the ban but are not part of its identity."""

    because: tuple[Endpoint, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.because


class BanHash(_TenantWide):
    """Stop a file of this content from running anywhere at the customer's."""

    verb: Literal["ban_hash"] = "ban_hash"
    hash: FileHash


class _TenantWideUndo(_Undo):
    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """None has to justify it."""
        return ()


class UnbanHash(_TenantWideUndo):
    """Take back a ban of ours. One that somebody else has made of the same content stays."""

    verb: Literal["unban_hash"] = "unban_hash"
    hash: FileHash


class BanDomain(_TenantWide):
    """Stop every endpoint of the customer from reaching this domain, as far as the EDR can."""

    verb: Literal["ban_domain"] = "ban_domain"
    domain: Domain


class UnbanDomain(_TenantWideUndo):
    """Take back a ban of ours, likewise."""

    verb: Literal["unban_domain"] = "unban_domain"
    domain: Domain


Action = Annotated[
    IsolateEndpoint
    | ReleaseEndpoint
    | BanHash
    | UnbanHash
    | BanDomain
    | UnbanDomain
    | KillProcess
    | DeleteFile
    | QuarantineFile
    | UnquarantineFile
    | DeleteRegistryKey,
    Field(discriminator="verb"),
]
Undo = ReleaseEndpoint | UnbanHash | UnbanDomain | UnquarantineFile
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)

#: Every action class by its verb; adapters mark what they perform with the classes.
ACTIONS: dict[str, type[Action]] = {kind.model_fields["verb"].default: kind for kind in get_args(get_args(Action)[0])}


def identity(action: Action) -> str:
    """`customer:verb:checksum`: the same for the same action, whichever event, worker or day it comes from.

    The ledger adds which repeat it is (`.2`, `.3`, ...) where the same action is justified anew. An undo has the checksum of what it takes
    back, by which the ledger knows the two as a pair. A release has one of its own: there the endpoint makes the pair, and versions
    before knew it so.
    """
    lane, verb = action.lane or "tenant", action.verb if action.verb in CONTAINMENT else UNDOES.get(action.verb, action.verb)
    parts = (action.customer, action.edr, lane, verb, action.target, *(("dry run",) if action.is_dry else ()))
    checksum = hashlib.sha256("\x1f".join(parts).encode())
    return f"{action.customer}:{action.verb}:{checksum.hexdigest()[:16]}"


def mark_of(action: Action) -> str:
    """What stands beside a ban at its EDR, where that keeps a text of ours, and by which its undo knows it again."""
    customer, verb, checksum = identity(action).split(":")
    return f"Active Remediation {customer}:{UNDOES.get(verb, verb)}:{checksum}"


def is_actions(row_id: str) -> bool:
    """Whether an id is one that `identity` makes: in that of a delivery there is a channel in the verb's place."""
    return row_id.partition(":")[2].partition(":")[0] in ACTIONS


def lane_of(action: Action) -> str:
    """Under which name the ledger serialises what is done on its endpoint; empty for a tenant-wide action."""
    return f"{action.edr}/{action.lane}" if action.lane else ""


#: A visit holds an order against its row, and then carries it out; it may be visited again.
@lru_cache(maxsize=256)
def load_action(text: str) -> Action:
    """An action as the ledger kept it (`written`)."""
    return _ACTION.validate_json(text)
