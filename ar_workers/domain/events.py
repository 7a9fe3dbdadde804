"""What can happen, in the past tense: one tagged union, read by `parse_event`."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from .endpoints import CustomerId, Endpoint
from .errors import InvalidEvent
from .indicators import IOC
from .instants import Instant
from .model import Value
from .notifications import Delivery
from .states import State
from .text import LONGEST_ID, Identifier, Shown, otherwise
from .threats import Note, Severity, Threat
from .unread import ENDPOINT, Unread, glimpse, not_read, read_endpoint, read_ioc, sorted_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

#: One event names at most this many endpoints; more is a mistake or an attack. The blast radius holds all but a few of so many.
MOST_ENDPOINTS = 10_000
#: Those that cannot be read are counted with the others; what comes behind them is told as one thing.
MOST_IOCS = 1_000
MOST_UNREAD = 2 * MOST_IOCS + 1
#: Rows that one event takes back: those of the largest threat.
MOST_UNDONE = MOST_ENDPOINTS + MOST_IOCS
#: Of the ledger: CUSTOMER:VERB:CHECKSUM, and the number of its repeat.
RowId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*:[a-z_]+:[A-Za-z0-9._-]{1,200}$")]
#: Ends the id of an event that is told only, so that the same alert can still come in as one that is acted on.
_TOLD_ONLY = "-told"
#: Ends the name of what a dry event's rows hang on; no publisher's id can have such an end.
DRY = "~dry"
Reason = Annotated[Shown, otherwise("no reason given")]
Name = Annotated[Shown, otherwise("not named")]
Readable = TypeVar("Readable", Endpoint, IOC)


class _Event(Value):
    """`id` is the publisher's: the same id again is the same event, whatever the order of its fields.

    With `dry_run` nothing of it is ever asked of an EDR, whatever the customer's mode is by then. What later versions added is written
    down only where it says something, so that an event has the same checksum in all of them.
    """

    id: Identifier
    customer: CustomerId
    occurred_at: Instant
    dry_run: bool = False
    _added: ClassVar[frozenset[str]] = frozenset({"dry_run"})

    @model_serializer(mode="wrap")
    def _without_what_says_nothing(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = plain(self)
        return {name: value for name, value in written.items() if value or name not in self._added}

    @property
    def threat_id(self) -> str:
        """The threat that the event's rows hang on. A dry run has one of its own beside it: it must neither close nor reopen a real one."""
        return f"{self.about}{DRY}" if self.dry_run else self.about

    @property
    def about(self) -> str:
        """The threat, or what else there is of the kind."""
        raise NotImplementedError

    @property
    def remark(self) -> str:
        """What the timeline says beside "accepted"."""
        return "DRY RUN" if self.dry_run else ""

    def to_be_rehearsed(self) -> Self:
        """The same as a dry run: another event, with an id of its own, so that it can still be published in earnest."""
        if self.dry_run:
            return self
        checksum = hashlib.sha256(self.id.encode()).hexdigest()[:8]
        return self.model_copy(update={"id": _ending(self.id, f"-dry-run-{checksum}"), "dry_run": True})

    @property
    def happened_at(self) -> datetime:
        """When that happened of which people are told."""
        return self.occurred_at

    @property
    def checksum(self) -> str:
        """Tells a repeated event from another one that wrongly carries the same id."""
        canonical = json.dumps(self._content(), sort_keys=True, default=sorted)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def _content(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class _ThreatEvent(_Event):
    threat: Threat

    @property
    def about(self) -> str:
        return self.threat.id


class _Standing(_ThreatEvent):
    """What says how a threat stands at its source: open or closed.

    `as_of` is when the source's own record stood so. Sources that show their records again and again tell it, or the poller does.
    It is no content: a record that says the same again is a duplicate, unless the source closed or reopened the threat in between.
    """

    as_of: Instant | None = None
    _added: ClassVar[frozenset[str]] = frozenset({"as_of", "dry_run", "told_only", "unread"})

    def _content(self) -> dict[str, Any]:
        return {name: value for name, value in super()._content().items() if name != "as_of"}

    def seen_at(self, at: datetime) -> Self:
        """The same, as of `at` if its source does not tell."""
        return self if self.as_of else self.model_copy(update={"as_of": at})

    def said_again(self) -> Self:
        """The same, said once more after its threat was closed or reopened: another event, with an id of its own."""
        at = (self.as_of or self.occurred_at).astimezone(UTC)
        return self.model_copy(update={"id": _ending(self.id, f".{at:%Y%m%d%H%M%S%f}")})


class ThreatPublished(_Standing):
    """Analysts published a threat: its endpoints and its indicators.

    An endpoint or an indicator that cannot be read costs only itself, and is found in `unread`: attackers choose the names
    of files, and one of them must not keep the rest from being contained. `told_only` is why nothing of it is acted on,
    if that is so.
    """

    type: Literal["threat_published"] = "threat_published"
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=MOST_ENDPOINTS)] = ()
    iocs: Annotated[tuple[IOC, ...], Field(max_length=MOST_IOCS)] = ()
    unread: Annotated[tuple[Unread, ...], Field(max_length=MOST_UNREAD)] = ()
    told_only: Shown = ""

    @model_validator(mode="wrap")
    @classmethod
    def _as_far_as_it_can_be_read(cls, values: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return read(values)  # nearly every event is without fault
        except ValidationError:
            return read(cls._sorted_out(values))

    @staticmethod
    def _sorted_out(values: object) -> object:
        if not isinstance(values, dict) or _is_longer(values.get("endpoints"), MOST_ENDPOINTS):
            return values
        endpoints, odd = _read_list(values.get("endpoints"), read_endpoint, ENDPOINT, most=MOST_ENDPOINTS)
        iocs, odd_iocs = _read_list(values.get("iocs"), read_ioc, "indicator", most=MOST_IOCS)
        known = values.get("unread", ())
        unread = _bounded([*known, *odd, *odd_iocs]) if isinstance(known, list | tuple) else known
        return {**values, "endpoints": endpoints, "iocs": iocs, "unread": unread}

    def _content(self) -> dict[str, Any]:
        """Why it is told only is no content: a poller that begins anew names another instant."""
        return super()._content() | ({"told_only": True} if self.told_only else {})

    @property
    def unread_endpoints(self) -> tuple[Unread, ...]:
        """What should have been an endpoint."""
        return tuple(each for each in self.unread if each.kind == ENDPOINT)

    @property
    def unread_indicators(self) -> tuple[Unread, ...]:
        """What should have been an indicator."""
        return tuple(each for each in self.unread if each.kind != ENDPOINT)

    @property
    def not_acted_on(self) -> str:
        """Why people are told and nothing is done, if that is so."""
        return self.told_only or ("its severity is not known: told, not acted on" if self.threat.severity is Severity.UNKNOWN else "")

    def to_be_told_only(self, reason: str) -> ThreatPublished:
        """The same threat, of which people are told and nothing is done: another event, with an id of its own."""
        return self.model_copy(update={"id": _ending(self.id, _TOLD_ONLY), "told_only": reason})


class ThreatClosed(_Standing):
    """The customer marked the threat remediated (or not to be remediated), or its source shows it as over: what is queued must not run.

    With `is_false_positive` there never was a threat, and what was done about it may be undone. It is no content: versions before did not
    know it of the same record.
    """

    type: Literal["threat_closed"] = "threat_closed"
    reason: Reason
    is_false_positive: bool = False
    _added: ClassVar[frozenset[str]] = frozenset({"as_of", "dry_run", "is_false_positive"})

    def _content(self) -> dict[str, Any]:
        return {name: value for name, value in super()._content().items() if name != "is_false_positive"}

    @property
    def remark(self) -> str:
        return ": ".join(filter(None, (super().remark, self.reason)))

    @property
    def happened_at(self) -> datetime:
        """A source that tells no time of the closing tells when its record last changed."""
        return self.as_of or self.occurred_at


class RemediationRequested(_ThreatEvent):
    """The customer used Request Remediation."""

    type: Literal["remediation_requested"] = "remediation_requested"
    requested_by: Name


class NoteAdded(_ThreatEvent):
    """Somebody commented on a threat."""

    type: Literal["note_added"] = "note_added"
    note: Note


class _EndpointEvent(_Event):
    endpoint: Endpoint

    @property
    def about(self) -> str:
        """An endpoint has no threat: its rows hang on a dossier of its own."""
        return f"endpoint-{self.endpoint.edr}-{self.endpoint.agent_id}"


class EndpointGrouped(_EndpointEvent):
    """An endpoint was put into a group of its EDR."""

    type: Literal["endpoint_grouped"] = "endpoint_grouped"


class UnsupportedOSDetected(_EndpointEvent):
    """The re-check found an endpoint in a remediate group whose OS cannot be remediated."""

    type: Literal["unsupported_os_detected"] = "unsupported_os_detected"


class ReleaseRequested(_EndpointEvent):
    """A person wants an isolated endpoint to have its network back. `threat_ref` is the threat that it was isolated for, if known.

    Of a customer whose mode is a dry run it is rehearsed as all else, unless the person says that it is `for_real`: an endpoint that was
    isolated before must not stay so.
    """

    type: Literal["release_requested"] = "release_requested"
    requested_by: Name
    reason: Reason
    threat_ref: Identifier | None = None
    for_real: bool = False
    _added: ClassVar[frozenset[str]] = frozenset({"dry_run", "for_real"})

    @property
    def about(self) -> str:
        """The threat that was named, or the endpoint's own dossier."""
        return self.threat_ref or super().about

    @property
    def remark(self) -> str:
        asks = f"{self.requested_by} asks to release {self.endpoint.hostname}{' for real' if self.for_real else ''}: {self.reason}"
        return ": ".join(filter(None, (super().remark, asks)))


class UndoRequested(_Event):
    """A person wants what was done to be taken back: rows of the ledger, of one threat. Never an indicator that somebody names.

    What another open threat wants, too, is taken back only `though_wanted`. Of a customer whose mode is a dry run it is rehearsed, unless
    the person says that it is `for_real`.
    """

    type: Literal["undo_requested"] = "undo_requested"
    requested_by: Name
    reason: Reason
    threat_ref: Identifier
    rows: Annotated[tuple[RowId, ...], Field(min_length=1, max_length=MOST_UNDONE)]
    though_wanted: bool = False
    for_real: bool = False
    _added: ClassVar[frozenset[str]] = frozenset({"dry_run", "for_real", "though_wanted"})

    @model_validator(mode="after")
    def _of_one_customer(self) -> Self:
        strange = [each for each in self.rows if each.partition(":")[0] != self.customer]
        if strange:
            raise ValueError(f"{strange[0]} is no row of {self.customer}")
        return self

    @property
    def about(self) -> str:
        """The threat that the rows hang on."""
        return self.threat_ref

    @property
    def remark(self) -> str:
        what = f"{len(self.rows)} action{'s' if len(self.rows) > 1 else ''}"
        asks = f"{self.requested_by} asks to undo {what}{' for real' if self.for_real else ''}: {self.reason}"
        return ": ".join(filter(None, (super().remark, asks)))


#: The ledger's own ids begin with a full stop: no publisher can take one away.
OwnId = Annotated[str, StringConstraints(pattern=r"^\.[A-Za-z0-9._-]{1,200}$")]


class _OwnEvent(_Event):
    """An outcome that matters, written down by the ledger together with the move that it tells of. Nobody can publish it."""

    id: OwnId
    threat_ref: str
    threat: Threat | None = None

    @property
    def threat_id(self) -> str:
        """As the row that it tells of: of a dry run that is a dry one's."""
        return self.threat_ref


class ActionStopped(_OwnEvent):
    """An action has failed for good, or is held by a guard: a person is needed.

    `row` is its id, `cause` why it failed (see `causes`), `guard` who holds it. What an older version raised says nothing of these.
    """

    type: Literal["action_stopped"] = "action_stopped"
    verb: str
    subject: str
    state: Literal["failed", "held"]
    reason: str
    row: str = ""
    edr: str = ""
    cause: str = ""
    guard: str = ""


class DeliveryFailed(_OwnEvent):
    """A delivery that has a fallback has failed for good, or one to a receiver of the TREs that takes nothing any more (`cause`)."""

    type: Literal["delivery_failed"] = "delivery_failed"
    delivery: Delivery
    reason: str
    cause: str = ""


class _AboutIsolation(_OwnEvent):
    """`row` is the isolation's id, `reason` the row's own, or what the EDR showed."""

    row: str
    edr: str = ""
    subject: str
    reason: str = ""


class IsolationOverdue(_AboutIsolation):
    """An isolation is not in effect in time, or still not when people were to be told of it again."""

    type: Literal["isolation_overdue"] = "isolation_overdue"
    state: State
    #: When it was planned.
    since: Instant


class IsolationSettled(_AboutIsolation):
    """An isolation of which people were told that it is not in effect is so now, or was called off."""

    type: Literal["isolation_settled"] = "isolation_settled"
    state: State


class _AboutHold(_OwnEvent):
    """All that one `guard` holds of a customer, the oldest of it `since`: how many actions, and some of them by name.

    Of the blast radius it is what one `cap` counts.
    """

    guard: str
    cap: str = ""
    number: int
    named: tuple[Shown, ...] = ()
    since: Instant


class HoldWaits(_AboutHold):
    """It still waits for a person. `ends` is when the oldest is called off by itself, if it is."""

    type: Literal["hold_waits"] = "hold_waits"
    ends: Instant | None = None


class HoldExpired(_AboutHold):
    """Nobody has decided in time, and it was called off."""

    type: Literal["hold_expired"] = "hold_expired"
    after: timedelta


class WorkHindered(_OwnEvent):
    """Something of the service's own, and of no threat, keeps work from being done until a person looks: what it is, and what to do.

    With `once` it is told once, until that is forgotten.
    """

    type: Literal["work_hindered"] = "work_hindered"
    what: Annotated[Shown, otherwise("work is hindered")]
    facts: tuple[tuple[str, Shown], ...] = ()
    once: str | None = None


Published = (
    ThreatPublished
    | ThreatClosed
    | RemediationRequested
    | NoteAdded
    | EndpointGrouped
    | UnsupportedOSDetected
    | ReleaseRequested
    | UndoRequested
)
Own = ActionStopped | DeliveryFailed | IsolationOverdue | IsolationSettled | HoldWaits | HoldExpired | WorkHindered
Event = Annotated[Published | Own, Field(discriminator="type")]
_PUBLISHED: TypeAdapter[Published] = TypeAdapter(Annotated[Published, Field(discriminator="type")])
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def _ending(own_id: str, end: str) -> str:
    return own_id[: LONGEST_ID - len(end)] + end


def _read_list(value: object, read: Callable[[object], Readable | Unread], kind: str, *, most: int) -> tuple[list[Readable], list[Unread]]:
    """The readable entries of a list, and what is wrong with the others; what is no list at all is one thing that cannot be read."""
    if value is None:
        return [], []
    if not isinstance(value, list | tuple):
        return [], [not_read(kind, glimpse(value), "a list of them is wanted")]
    found, unread = sorted_out(map(read, value[:most]))
    beyond = [not_read(kind, f"{len(value) - most} more", f"one event has at most {most}")] if _is_longer(value, most) else []
    return found, unread + beyond


def _bounded(unread: list[Any]) -> list[Any]:
    if len(unread) <= MOST_UNREAD:
        return unread
    told = unread[: MOST_UNREAD - 1]
    return [*told, not_read("part", f"{len(unread) - len(told)} more", f"of one event {len(told)} parts that cannot be read are told")]


def _is_longer(value: object, most: int) -> bool:
    return isinstance(value, list | tuple) and len(value) > most


def parse_event(payload: object) -> Event:
    """`payload` (decoded JSON) as a published event. Raises InvalidEvent naming the first field that is wrong."""
    try:
        event = _PUBLISHED.validate_python(payload)
    except ValidationError as error:
        raise _invalid(error) from None
    return event.model_copy(update={"dry_run": False}).to_be_rehearsed() if event.dry_run else event


def load_event(text: str) -> Event:
    """An event as the ledger kept it (`model_dump_json`)."""
    return _EVENT.validate_json(text)


def event_schema() -> dict[str, Any]:
    """JSON Schema of every event, for publishers."""
    return _PUBLISHED.json_schema()


def _invalid(error: ValidationError) -> InvalidEvent:
    first = error.errors(include_url=False, include_input=False)[0]
    union_tags = {"hash", "domain", "file", "registry", "process"}
    names = [str(part) for part in first["loc"][1:] if part not in union_tags]
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    field = ".".join(names) or str((first.get("ctx") or {}).get("discriminator", "event")).strip("'")
    return InvalidEvent(field, first["msg"] + more)


__all__ = [
    "ActionStopped",
    "DeliveryFailed",
    "EndpointGrouped",
    "Event",
    "HoldExpired",
    "HoldWaits",
    "IsolationOverdue",
    "IsolationSettled",
    "NoteAdded",
    "ReleaseRequested",
    "RemediationRequested",
    "ThreatClosed",
    "ThreatPublished",
    "UndoRequested",
    "UnsupportedOSDetected",
    "WorkHindered",
    "event_schema",
    "load_event",
    "parse_event",
]
