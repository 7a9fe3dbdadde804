"""One authorised call on its way through a handler, and the vendor's ways of refusing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import calls
from ..endpoints import Endpoint
from ..server import Reply, json_reply
from .options import Options

MOST_ROWS = 10_000

Row = dict[str, Any]


class Refusal(Exception):
    """The call is answered with an error instead of a result."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.reply = json_reply(status, {"error_code": code, "message": message, **more})


def bad_enum(name: str, value: object, known: Iterable[str]) -> Refusal:
    return Refusal(400, "INVALID_ENUM_VALUE", f"Invalid value for {name}", field=name, invalid_value=value, known_values=sorted(known))


def not_found(what: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", f"{what} not found")


def empty() -> Reply:
    return Reply(204)


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    #: Takes turns between the vendor's variants.
    turn: Callable[[], int] = field(default=lambda: 0)

    def document(self) -> Row:
        """The JSON object of the body; anything else is refused."""
        found = self.body()
        if not isinstance(found, dict):
            raise Refusal(400, "MALFORMED_REQUEST", "Request body must be an object")
        return found

    def body(self) -> Any:
        return self.request.json(
            other_type=Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json"),
            broken=Refusal(400, "MALFORMED_REQUEST", "Request body is not JSON"),
        )

    def endpoint(self, agent_id: str) -> Endpoint:
        """The device, also one whose registration was left: it stays to be seen."""
        found = self.tenant.endpoints.get(agent_id)
        if found is None:
            raise not_found(f"Device {agent_id}")
        found.settle(self.now)
        return found


def window(document: Row, *, first: int, default: int = 20) -> tuple[int, int]:
    """Start and rows of a search; `first` is what the service counts from. No search reaches beyond ten thousand."""
    start, rows = document.get("start", first), document.get("rows", default)
    for name, value in (("start", start), ("rows", rows)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Refusal(400, "INVALID_PARAMETER", f"{name} must be a number", field=name)
    start = max(start - first, 0)
    if rows > MOST_ROWS or start + rows > MOST_ROWS:
        raise Refusal(400, "INVALID_PARAMETER", f"start + rows must not exceed {MOST_ROWS}", field="rows")
    return start, rows


def listed(criteria: Row, name: str, known: Iterable[str] | None = None) -> list[Any]:
    """A criterion: a list, of known words where the service has a vocabulary."""
    values = criteria.get(name, [])
    if not isinstance(values, list):
        raise Refusal(400, "INVALID_PARAMETER", f"{name} must be a list", field=name)
    if known is not None:
        words = set(known)
        for value in values:
            if value not in words:
                raise bad_enum(name, value, words)
    return values


def criteria_of(document: Row, *names: str) -> Row:
    """The criteria of a search. One that is not known is refused in any case: overlooked, it would widen the search."""
    criteria: Row = document.get("criteria") or {}
    for name in criteria:
        if name not in names:
            raise Refusal(400, "UNKNOWN_FIELD", f"Unknown field {name}", field=name)
    return criteria
