"""What can happen, in the past tense: one tagged union, read by `parse_event`."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from .endpoints import CustomerId, Endpoint
from .errors import InvalidEvent
from .indicators import IOC
from .model import Value
from .text import Identifier, Line
from .threats import Note, Threat

#: One event names at most this many endpoints; more is a mistake or an attack (see guards for the hourly cap).
MOST_ENDPOINTS = 1_000
MOST_IOCS = 1_000


class _Event(Value):
    """`id` is the publisher's: the same id again is the same event, whatever the order of its fields."""

    id: Identifier
    customer: CustomerId
    occurred_at: AwareDatetime

    @property
    def threat_id(self) -> str:
        """The threat that the event's rows hang on."""
        raise NotImplementedError

    @property
    def remark(self) -> str:
        """What the timeline says beside "accepted"."""
        return ""

    @property
    def digest(self) -> str:
        """Tells a repeated event from another one that wrongly carries the same id."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, default=sorted)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


class _ThreatEvent(_Event):
    threat: Threat

    @property
    def threat_id(self) -> str:
        return self.threat.id


class ThreatPublished(_ThreatEvent):
    """Analysts published a threat: its endpoints and its indicators."""

    type: Literal["threat_published"] = "threat_published"
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=MOST_ENDPOINTS)] = ()
    iocs: Annotated[tuple[IOC, ...], Field(max_length=MOST_IOCS)] = ()


class ThreatClosed(_ThreatEvent):
    """The customer marked the threat remediated (or not to be remediated): what is queued must not run any more."""

    type: Literal["threat_closed"] = "threat_closed"
    reason: Line


class RemediationRequested(_ThreatEvent):
    """The customer used Request Remediation."""

    type: Literal["remediation_requested"] = "remediation_requested"
    requested_by: Line


class NoteAdded(_ThreatEvent):
    """Somebody commented on a threat."""

    type: Literal["note_added"] = "note_added"
    note: Note


class _EndpointEvent(_Event):
    endpoint: Endpoint

    @property
    def threat_id(self) -> str:
        """An endpoint has no threat: its rows hang on a dossier of its own."""
        return f"endpoint-{self.endpoint.edr}-{self.endpoint.agent_id}"


class EndpointGrouped(_EndpointEvent):
    """An endpoint was put into a group of its EDR."""

    type: Literal["endpoint_grouped"] = "endpoint_grouped"


class UnsupportedOSDetected(_EndpointEvent):
    """The re-check found an endpoint in a remediate group whose OS cannot be remediated."""

    type: Literal["unsupported_os_detected"] = "unsupported_os_detected"


class ReleaseRequested(_EndpointEvent):
    """A person wants an isolated endpoint to have its network back. `threat_ref` is the threat that it was isolated for, if known."""

    type: Literal["release_requested"] = "release_requested"
    requested_by: Line
    reason: Line
    threat_ref: Identifier | None = None

    @property
    def threat_id(self) -> str:
        """The threat that was named, or the endpoint's own dossier."""
        return self.threat_ref or super().threat_id

    @property
    def remark(self) -> str:
        return f"{self.requested_by} asks to release {self.endpoint.hostname}: {self.reason}"


Event = Annotated[
    ThreatPublished | ThreatClosed | RemediationRequested | NoteAdded | EndpointGrouped | UnsupportedOSDetected | ReleaseRequested,
    Field(discriminator="type"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(payload: object) -> Event:
    """`payload` (decoded JSON) as an event. Raises InvalidEvent naming the first field that is wrong."""
    try:
        return _EVENT.validate_python(payload)
    except ValidationError as error:
        raise _invalid(error) from None


def load_event(text: str) -> Event:
    """An event as the ledger kept it (`model_dump_json`)."""
    return _EVENT.validate_json(text)


def event_schema() -> dict[str, Any]:
    """JSON Schema of every event, for publishers."""
    return _EVENT.json_schema()


def _invalid(error: ValidationError) -> InvalidEvent:
    first = error.errors(include_url=False, include_input=False)[0]
    union_tags = {"hash", "domain", "file", "registry", "process"}
    names = [str(part) for part in first["loc"][1:] if part not in union_tags]
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    field = ".".join(names) or str((first.get("ctx") or {}).get("discriminator", "event")).strip("'")
    return InvalidEvent(field, first["msg"] + more)


__all__ = [
    "EndpointGrouped",
    "Event",
    "NoteAdded",
    "ReleaseRequested",
    "RemediationRequested",
    "ThreatClosed",
    "ThreatPublished",
    "UnsupportedOSDetected",
    "event_schema",
    "load_event",
    "parse_event",
]
