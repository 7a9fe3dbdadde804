"""One authorised call on its way through a handler, with all that the handler may need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import calls
from ..endpoints import Endpoint
from .envelope import Refusal
from .options import Options

Row = dict[str, Any]
Test = Callable[[Row], bool]
#: Field -> operator -> what makes a test of a value, or refuses the value.
Fields = dict[str, dict[str, Callable[[Any], Test]]]
MOST_ROWS = 100
COUNTS_END_AT = 9999


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    data: Row

    def text(self, name: str) -> str:
        found = self.data.get(name)
        if not isinstance(found, str) or not found:
            raise Refusal(400, f"{name} must be a non-empty string")
        return found

    def number(self, name: str) -> int:
        found = self.data.get(name)
        if not isinstance(found, int) or isinstance(found, bool):
            raise Refusal(400, f"{name} must be an integer")
        return found

    def endpoint(self, agent_id: str) -> Endpoint:
        """An endpoint that can be ordered about."""
        found = self.tenant.endpoint(agent_id, self.now)
        if found is None:
            raise Refusal(500, "No endpoint was found for creating the requested action")
        return found

    def chosen(self) -> list[Endpoint]:
        """The endpoints of a `filters` that may hold nothing but their ids."""
        filters = self.data.get("filters")
        if not isinstance(filters, list) or len(filters) != 1 or set(filters[0]) != {"field", "operator", "value"}:
            raise Refusal(400, "filters must hold one filter of endpoint_id_list")
        one = filters[0]
        if (one["field"], one["operator"]) != ("endpoint_id_list", "in") or not isinstance(one["value"], list) or not one["value"]:
            raise Refusal(400, "filters must be endpoint_id_list in [...]")
        return [self.endpoint(str(each)) for each in one["value"]]

    def tests(self, fields: Fields) -> Test:
        """The call's `filters` as one test: all must hold."""
        filters = self.data.get("filters") or []
        if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
            raise Refusal(400, "filters must be a list of objects")
        found = [_operator(one, fields)(one["value"]) for one in filters]
        return lambda row: all(test(row) for test in found)

    def page(self, rows: list[Row], name: str) -> Row:
        """At most a hundred rows, and counts that end at 9,999 or are null."""
        start, end = self.data.get("search_from", 0), self.data.get("search_to", MOST_ROWS)
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= start + MOST_ROWS:
            raise Refusal(400, "search_from and search_to must span at most 100")
        shown = rows[start:end]
        if self.options.counts == "null":
            return {"total_count": None, "result_count": None, name: shown}
        return {"total_count": min(len(rows), COUNTS_END_AT), "result_count": len(shown), name: shown}


def _operator(one: Row, fields: Fields) -> Callable[[Any], Test]:
    operators = fields.get(str(one.get("field")))
    if operators is None or set(one) != {"field", "operator", "value"}:
        raise Refusal(400, f"unknown filter field: {one.get('field')}")
    found = operators.get(str(one["operator"]))
    if found is None:
        raise Refusal(400, f"operator {one['operator']} does not fit {one['field']}")
    return found


def sort_rows(rows: list[Row], sort: Any, allowed: dict[str, str]) -> list[Row]:
    """Rows in the order that is asked for; equal ones stay in the order in which they came. `allowed` maps a field to a row's key."""
    if sort is None:
        return rows
    if not isinstance(sort, dict) or sort.get("field") not in allowed or str(sort.get("keyword")).lower() not in {"asc", "desc"}:
        raise Refusal(400, "sort must be a known field and asc or desc")
    return sorted(rows, key=lambda row: row[allowed[sort["field"]]], reverse=str(sort["keyword"]).lower() == "desc")
