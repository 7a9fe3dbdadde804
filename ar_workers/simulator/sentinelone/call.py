"""One authorised call on its way through a handler, the envelope of its answer, and the pages of a list."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .. import calls
from .options import Options

DEEPEST_SKIP = 1000
PAGING = frozenset({"limit", "skip", "cursor", "countOnly", "skipCount", "sortBy", "sortOrder"})
SCOPES = ("tenant", "accountIds", "siteIds", "groupIds")

Row = dict[str, Any]
Tests = dict[str, Callable[[Row, list[str]], bool]]


class Refusal(Exception):
    """The call is answered with an error. The first three digits of the code are the status."""

    def __init__(self, code: int, title: str, detail: str | None = None) -> None:
        super().__init__(title)
        self.status = int(str(code)[:3])
        self.errors = [{"code": code, "title": title, "detail": detail}]


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    def document(self, *needed: str) -> Row:
        """The JSON object of the body, with the needed parts."""
        document = self.request.json(
            other_type=Refusal(4150010, "Unsupported Media Type"), broken=Refusal(4000010, "Validation Error", "Invalid JSON")
        )
        if not isinstance(document, dict) or not set(needed) <= set(document):
            raise Refusal(4000010, "Validation Error", f"{' and '.join(needed)}: Missing data for required field.")
        return document

    def listed(self, rows: Iterable[Row], tests: Tests, *, most: int = 1000, sorts: tuple[str, ...] = ("id",)) -> Row:
        """A page of the rows that pass every test of the query, in the query's order, with the cursor of the next."""
        query = {name: [part for one in values for part in one.split(",")] for name, values in self.request.query.items()}
        wanted = {name: values for name, values in query.items() if name not in PAGING}
        if (unknown := set(wanted) - set(tests)) and self.options.unknown_query == "refused":
            raise Refusal(4000010, "Validation Error", f"{min(unknown)}: Unknown field.")
        kept = [row for row in rows if all(tests[name](row, values) for name, values in wanted.items() if name in tests)]
        kept = self._sorted(kept, sorts)
        limit, skip = self._number("limit", 10, most), self._number("skip", 0, DEEPEST_SKIP, least=0)
        start = self._start(kept, wanted) if "cursor" in query else skip
        page = kept[start : start + limit]
        more = start + limit < len(kept)
        pagination = {"totalItems": len(kept), "nextCursor": self._cursor(page[-1], wanted) if more and page else None}
        return {"data": page, "pagination": pagination}

    def _sorted(self, rows: list[Row], sorts: tuple[str, ...]) -> list[Row]:
        by, order = self.request.first("sortBy", sorts[0]), self.request.first("sortOrder", "asc")
        if by not in sorts or order not in {"asc", "desc"}:
            raise Refusal(4000010, "Validation Error", "sortBy: Not a valid choice.")
        return sorted(rows, key=lambda row: str(_field(row, by)), reverse=order == "desc")

    def _number(self, name: str, default: int, most: int, *, least: int = 1) -> int:
        refusal = Refusal(4000010, "Validation Error", f"{name}: Must be between {least} and {most}.")
        return self.request.number(name, default, refusal, least=least, most=most)

    def _cursor(self, row: Row, wanted: Row) -> str:
        return base64.b64encode(f"{_checksum(wanted)}:{row['id']}".encode()).decode()

    def _start(self, rows: list[Row], wanted: Row) -> int:
        """The cursor names the last row given and the filters it was given for; with others it is refused."""
        try:
            checksum, _, last = base64.b64decode(self.request.first("cursor")).decode().partition(":")
            place = [str(row["id"]) for row in rows].index(last) + 1
        except ValueError:
            checksum, place = "", 0
        if checksum != _checksum(wanted):
            raise Refusal(4000010, "Validation Error", "cursor: Invalid cursor.")
        return place

    def effect(self, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        super().effect(verb, target, changed=changed, user=self.user, **facts)

    @property
    def account(self) -> str:
        return str(self.tenant.facts.get("account_id", "9000000000000000001"))

    @property
    def site(self) -> str:
        return str(self.tenant.facts.get("site_id", "9100000000000000001"))


def scope_in(document: Row) -> Row:
    """The one scope of a body's filter; none and several are refused."""
    wanted = document["filter"]
    if not isinstance(wanted, dict) or len(wanted) != 1 or next(iter(wanted)) not in SCOPES:
        raise Refusal(4000010, "Validation Error", "filter: exactly one of tenant, accountIds, siteIds, groupIds is needed")
    name, value = next(iter(wanted.items()))
    is_list = isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
    if value is not True if name == "tenant" else not is_list:
        raise Refusal(4000010, "Validation Error", f"filter.{name}: Not valid.")
    return dict(wanted)


def is_in(name: str) -> Callable[[Row, list[str]], bool]:
    """A test of equality with one of the values; booleans are written in lower case."""
    return lambda row, values: _text(_field(row, name)) in values


def after(name: str, *, equal: bool) -> Callable[[Row, list[str]], bool]:
    return lambda row, values: str(_field(row, name)) > values[0] or (equal and str(_field(row, name)) == values[0])


def before(name: str, *, equal: bool) -> Callable[[Row, list[str]], bool]:
    return lambda row, values: str(_field(row, name)) < values[0] or (equal and str(_field(row, name)) == values[0])


def _field(row: Row, path: str) -> Any:
    found: Any = row
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checksum(wanted: Row) -> str:
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
