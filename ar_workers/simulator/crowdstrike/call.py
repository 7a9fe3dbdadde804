"""One authorised call on its way through a handler, with all that the handler may need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .. import calls
from .envelope import Answer, Refusal, error
from .options import Options

DEEPEST_OFFSET = 10_000


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    def document(self) -> dict[str, Any]:
        """The JSON object of the body; anything else is refused as the vendor's gateway does."""
        document = self.request.json(
            other_type=Refusal(415, "Content-Type must be application/json"),
            broken=Refusal(400, "Invalid JSON in request body"),
        )
        if not isinstance(document, dict):
            raise Refusal(400, "Request body must be an object")
        return document

    def texts(self, document: dict[str, Any], name: str, *, most: int) -> list[str]:
        """A required, non-empty list of strings within the vendor's size limit."""
        values = document.get(name)
        if not isinstance(values, list) or not values:
            raise Refusal(400, f"{name} is required")
        if len(values) > most:
            raise Refusal(400, f"too many {name}: at most {most}")
        if not all(isinstance(one, str) for one in values):
            raise Refusal(400, f"{name} must be strings")
        return values

    def ids(self, *, most: int) -> list[str]:
        """The repeated `ids` query parameter, which some clients also write with commas."""
        values = [part for one in self.request.query.get("ids", []) for part in one.split(",") if part]
        if not values:
            raise Refusal(400, "ids is required")
        if len(values) > most:
            raise Refusal(400, f"too many ids: at most {most}")
        return values

    def number(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        return self.request.number(name, default, Refusal(400, f"{name} must be between {least} and {most}"), least=least, most=most)

    def window(self, *, limit: int, most: int) -> tuple[int, int]:
        """Offset and limit of a shallow list, which ends at ten thousand."""
        offset = self.number("offset", 0, most=1_000_000)
        limit = self.number("limit", limit, least=1, most=most)
        if offset + limit > max(DEEPEST_OFFSET, most):
            raise Refusal(400, f"offset + limit must not exceed {DEEPEST_OFFSET}")
        return offset, limit

    def page(self, rows: list[Any], *, most: int, shown: Callable[[Any], Any] = lambda row: row) -> Answer:
        """The rows of the call's window; unless the call says otherwise, these are the first hundred."""
        offset, limit = self.window(limit=100, most=most)
        page = [shown(row) for row in rows[offset : offset + limit]]
        return Answer(page, pagination={"offset": offset, "limit": limit, "total": len(rows)})

    def effect(self, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        super().effect(verb, target, changed=changed, client_id=self.user, **facts)


def looked_up(ids: Iterable[str], find: Callable[[str], Any], missing: str, shown: Callable[[Any], Any] = lambda row: row) -> Answer:
    """What is found of each id, or an error in its place."""
    answer = Answer()
    for one in ids:
        found = find(one)
        if found is None:
            answer.errors.append(error(404, missing, id=one))
        else:
            answer.resources.append(shown(found))
    return answer
