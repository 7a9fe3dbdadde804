"""What of an event could not be read: it costs only itself, and stands in the plan with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import ValidationError

from .endpoints import Endpoint
from .indicators import IOC
from .model import Value
from .text import LONGEST, Shown, Whole, otherwise, shortened, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Readable = TypeVar("Readable", Endpoint, IOC)

ENDPOINT = "endpoint"
_LONGEST_NAME = 60
#: What tells one thing from another, first of all. The order of the payload tells nothing: the same event has one checksum.
_TELLING = ("path", "key", "domain", "sha256", "sha1", "md5", "pid", "ip", "value", "hostname", "agent_id")
_ADDRESSES = frozenset({"ip", "ipv4", "ipv6", "ip_address", "ipaddress", "ipv4-addr", "ipv6-addr"})
_NO_ACTION = "unsupported: no action exists for an indicator of this type"
#: What has a name of its own and no action.
_NOT_SUPPORTED = {"ip_address": "IP address: not supported", "wildcard": "wildcard domain: not supported"}
#: A link is acted on by its host.
_LINKS = frozenset({"url", "uri", "link"})
#: Pydantic's types of errors, in words that go with the name of the field.
_WORDS = {
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "extra_forbidden": "is a field that nobody knows",
    "missing": "is missing",
    "model_attributes_type": "is not an object",
    "model_type": "is not an object",
    "string_pattern_mismatch": "has not the form of one",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is empty",
    "string_type": "is not a text",
    "union_tag_not_found": "has no type",
}


class Unread(Value):
    """One thing that could not be read. `kind` is what it claims to be: `endpoint`, a type of indicator, or whatever was written.

    `shown` is what people can find it by, whole; `reason` is what is wrong with it.
    """

    kind: Annotated[Shown, otherwise("indicator")] = "indicator"
    shown: Annotated[Whole, otherwise("unnamed")] = "unnamed"
    reason: Annotated[Shown, otherwise("not read")] = "not read"

    @property
    def line(self) -> str:
        """All in one, for people."""
        return f"{self.kind} {self.shown}: {self.reason}"


def read_ioc(entry: object) -> IOC | Unread:
    """One IOC, whatever stands in its place."""
    if isinstance(entry, IOC):
        return entry
    try:
        return IOC.model_validate(_by_its_host(entry))
    except ValidationError as error:
        within = entry.get("indicator") if isinstance(entry, dict) else None
        holder = within if isinstance(within, dict) else entry
        named = holder.get("type") if isinstance(holder, dict) else None
        # What it claims to be is theirs to choose, but for what is no indicator at all.
        kind = shortened(named[:_LONGEST_NAME], _LONGEST_NAME) if isinstance(named, str) and named != ENDPOINT else ""
        return Unread(kind=kind, shown=glimpse(holder), reason=_reason(error, kind))


def _by_its_host(entry: object) -> object:
    """A link as the domain that it leads to; anything else as it is."""
    link = entry.get("indicator") if isinstance(entry, dict) else None
    kind = link.get("type") if isinstance(link, dict) else None
    if not isinstance(entry, dict) or not isinstance(link, dict) or not isinstance(kind, str) or kind.lower() not in _LINKS:
        return entry
    address = next((link[name] for name in (*sorted(_LINKS), "value", "domain") if name in link), None)
    return {**entry, "indicator": {"type": "domain", "domain": address}}


def read_endpoint(entry: object) -> Endpoint | Unread:
    """One endpoint, whatever stands in its place."""
    if isinstance(entry, Endpoint):
        return entry
    try:
        return Endpoint.model_validate(entry)
    except ValidationError as error:
        return Unread(kind=ENDPOINT, shown=glimpse(entry), reason=_reason(error, ENDPOINT))


def not_read(kind: str, shown: object, why: str) -> Unread:
    """What a reader could not read, in its own words."""
    return Unread(kind=kind, shown=glimpse(shown), reason=shortened(f"not read: {why}", LONGEST))


def sorted_out(found: Iterable[Readable | Unread]) -> tuple[list[Readable], list[Unread]]:
    """What could be read, and what could not."""
    good: list[Readable] = []
    unread: list[Unread] = []
    for each in found:
        if isinstance(each, Unread):
            unread.append(each)
        else:
            good.append(each)
    return good, unread


def glimpse(value: object) -> str:
    """What people see of a thing that could not be read: its telling text, whole."""
    if isinstance(value, dict):
        return glimpse(next(_telling(value), "an object without a text"))
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, int) and abs(value) < 10**_LONGEST_NAME:
        return str(value)
    return f"something of type {type(value).__name__}"


def _telling(holder: Mapping[Any, Any]) -> Iterator[str | int]:
    names = [*_TELLING, *sorted(str(name) for name in holder if name != "type")]
    return (value for name in names if isinstance(value := holder.get(name), str | int) and value != "")


def _reason(error: ValidationError, kind: str) -> str:
    details = error.errors(include_url=False, include_input=False)
    # Fields that nobody knows come in the order of the payload, all others in that of ours.
    first = min(details, key=lambda each: (each["type"] == "extra_forbidden", [str(part) for part in each["loc"]]))
    if first["type"] == "union_tag_invalid":
        return _NOT_SUPPORTED["ip_address"] if kind.lower() in _ADDRESSES else _NO_ACTION
    if first["type"] in _NOT_SUPPORTED:
        return _NOT_SUPPORTED[first["type"]]
    return shortened(f"not read: {_field(first['loc'])} {_words(first)}", LONGEST)


def _field(place: Sequence[object]) -> str:
    names = [part for part in place if isinstance(part, str)]
    return names[-1][:_LONGEST_NAME] if names else "it"


def _words(detail: Any) -> str:
    words = _WORDS.get(detail["type"])
    if words:
        return words.format(**detail.get("ctx", {}))
    return str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
